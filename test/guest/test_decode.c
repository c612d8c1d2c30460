// Loads and stores of every shape at emulated registers: sizes, signs, write-back, pairs, the zero register and the
// stack pointer. And instructions that no device answers: they end in an abort or with the right value, never in a hang.
//
// The registers: the distributor's priorities, bytes that keep what is written; the PL031's match register.
#include <base/bits.h>
#include <spec/esr.h>
#include <spec/pl031.h>

#include "lib/arch.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/mmu.h"
#include "lib/report.h"

#define SPI 64u

static uint64_t place;   // four words of priorities, at the first of them
static const char *when; // MMU off, MMU on
static bool strict;

static void set(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    write32(place, a);
    write32(place + 4, b);
    write32(place + 8, c);
    write32(place + 12, d);
}

// One instruction on x0 (base), x1, x2: their values go in and out.
#define RUN(instruction)                                                                           \
    __asm__ volatile("mov x0, %0\n\tmov x1, %1\n\tmov x2, %2\n\t" instruction                      \
                     "\n\tmov %0, x0\n\tmov %1, x1\n\tmov %2, x2"                                  \
                     : "+r"(x0), "+r"(x1), "+r"(x2)                                                \
                     :                                                                             \
                     : "x0", "x1", "x2", "memory")

// `what` is the instruction: what it loads, and where the base is afterwards.
#define LOAD(instruction, offset, value, moved)                                                    \
    do {                                                                                           \
        uint64_t x0 = place + (offset);                                                            \
        uint64_t x1 = 0x1111111111111111;                                                          \
        uint64_t x2 = 4;                                                                           \
        RUN(instruction);                                                                          \
        report_value(x1, value, "%s: %s", when, instruction);                                      \
        if (x0 != place + (offset) + (uint64_t)(moved)) {                                          \
            report(false, "%s: %s: its base", when, instruction);                                  \
        }                                                                                          \
    } while (0)

#define STORE(instruction, offset, value, moved, at, stored)                                       \
    do {                                                                                           \
        set(0, 0, 0, 0);                                                                           \
        uint64_t x0 = place + (offset);                                                            \
        uint64_t x1 = (value);                                                                     \
        uint64_t x2 = 4;                                                                           \
        RUN(instruction);                                                                          \
        report_value(read32(place + (at)), stored, "%s: %s", when, instruction);                   \
        if (x0 != place + (offset) + (uint64_t)(moved)) {                                          \
            report(false, "%s: %s: its base", when, instruction);                                  \
        }                                                                                          \
    } while (0)

static void test_loads(void)
{
    set(0xf0e0d080, 0x10203040, 0x50607080, 0x90a0b0c0);
    LOAD("ldr w1, [x0]", 0, 0xf0e0d080, 0);
    LOAD("ldrsw x1, [x0]", 0, 0xfffffffff0e0d080, 0);
    LOAD("ldrb w1, [x0]", 0, 0x80, 0);
    LOAD("ldrb w1, [x0, #3]", 0, 0xf0, 0);
    LOAD("ldrsb w1, [x0]", 0, 0xffffff80, 0);
    LOAD("ldrsb x1, [x0]", 0, 0xffffffffffffff80, 0);
    LOAD("ldrsb x1, [x0, #4]", 0, 0x40, 0);
    LOAD("ldr w1, [x0, x2]", 0, 0x10203040, 0);
    LOAD("ldr w1, [x0, w2, uxtw #2]", -8, 0x50607080, 0);
    LOAD("ldur w1, [x0, #-4]", 8, 0x10203040, 0);
    LOAD("ldar w1, [x0]", 0, 0xf0e0d080, 0);
    LOAD("ldr w1, [x0], #4", 0, 0xf0e0d080, 4);
    LOAD("ldr w1, [x0, #4]!", 0, 0x10203040, 4);
    LOAD("ldr w1, [x0], #-8", 8, 0x50607080, -8);
    LOAD("ldr w1, [x0, #-8]!", 8, 0xf0e0d080, -8);
    LOAD("ldrb w1, [x0], #1", 0, 0x80, 1);
    LOAD("ldrsb x1, [x0, #1]!", 0, 0xffffffffffffffd0, 1);
    LOAD("ldrsb w1, [x0], #255", 0, 0xffffff80, 255);
    LOAD("ldrsw x1, [x0], #-256", 12, 0xffffffff90a0b0c0, -256);
}

static void test_stores(void)
{
    STORE("str w1, [x0]", 0, 0xa0b0c0d0, 0, 0, 0xa0b0c0d0);
    STORE("strb w1, [x0, #2]", 0, 0xa0, 0, 0, 0xa00000);
    STORE("str wzr, [x0]", 0, 0xa0, 0, 0, 0);
    STORE("stlr w1, [x0]", 4, 0x40404040, 0, 4, 0x40404040);
    STORE("stur w1, [x0, #-4]", 4, 0x40404040, 0, 0, 0x40404040);
    STORE("str w1, [x0], #4", 0, 0x80808080, 4, 0, 0x80808080);
    STORE("str w1, [x0, #4]!", 0, 0x80808080, 4, 4, 0x80808080);
    STORE("strb w1, [x0], #-1", 1, 0x10, -1, 0, 0x1000);
    STORE("strb w1, [x0, #8]!", 0, 0xf0, 8, 8, 0xf0);
    STORE("str wzr, [x0], #4", 0, 0xf0, 4, 0, 0);
}

// As LOAD and STORE, of two registers.
static void test_pairs(void)
{
    uint64_t x0 = place;
    uint64_t x1 = 0;
    uint64_t x2 = 0;
    set(0xf0e0d080, 0x10203040, 0x50607080, 0x90a0b0c0);
    RUN("ldp w1, w2, [x0]");
    report(x1 == 0xf0e0d080 && x2 == 0x10203040, "%s: ldp w", when);
    RUN("ldpsw x1, x2, [x0]");
    report(x1 == 0xfffffffff0e0d080 && x2 == 0x10203040, "%s: ldpsw", when);
    RUN("ldp w1, w2, [x0], #8");
    report(x1 == 0xf0e0d080 && x2 == 0x10203040 && x0 == place + 8, "%s: ldp w, post-index", when);
    RUN("ldp w1, w2, [x0, #-4]!");
    report(x1 == 0x10203040 && x2 == 0x50607080 && x0 == place + 4, "%s: ldp w, pre-index", when);
    x0 = place;
    x1 = 0xa0a0a0a0;
    x2 = 0xb0b0b0b0;
    RUN("stp w1, w2, [x0, #8]");
    report(read32(place + 8) == 0xa0a0a0a0 && read32(place + 12) == 0xb0b0b0b0, "%s: stp w", when);
    RUN("stp w1, wzr, [x0], #16");
    report(read32(place) == 0xa0a0a0a0 && read32(place + 4) == 0 && x0 == place + 16,
           "%s: stp w, post-index, zero register", when);
    RUN("stp w2, w1, [x0, #-16]!");
    report(read32(place) == 0xb0b0b0b0 && read32(place + 4) == 0xa0a0a0a0 && x0 == place,
           "%s: stp w, pre-index", when);
}

// IROUTER has 64 bits: version 3.
static void test_doublewords(void)
{
    if (machine.gic_version != 3) {
        return;
    }
    uint64_t x0 = machine.gicd + GICD_IROUTER + 8 * SPI;
    uint64_t x1 = BIT(31);
    uint64_t x2 = 0;
    RUN("str x1, [x0]\n\tmov x1, #0\n\tldr x1, [x0], #8");
    report(x1 == BIT(31) && x0 == machine.gicd + GICD_IROUTER + 8 * SPI + 8,
           "%s: ldr x, post-index", when);
    x2 = BIT(31);
    RUN("stp x1, x2, [x0, #-8]!\n\tldp x1, x2, [x0]\n\tstp xzr, xzr, [x0]");
    report(x1 == BIT(31) && x2 == BIT(31), "%s: stp x, ldp x", when);
}

static void test_special_registers(void)
{
    set(0xf0e0d080, 0, 0, 0);
    uint64_t kept;
    uint64_t at;
    // The stack pointer as a base; nothing may interrupt here.
    __asm__ volatile(
        "mov %0, sp\n\tmov sp, %2\n\tldr wzr, [sp], #16\n\tldr w1, [sp, #-16]!\n\tmov %1, sp\n\t"
        "mov sp, %0\n\tmov %0, x1"
        : "=&r"(kept), "=&r"(at)
        : "r"(place)
        : "x1", "memory");
    report(kept == 0xf0e0d080 && at == place, "%s: sp as a base, wzr as a target", when);
}

static void test_halfwords(void)
{
    if (machine.rtc == 0) {
        return;
    }
    write32(machine.rtc + PL031_IMSC, 0);
    write32(machine.rtc + PL031_MR, 0x89abcdef);
    uint64_t x0 = machine.rtc + PL031_MR;
    uint64_t x1 = 0;
    uint64_t x2 = 0;
    RUN("ldrh w1, [x0]\n\tldrsh w2, [x0]");
    report(x1 == 0xcdef && x2 == 0xffffcdef, "%s: ldrh, ldrsh w", when);
    RUN("ldrsh x1, [x0], #2\n\tsub x0, x0, #4\n\tldrh w2, [x0, #2]!");
    report(x1 == 0xffffffffffffcdef && x2 == 0xcdef, "%s: ldrsh x, post-index; ldrh, pre-index",
           when);
}

// Either it is refused, or it works.
#define EITHER(instruction, works)                                                                 \
    do {                                                                                           \
        set(0x80808080, 0x80808080, 0x80808080, 0x80808080);                                       \
        uint64_t x0 = place;                                                                       \
        uint64_t x1 = 0;                                                                           \
        uint64_t x2 = 0;                                                                           \
        catch_begin();                                                                             \
        RUN(instruction);                                                                          \
        const struct caught *c = catch_end();                                                      \
        report((c->count == 0 && (works)) || (c->count == 1 && esr_ec(c->esr) == EC_DATA_ABORT &&  \
                                              c->far >= place && c->far < place + 64),             \
               "%s: %s is refused or works", when, instruction);                                   \
    } while (0)

static void test_refused(void)
{
    if (!strict) {
        return; // an emulator is free to do what it likes
    }
    EITHER("ldxr w1, [x0]", x1 == 0x80808080);
    EITHER("ldr q0, [x0]", true);
    EITHER("ldr s0, [x0], #4", true);
    EITHER("ldp q0, q1, [x0]", true);
    EITHER("ld1 {v0.4s}, [x0]", true);
    EITHER("stp q0, q1, [x0]", true);
    EITHER("ldxp w1, w2, [x0]", x1 == 0x80808080 && x2 == 0x80808080);
    EITHER("dc zva, x0", true);
    EITHER("prfm pldl1keep, [x0]", x1 == 0);
}

static void test_all(const char *now_when)
{
    when = now_when;
    test_loads();
    test_stores();
    test_pairs();
    test_doublewords();
    test_special_registers();
    test_halfwords();
    test_refused();
}

void guest_main(void)
{
    strict = option("strict", 0) != 0;
    gic_init();
    gic_init_core();
    place = machine.gicd + GICD_IPRIORITYR + SPI;
    test_all("MMU off");
    mmu_on();
    test_all("MMU on");
}

// A guest that does whatever it can think of: loads and stores all over its address space, every system register and
// instruction of that space, every call number, tables that change under its feet, storms of WFI, SGIs and timers.
// `seed=N actions=N` among the boot arguments; verbose=1 tells each one. It is good if it is still there at the end: whoever else runs beside it
// judges the rest.
//
// It spares what would only end itself: switching off, its own vectors and stack, its console's data register.
#include <base/bits.h>
#include <base/str.h>
#include <spec/esr.h>
#include <spec/pl011.h>
#include <spec/psci.h>
#include <spec/smccc.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/mmu.h"
#include "lib/registers.h"
#include "lib/report.h"

#define UPPER    0xffffff8000000000ull
#define GICC_APR 0xd0u

static uint64_t state;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d;
}

static uint64_t below(uint64_t limit)
{
    return (next_random() >> 16) % limit;
}

static bool mine(uint64_t address)
{
    return address + 64 > machine.memory && address < machine.memory + machine.memory_size;
}

// Every exception is survived: whoever jumped out of this program goes back to its caller, anything else to the next
// instruction.
static void survive(struct frame *frame)
{
    unsigned class = esr_ec(frame->esr);
    // Debug exceptions off, whatever was written there.
    frame->spsr |= BIT(9);
    if (!mine(frame->elr) || class == EC_PC_ALIGNMENT || class == EC_ILLEGAL_STATE) {
        frame->elr = frame->x[30];
        frame->spsr = SPSR_EL1;
    } else {
        frame->elr += 4;
    }
}

// What an action may have spoilt, for the next one.
static void tidy_up(void)
{
    WRITE(mdscr_el1, 0);
    WRITE(cpacr_el1, FIELD(21, 20));
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntp_ctl_el0, 0);
    WRITE(daif, 0x3c0);
    isb();
}

// ---- Memory ----------------------------------------------------------------------------------------------------------

// Mostly where something is.
static uint64_t some_address(void)
{
    uint64_t places[] = {machine.gicd, machine.gicr,   machine.gicc,
                         machine.uart, machine.rtc,    0x08000000,
                         0x08010000,   0x080a0000,     0x0a000000,
                         0x09030000,   machine.memory, machine.memory + machine.memory_size};
    switch (below(4)) {
    case 0:
        return below(1ull << 40);
    case 1:
        return (machine.gicd & ~0xfffull) + below(0x200000);
    default:
        return places[below(ARRAY_SIZE(places))] + below(0x1200) - (below(8) == 0 ? 0x100 : 0);
    }
}

static bool console_data(uint64_t address)
{
    return address + 64 > machine.uart && address < machine.uart + 4;
}

static void load(void)
{
    uint64_t a = some_address();
    switch (below(10)) {
    case 0:
        __asm__ volatile("ldrb w1, [%0]" : : "r"(a) : "x1", "memory");
        break;
    case 1:
        __asm__ volatile("ldrh w1, [%0]" : : "r"(a) : "x1", "memory");
        break;
    case 2:
        __asm__ volatile("ldr w1, [%0]" : : "r"(a) : "x1", "memory");
        break;
    case 3:
        __asm__ volatile("ldr x1, [%0]" : : "r"(a) : "x1", "memory");
        break;
    case 4:
        __asm__ volatile("ldp x1, x2, [%0], #16" : "+r"(a) : : "x1", "x2", "memory");
        break;
    case 5:
        __asm__ volatile("ldr w1, [%0, #-4]!" : "+r"(a) : : "x1", "memory");
        break;
    case 6:
        __asm__ volatile("ldp q0, q1, [%0]" : : "r"(a) : "memory");
        break;
    case 7:
        __asm__ volatile("ldpsw x1, x2, [%0, #8]!" : "+r"(a) : : "x1", "x2", "memory");
        break;
    case 8:
        __asm__ volatile("ld4 {v0.16b, v1.16b, v2.16b, v3.16b}, [%0]" : : "r"(a) : "memory");
        break;
    default:
        __asm__ volatile("ldxr x1, [%0]\n\tclrex" : : "r"(a) : "x1", "memory");
        break;
    }
}

static void store(void)
{
    uint64_t a = some_address();
    uint64_t v = next_random();
    if (mine(a) || console_data(a)) {
        return;
    }
    switch (below(9)) {
    case 0:
        __asm__ volatile("strb %w1, [%0]" : : "r"(a), "r"(v) : "memory");
        break;
    case 1:
        __asm__ volatile("strh %w1, [%0]" : : "r"(a), "r"(v) : "memory");
        break;
    case 2:
    case 3:
        __asm__ volatile("str %w1, [%0]" : : "r"(a), "r"(v) : "memory");
        break;
    case 4:
        __asm__ volatile("str %1, [%0]" : : "r"(a), "r"(v) : "memory");
        break;
    case 5:
        __asm__ volatile("stp %1, %1, [%0], #-16" : "+r"(a) : "r"(v) : "memory");
        break;
    case 6:
        __asm__ volatile("strb %w1, [%0, #1]!" : "+r"(a) : "r"(v) : "memory");
        break;
    case 7:
        __asm__ volatile("stp q0, q1, [%0]" : : "r"(a) : "memory");
        break;
    default:
        __asm__ volatile("stlr %w1, [%0]" : : "r"(a), "r"(v) : "memory");
        break;
    }
}

static void fetch(void)
{
    uint64_t a = some_address();
    if (!mine(a)) {
        __asm__ volatile("blr %0" : : "r"(a) : "x30", "memory");
    }
}

// ---- System registers, all encodings ---------------------------------------------------------------------------------

static uint32_t code[4] __attribute__((aligned(64)));

#define OP_RET 0xd65f03c0u
#define OP_MSR                                                                                     \
    0xd5000000u // + L << 21 | op0 << 19 | op1 << 16 | CRn << 12 | CRm << 8 | op2 << 5 | Rt
#define OP_READ BIT(21)

static uint32_t encoding(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
    return op0 << 19 | op1 << 16 | crn << 12 | crm << 8 | op2 << 5;
}

// What would only make it stumble over itself: SCTLR, TTBR and TCR while it runs on them, VBAR, the stack's selection and
// the state's fields; breakpoints on its own handler.
static bool spared(uint32_t e)
{
    static const uint32_t rows[] = {0x180000 | 1 << 12, 0x180000 | 2 << 12};
    uint32_t row = e & 0x1ff000; // op0, op1, CRn
    if ((e >> 19 & 3) == 0 || row == rows[0] || row == rows[1]) {
        return true; // op0 0: PSTATE fields, hints and barriers; op0 3, op1 0, CRn 1 and 2
    }
    return e == encoding(3, 0, 12, 0, 0) || e == encoding(3, 0, 4, 2, 0) || (e >> 19 & 3) == 2;
}

static void system_instruction(void)
{
    uint32_t e = encoding(below(4), below(8), below(16), below(16), below(8));
    if (below(2) == 0) {
        // Where most of what exists is.
        e = encoding(3, below(2) * 3, below(16), below(16), below(8));
    }
    bool read = below(2) == 0;
    if (!read && spared(e)) {
        return;
    }
    if ((e >> 19 & 3) == 0) {
        return;
    }
    code[0] = OP_MSR | (read ? (uint32_t)OP_READ : 0) | e | 1; // x1
    code[1] = OP_RET;
    __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb"
                     :
                     : "r"(code)
                     : "memory");
    uint64_t sp_el0 = READ(sp_el0);
    __asm__ volatile("mov x1, %1\n\tblr %0"
                     :
                     : "r"(code), "r"(next_random())
                     : "x0", "x1", "x30", "memory");
    WRITE(sp_el0, sp_el0);
}

// ---- Calls -----------------------------------------------------------------------------------------------------------

static bool ends_itself(uint32_t function)
{
    // PSCI: anything that switches this core off, suspends it or ends the machine.
    uint32_t psci_number = function & ~(uint32_t)PSCI_SMC64;
    uint32_t off[] = {PSCI_SYSTEM_OFF,          PSCI_SYSTEM_RESET,  PSCI_CPU_OFF,
                      PSCI_CPU_SUSPEND,         PSCI_SYSTEM_RESET2, PSCI_SYSTEM_SUSPEND,
                      PSCI_CPU_DEFAULT_SUSPEND, PSCI_CPU_FREEZE};
    for (unsigned i = 0; i < ARRAY_SIZE(off); i++) {
        if (psci_number == (off[i] & ~(uint32_t)PSCI_SMC64)) {
            return true;
        }
    }
    return false;
}

static void call(void)
{
    uint32_t function = (uint32_t)next_random();
    switch (below(4)) {
    case 0:
        function = 0x84000000u | (uint32_t)below(0x40) | (below(2) == 0 ? 0 : 1u << 30);
        break;
    case 1:
        function = 0x80000000u | (uint32_t)below(0x10000);
        break;
    default:
        break;
    }
    // No other core begins: what it would execute is anybody's guess, this program's data included.
    if (ends_itself(function) ||
        (function & ~(uint32_t)PSCI_SMC64) == (PSCI_CPU_ON & ~(uint32_t)PSCI_SMC64)) {
        return;
    }
    if (below(2) == 0) {
        smccc_hvc(function, next_random(), next_random(), next_random());
    } else {
        smccc_smc(function, next_random(), next_random(), next_random());
    }
    __asm__ volatile("hvc #0x1234\n\tsmc #0x4321"
                     :
                     :
                     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                       "x12", "x13", "x14", "x15", "x16", "x17", "memory");
}

// ---- Its own tables --------------------------------------------------------------------------------------------------

static uint64_t upper[512] __attribute__((aligned(4096)));

static void tables(void)
{
    for (unsigned i = 0; i < 8; i++) {
        upper[below(512)] = next_random() & (below(2) == 0 ? ~0ull : FIELD(39, 0));
    }
    upper[0] = (uintptr_t)upper | 3; // a table that is its own next level
    mmu_on();
    mmu_set_upper((uintptr_t)upper);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t a = UPPER + below(1ull << 39);
        __asm__ volatile("ldr x1, [%0]\n\tat s1e1w, %0\n\tat s1e0r, %0"
                         :
                         : "r"(a)
                         : "x1", "memory");
    }
    mmu_set_upper(0);
    mmu_off();
}

// By set and way costs what cleaning all memory costs: one at a time.
static void caches(void)
{
    uint64_t a = some_address();
    uint64_t set = next_random() & 0xffffff;
    switch (below(3)) {
    case 0:
        __asm__ volatile("dc isw, %0" : : "r"(set) : "memory");
        break;
    case 1:
        __asm__ volatile("dc csw, %0" : : "r"(set) : "memory");
        break;
    default:
        __asm__ volatile("dc cisw, %0" : : "r"(set) : "memory");
        break;
    }
    __asm__ volatile("dc civac, %0\n\tic iallu\n\ttlbi vmalle1is\n\tdsb sy" : : "r"(a) : "memory");
}

// ---- Storms ----------------------------------------------------------------------------------------------------------

// A device whose line stays high would interrupt for ever: it is not enabled any more.
static void take_anything(void)
{
    uint32_t intid = gic_acknowledge();
    gic_end(intid);
    if (intid >= INTID_SPI && intid < INTID_SPI_END) {
        gic_disable(intid);
    }
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntp_ctl_el0, 0);
}

// Reading at random has acknowledged what nobody ends. Returns whether all of it is forgotten.
static bool forget_what_is_active(void)
{
    if (machine.gic_version == 3) {
        WRITE(S3_0_C12_C8_4, 0); // ICC_AP0R0_EL1
        WRITE(S3_0_C12_C9_0, 0); // ICC_AP1R0_EL1
        isb();
    } else {
        write32(machine.gicc + GICC_APR, 0);
        for (unsigned i = 0; i < INTID_SPI_END && gic_running_priority() != 0xff; i++) {
            gic_end(i);
        }
    }
    return gic_running_priority() == 0xff;
}

static void storm(void)
{
    bool free = forget_what_is_active();
    gic_init();
    gic_init_core();
    for (unsigned i = 0; i < 32; i++) {
        gic_enable(i);
    }
    WRITE(cntv_cval_el0, now() + below(5000));
    WRITE(cntv_ctl_el0, 1);
    WRITE(cntp_cval_el0, READ(cntpct_el0) + below(5000));
    WRITE(cntp_ctl_el0, 1);
    isb();
    for (unsigned i = 0; i < 20; i++) {
        gic_sgi(below(16), 0);
        gic_set_pending(32 + below(64));
        gic_enable(32 + below(64));
        irq_on();
        isb();
        irq_off();
    }
    // Something is pending: it ends.
    gic_sgi(1, 0);
    for (unsigned i = 0; i < 10 && free; i++) {
        wfi();
        __asm__ volatile("sev\n\twfe");
    }
}

static const struct action {
    const char *name;
    void (*run)(void);
    unsigned weight; // of 256
} actions[] = {
    {"load", load, 68},    {"store", store, 64},
    {"fetch", fetch, 15},  {"system instruction", system_instruction, 70},
    {"call", call, 36},    {"caches", caches, 1},
    {"tables", tables, 1}, {"storm", storm, 1},
};

// It may be in any state.
static void restore_console(void)
{
    write32(machine.uart + PL011_CR, (uint32_t)(PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE));
    write32(machine.uart + PL011_IMSC, 0);
}

static void act(bool verbose)
{
    const struct action *action = actions;
    for (uint64_t which = below(256); which >= action->weight; action++) {
        which -= action->weight;
    }
    if (verbose) {
        restore_console();
        say("hostile: %s", action->name);
    }
    action->run();
    tidy_up();
}

void guest_main(void)
{
    uint64_t count = option("actions", 10000);
    bool verbose = option("verbose", 0) != 0;
    uint64_t seed = option("seed", 1);
    state = seed * 0x9e3779b97f4a7c15 + 1;
    irq_handler = take_anything;
    fiq_handler = take_anything;
    caught_hook = survive;
    gic_init();
    gic_init_core();
    irq_off();
    catch_begin();
    for (uint64_t i = 0; i < count; i++) {
        act(verbose);
        if (i % 10000 == 9999) {
            restore_console();
            say("hostile: seed %lu, %lu actions", (unsigned long)seed, (unsigned long)(i + 1));
        }
    }
    restore_console();
    report(true, "still there, after %u exceptions", catch_end()->count);
}

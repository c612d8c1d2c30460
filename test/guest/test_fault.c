// Faults that a guest makes come to the guest as hardware would tell them: where nothing answers, an external abort with
// the right syndrome and address; undefined instructions; system registers that do not exist; its own page faults.
#include <base/bits.h>
#include <spec/esr.h>
#include <spec/pl011.h>

#include "lib/arch.h"
#include "lib/exception.h"
#include "lib/machine.h"
#include "lib/mmu.h"
#include "lib/report.h"

#define UPPER 0xffffff8000000000ull // where TTBR1's addresses begin

static bool external(const struct caught *c)
{
    return esr_fsc(c->esr) == FSC_EXTERNAL;
}

static void test_read(uint64_t address, const char *what)
{
    catch_begin();
    (void)read32(address);
    const struct caught *c = catch_end();
    report(c->count == 1 && c->vector == 4, "reading %s: one exception of this level", what);
    report(esr_ec(c->esr) == EC_DATA_ABORT && external(c) && !(c->esr & ESR_ABORT_WNR),
           "an external abort, a read (ESR 0x%lx)", (unsigned long)c->esr);
    report_value(c->far, address, "at that address");
}

static void test_write(uint64_t address, const char *what)
{
    catch_begin();
    write8(address, 1);
    const struct caught *c = catch_end();
    report(c->count == 1 && esr_ec(c->esr) == EC_DATA_ABORT && external(c) &&
               (c->esr & ESR_ABORT_WNR),
           "writing %s: an external abort, a write (ESR 0x%lx)", what, (unsigned long)c->esr);
    report_value(c->far, address, "at that address");
}

// A jump to nowhere comes back to where the link register says.
static void return_to_caller(struct frame *frame)
{
    frame->elr = frame->x[30];
}

static void jump(uint64_t address)
{
    caught_hook = return_to_caller;
    __asm__ volatile("blr %0" : : "r"(address) : "x30", "memory");
    caught_hook = NULL;
}

static void test_fetch(uint64_t address, const char *what)
{
    catch_begin();
    jump(address);
    const struct caught *c = catch_end();
    report(c->count == 1 && esr_ec(c->esr) == EC_INSTRUCTION_ABORT && external(c),
           "executing %s: an external abort (ESR 0x%lx)", what, (unsigned long)c->esr);
    report(c->far == address && c->elr == address, "at that address");
}

static void test_nowhere(void)
{
    uint64_t behind = machine.memory + machine.memory_size + 0x1000;
    test_read(0x0b000000, "between devices");
    test_write(0x0b000008, "between devices");
    test_read(behind, "behind memory");
    test_write(behind + 3, "behind memory");
    test_read(0x2000000000, "far away");
    test_fetch(behind, "behind memory");
}

// Memory is there to its last byte.
static void test_edges_of_memory(void)
{
    uint64_t end = machine.memory + machine.memory_size;
    write8(end - 1, 0x5a);
    report_value(read8(end - 1), 0x5a, "the last byte of memory");
    catch_begin();
    (void)read8(end);
    report_value(catch_end()->count, 1, "and the first one behind it is none");
}

// ---- Instructions ----------------------------------------------------------------------------------------------------

#define UNDEFINED(instruction, what)                                                               \
    do {                                                                                           \
        catch_begin();                                                                             \
        __asm__ volatile(instruction : : : "x0", "memory");                                        \
        const struct caught *c = catch_end();                                                      \
        report(c->count == 1 && esr_ec(c->esr) == EC_UNKNOWN, "undefined: %s (%u, ESR 0x%lx)",     \
               what, c->count, (unsigned long)c->esr);                                             \
    } while (0)

static void test_undefined(void)
{
    UNDEFINED("udf #0", "UDF");
    UNDEFINED(".inst 0x00c0ffee", "an encoding that is not allocated");
    UNDEFINED("mrs x0, hcr_el2", "HCR_EL2");
    UNDEFINED("msr vttbr_el2, x0", "VTTBR_EL2");
    UNDEFINED("mrs x0, scr_el3", "SCR_EL3");
    UNDEFINED("mrs x0, s3_0_c4_c7_7", "a system register that does not exist");
    UNDEFINED("mrs x0, s3_7_c4_c7_7", "another one");
    UNDEFINED("mrs x0, sp_el1", "SP_EL1 at EL1");
    UNDEFINED("tlbi alle2", "TLBI ALLE2");
    UNDEFINED("at s12e1r, x0", "AT S12E1R");
}

static void test_software_exceptions(void)
{
    catch_begin();
    __asm__ volatile("brk #0x1234");
    const struct caught *c = catch_end();
    report(c->count == 1 && esr_ec(c->esr) == EC_BRK && (c->esr & 0xffff) == 0x1234,
           "BRK comes with its number");
    // SVC goes on behind itself: the instruction that is skipped there is a NOP.
    catch_begin();
    __asm__ volatile("svc #0x77\n\tnop");
    c = catch_end();
    report(c->count == 1 && esr_ec(c->esr) == EC_SVC64 && (c->esr & 0xffff) == 0x77,
           "SVC comes with its number");
}

static void test_pc_alignment(void)
{
    catch_begin();
    jump((uintptr_t)return_to_caller + 2);
    const struct caught *c = catch_end();
    report(c->count == 1 && esr_ec(c->esr) == EC_PC_ALIGNMENT,
           "a program counter that is not aligned");
}

// ---- Stage 1 ---------------------------------------------------------------------------------------------------------

static uint64_t upper[512] __attribute__((aligned(4096)));

static uint64_t translate(uint64_t address)
{
    __asm__ volatile("at s1e1r, %0\n\tisb" : : "r"(address) : "memory");
    return READ(par_el1);
}

static void test_own_page_faults(void)
{
    mmu_set_upper((uintptr_t)upper);
    catch_begin();
    (void)read32(UPPER + 0x123000);
    const struct caught *c = catch_end();
    report(c->count == 1 && esr_fsc(c->esr) == FSC_TRANSLATION && (c->esr & 3) == 1,
           "what its own tables lack is a translation fault of level 1 (ESR 0x%lx)",
           (unsigned long)c->esr);
    report_value(c->far, UPPER + 0x123000, "at the virtual address");
    report(translate(UPPER + 0x123000) & 1, "AT tells the same");
    report_value(translate(machine.memory) & FIELD(39, 12), machine.memory,
                 "AT translates what is mapped");
}

// Tables that point to where nothing is.
static void test_table_nowhere(void)
{
    upper[0] = (machine.memory + machine.memory_size + 0x100000) | 3;
    mmu_invalidate();
    catch_begin();
    (void)read32(UPPER);
    const struct caught *c = catch_end();
    report(c->count == 1 && esr_ec(c->esr) == EC_DATA_ABORT && (c->esr & 0x3c) == 0x14,
           "a table where nothing is: an external abort on a walk (ESR 0x%lx)",
           (unsigned long)c->esr);
    report_value(c->far, UPPER, "at the virtual address");
    upper[0] = 0;
    mmu_invalidate();
}

// Nowhere by way of a mapping: the address told is the virtual one.
static void test_mapped_nowhere(void)
{
    uint64_t end = align_down(machine.memory + machine.memory_size, MMU_BLOCK) + MMU_BLOCK;
    upper[1] = end | BIT(10) | BIT(54) | BIT(53) | 1;
    mmu_invalidate();
    catch_begin();
    (void)read32(UPPER + MMU_BLOCK + 0x5008);
    const struct caught *c = catch_end();
    report(c->count == 1 && external(c), "nowhere through a mapping: an external abort (ESR 0x%lx)",
           (unsigned long)c->esr);
    report_value(c->far, UPPER + MMU_BLOCK + 0x5008, "at the virtual address");
    // A device through a mapping elsewhere.
    upper[1] = align_down(machine.uart, MMU_BLOCK) | BIT(10) | BIT(54) | BIT(53) | 1;
    mmu_invalidate();
    uint64_t flags = UPPER + MMU_BLOCK + machine.uart % MMU_BLOCK + PL011_FR;
    report_value(read32(flags) & PL011_FR_RXFE, PL011_FR_RXFE, "a device through another address");
    uint64_t base = flags;
    uint64_t value;
    __asm__ volatile("ldr %w0, [%1], #4" : "=&r"(value), "+r"(base) : : "memory");
    report((value & PL011_FR_RXFE) && base == flags + 4, "the same, post-index");
}

void guest_main(void)
{
    test_nowhere();
    test_edges_of_memory();
    test_undefined();
    test_software_exceptions();
    test_pc_alignment();
    mmu_on();
    test_nowhere();
    test_own_page_faults();
    test_table_nowhere();
    test_mapped_nowhere();
}

// Self-hosted debug inside the guest: single steps, breakpoints, watchpoints and BRK, for its EL0 and its EL1, and across
// instructions that leave the guest.
#include <base/bits.h>
#include <spec/esr.h>
#include <spec/pl011.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/registers.h"
#include "lib/report.h"

#define MDSCR_SS    BIT(0)
#define MDSCR_KDE   BIT(13)
#define MDSCR_MDE   BIT(15)
#define EC_STEP     0x33u // of this level
#define EC_BREAK    0x31u
#define EC_WATCH    0x35u
#define BCR_EL0     (BIT(0) | 2u << 1 | 0xfu << 5)
#define BCR_EL1     (BIT(0) | 1u << 1 | 0xfu << 5)
#define WCR_STORES  (2u << 3)
#define WCR_ANY     (3u << 3)
#define WCR_EL0     (BIT(0) | 2u << 1 | 0xffu << 5)
#define WCR_EL1     (BIT(0) | 1u << 1 | 0xffu << 5)
#define SNIPPET_LEN 7u
#define SCTLR_NTWI  BIT(16)
#define EC_SVC32    0x11u
#define SPSR_T32    (0x10u | BIT(5) | FIELD(8, 6)) // EL0, interrupts masked

// What EL0 runs: x0 is a device's register to read.
#define HERE __attribute__((visibility("hidden")))
extern char snippet[] HERE;
extern char snippet_end[] HERE;
__asm__("    .text\n"
        "snippet:\n"
        "    nop\n"
        "    ldr w1, [x0]\n"
        "    mov x2, #1\n"
        "    ldr w1, [x0]\n"
        "    wfi\n"
        "    nop\n"
        "    nop\n"
        "snippet_end:\n"
        "    svc #0\n");

// T32, from x0 = 0 to r0 = 0x707: an instruction of two bytes that may leave the guest.
extern char short_snippet[] HERE;
__asm__("    .text\n"
        "    .balign 4\n"
        "short_snippet:\n"
        "    .hword 0xbf30\n" // wfi
        "    .hword 0x2007\n" // movs r0, #7
        "    .hword 0x0201\n" // lsls r1, r0, #8
        "    .hword 0x4308\n" // orrs r0, r1
        "    .hword 0xdf00\n" // svc #0
        "    .balign 4\n");

static uint64_t word __attribute__((aligned(8)));

// What came, in order.
static struct {
    unsigned count;
    unsigned steps;
    unsigned class[16];
    uint64_t x0; // of the last one
    uint64_t elr[16];
    uint64_t far;
} came;

static void leave(struct frame *frame)
{
    frame->elr = (uintptr_t)el0_return;
    frame->spsr = SPSR_EL1;
}

static void note(struct frame *frame)
{
    unsigned class = esr_ec(frame->esr);
    if (came.count < ARRAY_SIZE(came.class)) {
        came.class[came.count] = class;
        came.elr[came.count] = frame->elr;
        came.count++;
    }
    came.far = frame->far;
    came.x0 = frame->x[0];
    if (class == EC_STEP_LOWER) {
        came.steps++;
        frame->spsr |= SPSR_STEP;
    } else if (class == EC_BREAKPOINT_LOWER || class == EC_BREAK) {
        WRITE(dbgbcr0_el1, 0);
    } else if (class == EC_WATCHPOINT_LOWER || class == EC_WATCH) {
        WRITE(dbgwcr0_el1, 0);
    } else if (class == EC_SVC64 || class == EC_SVC32) {
        leave(frame);
    } else {
        frame->elr += 4;
    }
    if (came.count == ARRAY_SIZE(came.class)) {
        leave(frame);
    }
}

static void run_el0(uint64_t entry, uint64_t argument, uint64_t spsr)
{
    came.count = 0;
    came.steps = 0;
    caught_hook = note;
    catch_begin();
    el0_run(entry, argument, spsr);
    catch_end();
    caught_hook = NULL;
}

// EL0 may wait.
static void set_up_waiting(void)
{
    WRITE(sctlr_el1, READ(sctlr_el1) | SCTLR_NTWI);
    isb();
    irq_off();
    gic_init();
    gic_init_core();
    gic_enable(machine.timer_virtual);
}

// For its WFI: not yet pending when it begins to wait, and never taken. (What the timer has raised before is withdrawn at
// the next exit.)
static void wake_soon(void)
{
    WRITE(cntv_cval_el0, now() + microseconds(500));
    WRITE(cntv_ctl_el0, 1);
    isb();
    (void)read32(machine.uart + PL011_FR);
}

static void test_steps(void)
{
    wake_soon();
    WRITE(mdscr_el1, MDSCR_SS);
    isb();
    run_el0((uintptr_t)snippet, machine.uart + PL011_FR, SPSR_EL0 | SPSR_STEP);
    WRITE(mdscr_el1, 0);
    isb();
    report_value(came.steps, SNIPPET_LEN,
                 "a step for each instruction of EL0, those that leave the guest too");
    unsigned wrong = 0;
    for (unsigned i = 0; i < SNIPPET_LEN; i++) {
        wrong += came.elr[i] != (uintptr_t)snippet + 4 * (i + 1);
    }
    report_value(wrong, 0, "each behind its instruction");
}

static void test_short_wfi(void)
{
    if (field_get(READ(id_aa64pfr0_el1), 3, 0) != 2) {
        return;
    }
    wake_soon();
    run_el0((uintptr_t)short_snippet, 0, SPSR_T32);
    report(came.count == 1 && came.class[0] == EC_SVC32, "T32 in EL0 (%u, class 0x%x)", came.count,
           came.class[0]);
    report_value(came.x0, 0x707, "what follows its WFI");
}

static void test_breakpoint_el0(void)
{
    WRITE(dbgbvr0_el1, (uintptr_t)snippet + 8);
    WRITE(dbgbcr0_el1, BCR_EL0);
    WRITE(mdscr_el1, MDSCR_MDE);
    isb();
    wake_soon();
    run_el0((uintptr_t)snippet, machine.uart + PL011_FR, SPSR_EL0);
    report(came.count == 2 && came.class[0] == EC_BREAKPOINT_LOWER &&
               came.elr[0] == (uintptr_t)snippet + 8,
           "a breakpoint in EL0 (%u, class 0x%x)", came.count, came.class[0]);
    report(came.class[1] == EC_SVC64, "behind which it goes on");
}

static void test_watchpoint_el0(void)
{
    WRITE(dbgwvr0_el1, (uintptr_t)&word);
    WRITE(dbgwcr0_el1, WCR_EL0 | WCR_ANY);
    WRITE(mdscr_el1, MDSCR_MDE);
    isb();
    wake_soon();
    run_el0((uintptr_t)snippet, (uintptr_t)&word, SPSR_EL0);
    report(came.count == 2 && came.class[0] == EC_WATCHPOINT_LOWER &&
               came.elr[0] == (uintptr_t)snippet + 4,
           "a watchpoint in EL0 (%u, class 0x%x)", came.count, came.class[0]);
}

static NOINLINE void touch(void)
{
    *(volatile uint64_t *)&word = 1;
}

// At EL1, with debug exceptions let in.
static void call_touch(void)
{
    came.count = 0;
    caught_hook = note;
    catch_begin();
    WRITE(mdscr_el1, MDSCR_MDE | MDSCR_KDE);
    isb();
    __asm__ volatile("msr daifclr, #8\n\tisb" : : : "memory");
    touch();
    __asm__ volatile("msr daifset, #8\n\tisb" : : : "memory");
    WRITE(mdscr_el1, 0);
    isb();
    catch_end();
    caught_hook = NULL;
}

static void test_breakpoint_el1(void)
{
    WRITE(dbgbvr0_el1, (uintptr_t)touch);
    WRITE(dbgbcr0_el1, BCR_EL1);
    call_touch();
    report(came.count == 1 && came.class[0] == EC_BREAK && came.elr[0] == (uintptr_t)touch,
           "a breakpoint in EL1 (%u, class 0x%x)", came.count, came.class[0]);
}

static void test_watchpoint_el1(void)
{
    WRITE(dbgwvr0_el1, (uintptr_t)&word);
    WRITE(dbgwcr0_el1, WCR_EL1 | WCR_STORES);
    call_touch();
    report(came.count == 1 && came.class[0] == EC_WATCH && came.far == (uintptr_t)&word,
           "a watchpoint in EL1 (%u, class 0x%x)", came.count, came.class[0]);
}

void guest_main(void)
{
    WRITE(oslar_el1, 0);
    isb();
    set_up_waiting();
    test_steps();
    test_short_wfi();
    test_breakpoint_el0();
    test_watchpoint_el0();
    test_breakpoint_el1();
    test_watchpoint_el1();
    // What a hostile neighbour would leave behind: everything on.
    for (unsigned i = 0; i < 2; i++) {
        WRITE(mdscr_el1, MDSCR_SS | MDSCR_MDE | MDSCR_KDE);
        WRITE(dbgbcr0_el1, BCR_EL1);
        WRITE(dbgwcr0_el1, WCR_EL1 | WCR_ANY);
        isb();
        (void)read32(machine.uart + PL011_FR);
    }
    WRITE(mdscr_el1, 0);
    isb();
    report(true, "everything on, masked, with exits: nothing happens");
}

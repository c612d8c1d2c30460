// An interrupt that comes at any instruction around WFI, and around what leaves the guest, is never lost: its moment is
// swept over a thousand instructions. A second timer wakes the core later. Where the clock counts instructions (exact=1)
// the interrupt has to have come before that one; elsewhere moments are random, and it has to come at all.
#include <base/bits.h>
#include <spec/pl011.h>
#include <spec/psci.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/report.h"

#define SPAN   1000u  // instructions, swept
#define MIDDLE 1500u  // instructions from arming to the operation
#define LATER  20000u // ticks from there to the second timer

static volatile bool taken;
static volatile bool missed; // the second timer came first
static bool exact;

static void handle(void)
{
    uint32_t acknowledged = gic_acknowledge();
    unsigned intid = gic_intid(acknowledged);
    if (intid == machine.timer_physical) {
        WRITE(cntp_ctl_el0, 0);
        missed = !taken;
    } else if (intid < INTID_SPI_END) {
        WRITE(cntv_ctl_el0, 0);
        taken = true;
    }
    isb();
    gic_end(acknowledged);
}

// Executes about that many instructions.
static void spend(uint64_t instructions)
{
    __asm__ volatile("1: subs %0, %0, #2\n\tb.gt 1b" : "+r"(instructions) : : "cc");
}

// ---- Operations ------------------------------------------------------------------------------------------------------

static void sleep_masked(void)
{
    wfi();
}

static void sleep_open(void)
{
    irq_on();
    wfi();
    irq_off();
}

static void call(void)
{
    smccc_hvc(PSCI_VERSION, 0, 0, 0);
}

static void read_device(void)
{
    (void)read32(machine.uart + PL011_FR);
}

static void read_distributor(void)
{
    irq_on();
    (void)read32(machine.gicd + GICD_TYPER);
    irq_off();
}

static void send_to_itself(void)
{
    gic_sgi(2, 0);
}

static const struct operation {
    const char *name;
    void (*run)(void);
} operations[] = {
    {"WFI with interrupts masked", sleep_masked},
    {"WFI with interrupts let in", sleep_open},
    {"HVC", call},
    {"a device's register", read_device},
    {"the distributor's, interrupts let in", read_distributor},
    {"an SGI to itself", send_to_itself},
};

static void guard(void)
{
    missed = false;
    WRITE(cntp_cval_el0, READ(cntpct_el0) + LATER);
    WRITE(cntp_ctl_el0, 1);
    isb();
}

// Whether it came in time. Interrupts are let in, and the machine left alone.
static bool came(void)
{
    uint64_t end = now() + 10 * machine.ticks_per_second;
    irq_on();
    while (!taken && now() < end) {
        yield();
    }
    irq_off();
    WRITE(cntp_ctl_el0, 0);
    isb();
    return taken && !(exact && missed);
}

// ---- The virtual timer -----------------------------------------------------------------------------------------------

static void sweep_timer(const struct operation *operation, unsigned step)
{
    uint64_t per_tick = 1000000000u / machine.ticks_per_second;
    unsigned lost = 0;
    for (unsigned at = MIDDLE - SPAN / 2; at <= MIDDLE + SPAN / 2; at += step) {
        taken = false;
        guard();
        WRITE(cntv_cval_el0, now() + MIDDLE / per_tick);
        WRITE(cntv_ctl_el0, 1);
        isb();
        spend(at);
        operation->run();
        // SGI 2 is taken as well: it must not hide the timer.
        taken = taken && (READ(cntv_ctl_el0) & 1) == 0;
        lost += !came();
    }
    report_value(lost, 0, "the timer, swept around %s: none lost", operation->name);
}

// ---- An SGI of another core ------------------------------------------------------------------------------------------

static _Atomic unsigned
    wanted; // the other core sends SGI 1 that many instructions later; 0: nothing is wanted

static void other_core(void)
{
    gic_init_core();
    for (;;) {
        unsigned instructions = wanted;
        if (instructions == 0) {
            yield();
            continue;
        }
        spend(instructions);
        gic_sgi(1, 0);
        wanted = 0;
    }
}

static void sweep_sgi(const struct operation *operation, unsigned step)
{
    unsigned lost = 0;
    for (unsigned at = MIDDLE - SPAN / 2; at <= MIDDLE + SPAN / 2; at += step) {
        taken = false;
        guard();
        wanted = at;
        spend(MIDDLE);
        operation->run();
        lost += !came();
        while (wanted != 0) {
            yield();
        }
        irq_on();
        isb();
        irq_off();
    }
    report_value(lost, 0, "an SGI of another core, swept around %s: none lost", operation->name);
}

void guest_main(void)
{
    unsigned step = (unsigned)option("step", 7);
    exact = option("exact", 0) != 0;
    irq_handler = handle;
    gic_init();
    gic_init_core();
    gic_enable(1);
    gic_enable(2);
    gic_enable(machine.timer_virtual);
    gic_enable(machine.timer_physical);
    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++) {
        sweep_timer(&operations[i], step);
    }
    if (machine.cpus < 2) {
        return;
    }
    report_value((uint64_t)cpu_on(1, other_core), PSCI_SUCCESS, "core 1 starts");
    // Not the SGI to itself: it looks like the other core's.
    for (unsigned i = 0; i + 1 < ARRAY_SIZE(operations); i++) {
        sweep_sgi(&operations[i], step);
    }
}

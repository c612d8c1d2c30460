// A neighbour: takes a tick of the virtual timer every millisecond and notices if one is lost or late, whatever other
// machines do beside it. Every `every` ticks (1000) it says how it is; `q` on its console ends it, as do `ticks`.
#include <spec/pl011.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/report.h"

#define PERIOD   1000u    // microseconds
#define PATIENCE 1000000u // microseconds

static volatile uint64_t taken;
static volatile uint64_t latest; // ticks of the counter behind a deadline
static uint64_t period;

static void tick(void)
{
    uint32_t acknowledged = gic_acknowledge();
    if (gic_intid(acknowledged) == machine.timer_virtual) {
        // All that are due by now: the line is low when the interrupt is ended. (QEMU 7.2's GICv2 can miss that it is high
        // again at that moment.)
        uint64_t deadline = READ(cntv_cval_el0);
        uint64_t late = now() - deadline;
        latest = late > latest ? late : latest;
        while (now() >= deadline) {
            deadline += period;
            taken++;
        }
        WRITE(cntv_cval_el0, deadline);
        isb();
    }
    gic_end(acknowledged);
}

static bool asked_to_end(void)
{
    return !(read32(machine.uart + PL011_FR) & PL011_FR_RXFE) &&
           (read32(machine.uart + PL011_DR) & 0xff) == 'q';
}

// A tick that is late comes still, one that is lost does not.
static void check(uint64_t begun)
{
    uint64_t due = (now() - begun) / period;
    uint64_t patience = now() + microseconds(PATIENCE);
    irq_on();
    while (taken < due && now() < patience) {
        yield();
    }
    irq_off();
    uint64_t got = taken;
    uint64_t most = (now() - begun) / period;
    say("ticker: %lu ticks, the latest one after %lu us", (unsigned long)got,
        (unsigned long)(latest * 1000000 / machine.ticks_per_second));
    if (got < due || got > most) {
        report(false, "%lu ticks instead of %lu to %lu", (unsigned long)got, (unsigned long)due,
               (unsigned long)most);
    }
}

void guest_main(void)
{
    uint64_t every = option("every", 1000);
    uint64_t last = option("ticks", UINT64_MAX);
    bool busy = option("busy", 0) != 0;
    period = microseconds(PERIOD);
    irq_handler = tick;
    gic_init();
    gic_init_core();
    gic_enable(machine.timer_virtual);
    uint64_t begun = now();
    WRITE(cntv_cval_el0, begun + period);
    WRITE(cntv_ctl_el0, 1);
    isb();
    for (uint64_t next = every; taken < last && !asked_to_end();) {
        irq_on();
        if (busy) {
            delay(period / 10);
        } else {
            irq_off();
            wfi();
            irq_on();
            isb();
        }
        irq_off();
        if (taken >= next) {
            check(begun);
            next += every;
        }
    }
    check(begun);
    report(true, "all ticks have come");
}

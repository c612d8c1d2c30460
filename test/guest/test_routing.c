// Interrupts between cores: SGIs from each to each, shared interrupts that go where they are sent, and follow when they
// are sent elsewhere; private ones stay private. Needs two cores at least.
#include <stdatomic.h>

#include <base/bits.h>
#include <spec/psci.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/record.h"
#include "lib/report.h"

#define SPI  100u
#define PPI  20u
#define SGIS 16u

enum order {
    SPIN,  // interrupts let in
    SLEEP, // the same in WFI
    MASK,  // interrupts masked
    SEND,  // sends `argument` as an SGI to core 0, once
    PEND,  // makes its own PPI pending, once
};

// What each core is to do; it sets `done` when it does.
static struct core {
    _Atomic unsigned order;
    _Atomic unsigned argument;
    _Atomic unsigned issued;
    _Atomic unsigned done;
} cores[CPUS_MAX];

static unsigned turns; // of tests that do something often

static void obey(const struct core *me)
{
    switch (me->order) {
    case SPIN:
    case SLEEP:
        irq_on();
        break;
    case MASK:
        irq_off();
        break;
    case SEND:
        gic_sgi(me->argument, 0);
        break;
    case PEND:
        gic_set_pending(PPI);
        break;
    default:
        break;
    }
}

static void other_core(void)
{
    struct core *me = &cores[cpu_number()];
    gic_init_core();
    for (unsigned i = 0; i < SGIS; i++) {
        gic_enable(i);
    }
    gic_enable(PPI);
    irq_on();
    for (;;) {
        unsigned issued = me->issued;
        if (me->done != issued) {
            obey(me);
            me->done = issued;
        }
        if (me->order == SLEEP && me->issued == me->done) {
            wfi();
        } else {
            yield();
        }
    }
}

// Waits until the core has begun to do so. SGI 0 wakes it.
static void tell(unsigned cpu, enum order order, unsigned argument)
{
    struct core *core = &cores[cpu];
    core->argument = argument;
    core->order = order;
    core->issued++;
    while (core->done != core->issued) {
        gic_sgi(0, cpu);
        yield();
    }
}

static void tell_all(enum order order)
{
    for (unsigned i = 1; i < machine.cpus; i++) {
        tell(i, order, 0);
    }
    delay(microseconds(200)); // SGIs 0 that are still on their way
}

static void begin(void)
{
    irq_off();
    tell_all(SPIN);
    gic_init();
    gic_init_core();
    record_begin();
    for (unsigned i = 0; i < SGIS; i++) {
        gic_enable(i);
    }
    gic_enable(PPI);
}

// QEMU's own version 2 forgets what is pending when its target changes, and private interrupts that software made pending
// on other cores than the first; and it gives what is active on one core to another. `strict=1` says that this is not QEMU's.
static bool emulator_errs(void)
{
    return machine.gic_version == 2 && option("strict", 0) == 0;
}

// Version 2 says who sent an SGI.
static void test_each_sgi(void)
{
    begin();
    irq_on();
    unsigned lost = 0;
    for (unsigned cpu = 1; cpu < machine.cpus; cpu++) {
        for (unsigned i = 1; i < SGIS; i++) {
            gic_sgi(i, cpu);
            lost += !record_wait(i, cpu) || record.by[i] != cpu;
        }
    }
    report_value(lost, 0, "every SGI reaches every core");
    record_begin();
    for (unsigned cpu = 1; cpu < machine.cpus; cpu++) {
        for (unsigned i = 1; i < SGIS; i++) {
            tell(cpu, SEND, i);
            lost += !record_wait(i, cpu) || record.by[i] != 0;
            lost += machine.gic_version == 2 && record.acknowledged[i] >> 10 != cpu;
        }
    }
    report_value(lost, 0, "and comes back, with its sender on version 2");
    irq_off();
}

static void test_senders_count(void)
{
    begin();
    unsigned senders = machine.cpus - 1;
    for (unsigned cpu = 1; cpu < machine.cpus; cpu++) {
        tell(cpu, SEND, 5);
    }
    record_let_in();
    report_value(record.count[5], machine.gic_version == 2 ? senders : 1,
                 "one SGI from %u cores: one for each sender on version 2, one in all on version 3",
                 senders);
}

static void test_broadcast(void)
{
    begin();
    irq_on();
    unsigned lost = 0;
    for (unsigned i = 1; i <= turns / 10; i++) {
        gic_sgi_others(6);
        lost += !record_wait(6, i * (machine.cpus - 1));
    }
    irq_off();
    report_value(lost, 0, "an SGI to all others reaches all others");
    report(record.by[6] != 0, "and not its sender");
}

static void bounce(unsigned intid)
{
    if (intid == 7 && cpu_number() != 0) {
        gic_sgi(8, 0);
    }
}

static void test_round_trips(enum order order, const char *what)
{
    begin();
    tell_all(order);
    record_hook = bounce;
    irq_on();
    unsigned lost = 0;
    unsigned trips = 0;
    for (unsigned i = 0; i < turns && lost == 0; i++) {
        for (unsigned cpu = 1; cpu < machine.cpus; cpu++) {
            gic_sgi(7, cpu);
            lost += !record_wait(8, ++trips);
        }
    }
    irq_off();
    report_value(lost, 0, "%u round trips with each core %s: none lost", turns, what);
    tell_all(SPIN);
}

static void test_shared(enum order order, const char *what)
{
    begin();
    tell_all(order);
    gic_enable(SPI);
    irq_on();
    unsigned lost = 0;
    for (unsigned i = 1; i <= turns; i++) {
        unsigned cpu = i % machine.cpus;
        gic_set_target(SPI, cpu);
        gic_set_pending(SPI);
        lost += !record_wait(SPI, i) || record.by[SPI] != cpu;
    }
    irq_off();
    report_value(lost, 0, "a shared interrupt follows its target, the others %s", what);
    tell_all(SPIN);
}

static void test_moved_while_pending(void)
{
    if (emulator_errs()) {
        return;
    }
    begin();
    tell(1, MASK, 0);
    gic_enable(SPI);
    gic_set_target(SPI, 1);
    gic_set_pending(SPI);
    delay(microseconds(200));
    report(record.count[SPI] == 0 && gic_pending(SPI), "its target masks it: it stays pending");
    gic_set_target(SPI, 0);
    irq_on(); // whoever emulates this may be late
    report(record_wait(SPI, 1) && record.by[SPI] == 0, "sent elsewhere meanwhile, it goes there");
    irq_off();
    tell(1, SPIN, 0);
    delay(microseconds(200));
    report(record.count[SPI] == 1 && !gic_pending(SPI), "and only there");
}

static void test_moved_while_active(void)
{
    begin();
    gic_enable(SPI);
    gic_split_end(true);
    gic_set_pending(SPI);
    record_let_in();
    gic_set_target(SPI, 1);
    gic_set_pending(SPI);
    delay(microseconds(200));
    report((record.count[SPI] == 1 && gic_active(SPI)) || emulator_errs(),
           "active here, it does not come there");
    gic_deactivate(SPI);
    report(record_wait(SPI, 2) && record.by[SPI] == 1, "deactivated here, it comes there");
    gic_split_end(false);
    delay(microseconds(200));
    report(!gic_active(SPI) && !gic_pending(SPI), "idle at last");
}

static void test_one_of_many(void)
{
    begin();
    gic_enable(SPI);
    if (machine.gic_version == 3) {
        write64(machine.gicd + GICD_IROUTER + 8ull * SPI, BIT(31));
    } else {
        write8(machine.gicd + GICD_ITARGETSR + SPI, (uint8_t)(BIT(machine.cpus) - 1));
    }
    irq_on();
    unsigned lost = 0;
    for (unsigned i = 1; i <= 100; i++) {
        gic_set_pending(SPI);
        lost += !record_wait(SPI, i);
    }
    delay(microseconds(200));
    irq_off();
    report_value(lost, 0, "one of many targets takes it");
    report(record.count[SPI] == 100 || emulator_errs(), "and only one");
}

static void test_private(void)
{
    if (emulator_errs()) {
        return;
    }
    begin();
    for (unsigned cpu = 1; cpu < machine.cpus; cpu++) {
        tell(cpu, PEND, 0);
        report(record_wait(PPI, cpu) && record.by[PPI] == cpu, "core %u's own interrupt is its own",
               cpu);
    }
    report(!gic_pending(PPI), "and not this core's");
}

void guest_main(void)
{
    turns = (unsigned)option("turns", 200);
    gic_init();
    gic_init_core();
    record_begin();
    if (machine.cpus < 2) {
        report(false, "a machine with several cores");
        return;
    }
    for (unsigned i = 1; i < machine.cpus; i++) {
        report_value((uint64_t)cpu_on(i, other_core), PSCI_SUCCESS, "core %u starts", i);
    }
    test_each_sgi();
    test_senders_count();
    test_broadcast();
    test_round_trips(SPIN, "busy");
    test_round_trips(SLEEP, "in WFI");
    test_shared(SPIN, "busy");
    test_shared(SLEEP, "in WFI");
    test_moved_while_pending();
    test_moved_while_active();
    test_one_of_many();
    test_private();
}

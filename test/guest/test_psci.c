// PSCI: what each function answers, refusals, cores that go on and off for ever, and in what state they begin. With
// `strict=1`, what QEMU's own firmware leaves out is asked for as well, and SMC as a second way in.
#include <stdatomic.h>

#include <base/bits.h>
#include <spec/psci.h>
#include <spec/smccc.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/record.h"
#include "lib/report.h"

#define NOBODY 0x00ffffu // an MPIDR that no core has

static bool strict;

static void test_version(void)
{
    int64_t version = psci(PSCI_VERSION, 0, 0, 0);
    report(version >= 0x10000, "PSCI_VERSION: %u.%u", (unsigned)version >> 16,
           (unsigned)version & 0xffff);
    if (strict) {
        report_value((uint64_t)version, PSCI_1_1, "PSCI 1.1");
        report_value(smccc_hvc(SMCCC_VERSION, 0, 0, 0).x[0], SMCCC_1_1, "SMCCC 1.1");
    }
}

static void test_features(void)
{
    static const uint32_t present[] = {PSCI_VERSION,       PSCI_CPU_SUSPEND, PSCI_CPU_OFF,
                                       PSCI_CPU_ON,        PSCI_SYSTEM_OFF,  PSCI_SYSTEM_RESET,
                                       PSCI_AFFINITY_INFO, PSCI_FEATURES};
    for (unsigned i = 0; i < ARRAY_SIZE(present); i++) {
        report(psci(PSCI_FEATURES, present[i], 0, 0) >= 0, "FEATURES has 0x%x", present[i]);
    }
    if (strict) {
        report(psci(PSCI_FEATURES, PSCI_SYSTEM_RESET2, 0, 0) >= 0, "FEATURES has SYSTEM_RESET2");
        report_value((uint64_t)psci(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0,
                     "FEATURES has SMCCC_VERSION");
    }
    report_value((uint64_t)psci(PSCI_FEATURES, 0x8400ff00, 0, 0), (uint64_t)PSCI_NOT_SUPPORTED,
                 "FEATURES of what does not exist");
    report_value((uint64_t)psci(0x8400001f, 0, 0, 0), (uint64_t)PSCI_NOT_SUPPORTED,
                 "a function that does not exist");
}

static void test_migration(void)
{
    int64_t type = psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0);
    report(type == PSCI_MIGRATION_NOT_REQUIRED || type == PSCI_NOT_SUPPORTED,
           "nothing has to be migrated");
    report(psci(PSCI_MIGRATE, 0, 0, 0) < 0, "nor can it be");
}

static void test_affinity(void)
{
    report_value((uint64_t)psci(PSCI_AFFINITY_INFO, machine.mpidr[0], 0, 0), PSCI_AFFINITY_ON,
                 "this core is on");
    for (unsigned i = 1; i < machine.cpus; i++) {
        report_value((uint64_t)psci(PSCI_AFFINITY_INFO, machine.mpidr[i], 0, 0), PSCI_AFFINITY_OFF,
                     "core %u is off", i);
    }
    report_value((uint64_t)psci(PSCI_AFFINITY_INFO, NOBODY, 0, 0),
                 (uint64_t)PSCI_INVALID_PARAMETERS, "nobody is neither");
    if (strict) {
        report_value((uint64_t)psci(PSCI_AFFINITY_INFO, machine.mpidr[0], 4, 0),
                     (uint64_t)PSCI_INVALID_PARAMETERS, "affinity level 4");
    }
}

static void test_refusals(void)
{
    report_value((uint64_t)psci(PSCI_CPU_ON, NOBODY, (uintptr_t)core_entry, 0),
                 (uint64_t)PSCI_INVALID_PARAMETERS, "a core that does not exist");
    report_value((uint64_t)psci(PSCI_CPU_ON, machine.mpidr[0], (uintptr_t)core_entry, 0),
                 (uint64_t)PSCI_ALREADY_ON, "this core is on already");
    if (strict && machine.cpus > 1) {
        report_value((uint64_t)psci(PSCI_CPU_ON, machine.mpidr[1], 0x0badc0d0000, 0),
                     (uint64_t)PSCI_INVALID_ADDRESS, "an entry point outside of memory");
    }
}

static void test_suspend(void)
{
    gic_init();
    gic_init_core();
    record_begin();
    gic_enable(1);
    irq_off();
    gic_sgi(1, 0);
    report_value((uint64_t)psci(PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS,
                 "standby ends by a pending interrupt");
    record_let_in();
    report_value(record.count[1], 1, "which comes then");
}

#define A_WHILE_US 3000u
#define WAKE_UPS   20u // for no reason, at most

static void arm_virtual(uint64_t at)
{
    WRITE(cntv_cval_el0, at);
    WRITE(cntv_ctl_el0, 1);
    isb();
}

static void arm_physical(uint64_t at)
{
    WRITE(cntp_cval_el0, at);
    WRITE(cntp_ctl_el0, 1);
    isb();
}

static void standby_until(unsigned intid, void (*arm)(uint64_t at), const char *what)
{
    uint64_t until = now() + microseconds(A_WHILE_US);
    unsigned calls = 0;
    gic_enable(intid);
    arm(until);
    while (now() < until && calls < 1000) {
        psci(PSCI_CPU_SUSPEND, 0, 0, 0);
        calls++;
    }
    report(now() >= until && calls <= WAKE_UPS, "standby lasts until the %s timer fires", what);
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntp_ctl_el0, 0);
    isb();
    gic_disable(intid);
}

static void test_standby_waits(void)
{
    irq_off();
    standby_until(machine.timer_virtual, arm_virtual, "virtual");
    standby_until(machine.timer_physical, arm_physical, "physical");
}

// ---- Other cores -----------------------------------------------------------------------------------------------------

struct state {
    uint64_t level;
    uint64_t daif;
    uint64_t sctlr;
    uint64_t sp_select;
    uint64_t mpidr;
    _Atomic unsigned starts;
};
static struct state states[CPUS_MAX];

static void start_and_stop(void)
{
    struct state *mine = &states[cpu_number()];
    mine->level = READ(CurrentEL) >> 2;
    mine->daif = READ(daif);
    mine->sctlr = READ(sctlr_el1);
    mine->sp_select = READ(SPSel);
    mine->mpidr = READ(mpidr_el1) & 0xff00ffffffull;
    // What the next start must not find.
    WRITE(daif, 0);
    mine->starts++;
}

// An emulator may say that a core is off after CPU_ON until it really begins.
static void wait_start(unsigned cpu, unsigned starts)
{
    while (states[cpu].starts < starts) {
        yield();
    }
}

static void test_first_state(void)
{
    for (unsigned i = 1; i < machine.cpus; i++) {
        const struct state *s = &states[i];
        report_value((uint64_t)cpu_on(i, start_and_stop), PSCI_SUCCESS, "core %u starts", i);
        wait_start(i, 1);
        report(cpu_wait_off(i), "core %u stops", i);
        report(s->starts == 1 && s->level == 1 && s->sp_select == 1,
               "core %u: EL1, its own stack pointer", i);
        report_value(s->daif, 0x3c0, "core %u: everything masked", i);
        report_value(s->sctlr & 0x1005, 0, "core %u: MMU and caches off", i);
        report_value(s->mpidr, machine.mpidr[i], "core %u: its affinity", i);
    }
}

static volatile bool stay;

static void stay_on(void)
{
    states[cpu_number()].starts++;
    while (stay) {
        yield();
    }
}

static void test_already_on(void)
{
    for (unsigned i = 1; i < machine.cpus; i++) {
        stay = true;
        unsigned starts = states[i].starts;
        cpu_on(i, stay_on);
        int64_t again = cpu_on(i, stay_on);
        report(again == PSCI_ALREADY_ON || again == PSCI_ON_PENDING || !strict,
               "core %u can't be started while it starts", i);
        wait_start(i, starts + 1);
        again = cpu_on(i, stay_on);
        report_value((uint64_t)again, (uint64_t)PSCI_ALREADY_ON, "core %u can't be started twice",
                     i);
        report_value((uint64_t)psci(PSCI_AFFINITY_INFO, machine.mpidr[i], 0, 0), PSCI_AFFINITY_ON,
                     "core %u is on", i);
        stay = false;
        report(cpu_wait_off(i), "core %u is off", i);
    }
}

static void test_loops(void)
{
    unsigned turns = (unsigned)option("turns", 100);
    unsigned begun[CPUS_MAX];
    unsigned refused = 0;
    for (unsigned i = 1; i < machine.cpus; i++) {
        begun[i] = states[i].starts;
    }
    for (unsigned turn = 0; turn < turns; turn++) {
        for (unsigned i = 1; i < machine.cpus; i++) {
            refused += cpu_on(i, start_and_stop) != PSCI_SUCCESS;
        }
        for (unsigned i = 1; i < machine.cpus; i++) {
            wait_start(i, begun[i] + turn + 1);
            refused += !cpu_wait_off(i);
        }
    }
    report_value(refused, 0, "%u times on and off, all cores: never refused", turns);
    for (unsigned i = 1; i < machine.cpus; i++) {
        report_value(states[i].starts - begun[i], turns, "core %u was on as often", i);
    }
}

// ---- What waits for a core that is off -------------------------------------------------------------------------------

#define SGI_BEFORE 2u
#define SGI_LATER  3u
#define SPI        40u

static struct {
    bool first;
    bool later;
    bool shared;
    volatile bool sent; // all of them
    volatile bool done;
} found;

static void end_pending(unsigned intid)
{
    gic_clear_pending(intid);
    // Of version 2's SGIs this clears nothing: they are taken.
    while (gic_highest_pending() == intid) {
        gic_end(gic_acknowledge());
    }
}

static void look_what_waits(void)
{
    while (!found.sent) {
        yield();
    }
    found.first = gic_pending(SGI_BEFORE);
    found.later = gic_pending(SGI_LATER);
    found.shared = gic_pending(SPI);
    gic_init_core();
    gic_enable(SGI_BEFORE);
    gic_enable(SGI_LATER);
    end_pending(SGI_BEFORE);
    end_pending(SGI_LATER);
    found.done = true;
}

// It has set up its private interrupts, which stay so.
static void set_up(void)
{
    gic_init_core();
}

static void pend_for(unsigned cpu)
{
    gic_sgi(SGI_BEFORE, cpu);
    gic_set_edge(SPI, true);
    gic_set_target(SPI, cpu);
    gic_enable(SPI);
    gic_set_pending(SPI);
}

static void wait_found(void)
{
    while (!found.done) {
        yield();
    }
}

static void test_off_and_pending(void)
{
    if (machine.cpus < 2) {
        return;
    }
    gic_init();
    gic_init_core();
    cpu_on(1, set_up);
    report(cpu_wait_off(1), "core 1 has set up its interrupts and is off");
    found.sent = found.done = false;
    pend_for(1);
    cpu_on(1, look_what_waits);
    gic_sgi(SGI_LATER, 1);
    found.sent = true;
    wait_found();
    report(found.first, "an SGI waits for a core that is off");
    report(found.later, "one that is sent while it starts, too");
    report(found.shared, "and a shared interrupt");
    gic_disable(SPI);
    gic_clear_pending(SPI);
    report(cpu_wait_off(1), "core 1 is off again");
}

static void power_down_with_pending(void)
{
    gic_init_core();
    irq_off();
    pend_for(1);
    (void)cpu_power_down(look_what_waits);
}

static void test_power_down(void)
{
    if (!strict || machine.cpus < 2) {
        return;
    }
    found.sent = true;
    found.done = false;
    cpu_on(1, power_down_with_pending);
    wait_found();
    report(found.first, "an SGI waits while a core is powered down");
    report(found.shared, "and a shared interrupt");
    gic_disable(SPI);
    gic_clear_pending(SPI);
    report(cpu_wait_off(1), "core 1 is off again");
}

static struct {
    uint64_t until;
    unsigned times;
    bool fired;
    volatile bool done;
} nap;

static void nap_again(void)
{
    irq_off();
    if (now() < nap.until && nap.times < 1000) {
        nap.times++;
        (void)cpu_power_down(nap_again);
    }
    nap.fired = (READ(cntv_ctl_el0) & 7) == 5; // on, not masked, fired
    WRITE(cntv_ctl_el0, 0);
    nap.done = true;
}

static void begin_nap(void)
{
    gic_init_core();
    gic_enable(machine.timer_virtual);
    nap.until = now() + microseconds(A_WHILE_US);
    arm_virtual(nap.until);
    nap_again();
}

static void test_nap(void)
{
    if (!strict || machine.cpus < 2) {
        return;
    }
    bool off = true;
    // Where somebody else has the core meanwhile, it may come too late to sleep.
    for (unsigned tries = 0; off && nap.times == 0 && tries < 100; tries++) {
        nap.done = false;
        cpu_on(1, begin_nap);
        while (!nap.done) {
            yield();
        }
        off = cpu_wait_off(1);
    }
    report(nap.times >= 1 && nap.times <= WAKE_UPS,
           "a powered-down core sleeps until its timer (%u)", nap.times);
    report(nap.fired, "which has gone on");
    report(off, "core 1 is off again");
}

static void test_smc(void)
{
    if (!strict) {
        return;
    }
    report_value(smccc_smc(PSCI_VERSION, 0, 0, 0).x[0], PSCI_1_1,
                 "PSCI by SMC: the instruction after it follows");
    report_value(smccc_hvc(PSCI_VERSION, 0, 0, 0).x[0], PSCI_1_1, "PSCI by HVC as well");
    report_value(smccc_smc(0x8300ff00, 0, 0, 0).x[0], (uint64_t)SMCCC_NOT_SUPPORTED,
                 "an SMC that nobody knows");
    report_value(smccc_hvc(0xc600ff00, 0, 0, 0).x[0], (uint64_t)SMCCC_NOT_SUPPORTED,
                 "an HVC that nobody knows");
    report((int64_t)smccc_hvc(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0, 0).x[0] >=
               SMCCC_NOT_REQUIRED,
           "the workarounds' queries are answered");
}

void guest_main(void)
{
    strict = option("strict", 0) != 0;
    test_version();
    test_features();
    test_migration();
    test_affinity();
    test_refusals();
    test_suspend();
    test_standby_waits();
    test_first_state();
    test_already_on();
    test_loops();
    test_off_and_pending();
    test_power_down();
    test_nap();
    test_smc();
}

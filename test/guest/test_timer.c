// The virtual and the physical timer on every core: when they fire and when not, masks, deadlines that move, WFI, ticks
// that add up, both at once, and interrupts disabled at the controller meanwhile.
#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/record.h"
#include "lib/report.h"

#include <base/bits.h>
#include <spec/psci.h>

#define ENABLE  1u
#define IMASK   2u
#define ISTATUS 4u

// Both timers by the same functions.
struct timer {
    const char *name;
    unsigned intid;
    uint64_t (*count)(void);
    uint64_t (*control)(void);
    void (*set_control)(uint64_t value);
    uint64_t (*deadline)(void);
    void (*set_deadline)(uint64_t value);
    uint64_t (*distance)(void);
    void (*set_distance)(uint64_t value);
};

#define ACCESS(name, reg)                                                                          \
    static uint64_t name(void)                                                                     \
    {                                                                                              \
        isb();                                                                                     \
        return READ(reg);                                                                          \
    }                                                                                              \
    static __attribute__((unused)) void set_##name(uint64_t value)                                 \
    {                                                                                              \
        WRITE(reg, value);                                                                         \
        isb();                                                                                     \
    }
ACCESS(v_control, cntv_ctl_el0)
ACCESS(v_deadline, cntv_cval_el0)
ACCESS(v_distance, cntv_tval_el0)
ACCESS(p_control, cntp_ctl_el0)
ACCESS(p_deadline, cntp_cval_el0)
ACCESS(p_distance, cntp_tval_el0)

static uint64_t p_count(void)
{
    isb();
    return READ(cntpct_el0);
}

static struct timer timers[] = {
    {"virtual timer", 0, now, v_control, set_v_control, v_deadline, set_v_deadline, v_distance,
     set_v_distance},
    {"physical timer", 0, p_count, p_control, set_p_control, p_deadline, set_p_deadline, p_distance,
     set_p_distance},
};

static volatile uint64_t periods[CPUS_MAX][2]; // in ticks; 0: switched off when it fires
static volatile unsigned ticks[CPUS_MAX][2];

// A timer that fires is moved on, or switched off.
static void serve(unsigned intid)
{
    unsigned core = cpu_number();
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        const struct timer *t = &timers[i];
        if (intid != t->intid) {
            continue;
        }
        ticks[core][i]++;
        if (periods[core][i] != 0) {
            t->set_deadline(t->deadline() + periods[core][i]);
        } else {
            t->set_control(0);
        }
    }
}

static void begin_core(void)
{
    irq_off();
    gic_init_core();
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        timers[i].set_control(0);
        gic_enable(timers[i].intid);
        periods[cpu_number()][i] = 0;
        ticks[cpu_number()][i] = 0;
    }
}

static void begin(void)
{
    begin_core();
    record_begin();
    record_hook = serve;
}

static void test_registers(const struct timer *t)
{
    begin();
    t->set_deadline(0x123456789abcdef0);
    report_value(t->deadline(), 0x123456789abcdef0, "%s: the deadline reads back, 64 bits",
                 t->name);
    uint64_t before = t->count();
    t->set_distance(1 << 30);
    uint64_t deadline = t->deadline();
    report(deadline >= before + (1 << 30) && deadline <= t->count() + (1 << 30),
           "%s: a distance sets the deadline", t->name);
    int32_t distance = (int32_t)t->distance();
    report(distance <= (1 << 30) && distance > 0, "%s: the distance shrinks", t->name);
    t->set_distance((uint32_t)-5000);
    report(t->deadline() < t->count() && (int32_t)t->distance() < 0,
           "%s: distances may be negative", t->name);
    t->set_control(ENABLE | IMASK);
    report_value(t->control(), ENABLE | IMASK | ISTATUS, "%s: passed, masked: its status shows",
                 t->name);
    t->set_deadline(UINT64_MAX);
    report_value(t->control(), ENABLE | IMASK, "%s: moved ahead: its status falls", t->name);
    t->set_control(0);
}

static void test_fires(const struct timer *t)
{
    begin();
    irq_on();
    uint64_t deadline = t->count() + microseconds(500);
    t->set_deadline(deadline);
    t->set_control(ENABLE);
    report(record_wait(t->intid, 1), "%s: fires", t->name);
    report(t->count() >= deadline, "%s: not before its deadline", t->name);
    delay(microseconds(200));
    report_value(record.count[t->intid], 1, "%s: once", t->name);
    t->set_deadline(0);
    t->set_control(ENABLE);
    report(record_wait(t->intid, 2), "%s: fires at once when its deadline has passed", t->name);
}

static void test_masked(const struct timer *t)
{
    begin();
    irq_on();
    t->set_deadline(0);
    t->set_control(ENABLE | IMASK);
    delay(microseconds(200));
    report_value(record.length, 0, "%s: masked, nothing comes", t->name);
    t->set_control(ENABLE);
    report(record_wait(t->intid, 1), "%s: unmasked, it comes", t->name);
    t->set_control(0);
    delay(microseconds(200));
    report_value(record.length, 1, "%s: switched off, nothing comes", t->name);
}

// Whoever emulates this may be late.
static bool wait_pending(const struct timer *t)
{
    uint64_t end = now() + machine.ticks_per_second;
    while (!gic_pending(t->intid) && now() < end) {
        yield();
    }
    return gic_pending(t->intid);
}

// Pending at the controller, then no longer. (Reading there is what makes a machine look again whose timer is linked to
// its interrupt without anybody between them.)
static void test_withdrawn(const struct timer *t)
{
    begin();
    t->set_deadline(0);
    t->set_control(ENABLE);
    report(wait_pending(t), "%s: pending while PSTATE.I masks it", t->name);
    t->set_deadline(UINT64_MAX);
    report(!gic_pending(t->intid), "%s: moved ahead: no longer pending", t->name);
    record_let_in();
    report_value(record.length, 0, "%s: moved ahead in time: not delivered", t->name);
    t->set_deadline(0);
    wait_pending(t);
    t->set_control(ENABLE | IMASK);
    report(!gic_pending(t->intid), "%s: masked: no longer pending", t->name);
    record_let_in();
    report_value(record.length, 0, "%s: masked in time: not delivered", t->name);
    t->set_control(ENABLE);
    wait_pending(t);
    t->set_control(0);
    report(!gic_pending(t->intid), "%s: switched off: no longer pending", t->name);
    record_let_in();
    report_value(record.length, 0, "%s: switched off in time: not delivered", t->name);
}

static void test_disabled_meanwhile(const struct timer *t)
{
    begin();
    gic_disable(t->intid);
    irq_on();
    t->set_deadline(t->count() + microseconds(50));
    t->set_control(ENABLE);
    report(wait_pending(t) && record.length == 0, "%s: fires while disabled: stays pending",
           t->name);
    gic_enable(t->intid);
    report(record_wait(t->intid, 1), "%s: and comes when enabled", t->name);
    delay(microseconds(200));
    report_value(record.length, 1, "%s: once", t->name);
}

static void test_moved(const struct timer *t)
{
    begin();
    irq_on();
    unsigned late = 0; // who was kept from moving it in time
    uint64_t last = UINT64_MAX;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t deadline = t->count() + microseconds(200);
        t->set_deadline(deadline);
        t->set_control(ENABLE);
        late += t->count() >= last;
        last = deadline;
        delay(microseconds(20));
    }
    t->set_deadline(UINT64_MAX);
    late += t->count() >= last;
    report(record.length <= late, "%s: a deadline that moves ahead never comes", t->name);
    t->set_deadline(UINT64_MAX);
    unsigned before = record.length;
    t->set_control(ENABLE);
    t->set_deadline(t->count() + microseconds(10));
    report(record_wait(t->intid, before + 1), "%s: moved closer, it comes", t->name);
}

static void test_wfi(const struct timer *t)
{
    begin();
    uint64_t distances[] = {0, 1, 16, 100, 1000, 20000};
    unsigned lost = 0;
    for (unsigned i = 0; i < 200; i++) {
        unsigned taken = record.count[t->intid];
        t->set_deadline(t->count() + distances[i % ARRAY_SIZE(distances)]);
        t->set_control(ENABLE);
        isb();
        while (record.count[t->intid] == taken) {
            wfi();
            irq_on();
            isb();
            irq_off();
        }
        lost += record.count[t->intid] != taken + 1;
    }
    report_value(lost, 0, "%s: 200 times in WFI, woken each time", t->name);
}

// ---- Ticks on all cores ----------------------------------------------------------------------------------------------

static volatile unsigned ready;
static volatile bool go;
static volatile bool stop;

static void tick(bool sleep)
{
    unsigned core = cpu_number();
    begin_core();
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (!go) {
        yield();
    }
    uint64_t begun = now();
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        const struct timer *t = &timers[i];
        periods[core][i] = microseconds(i == 0 ? 1000 : 700);
        t->set_deadline(t->count() + periods[core][i]);
        t->set_control(ENABLE);
    }
    while (!stop) {
        if (sleep) {
            wfi();
        } else {
            delay(microseconds(30));
        }
        irq_on();
        isb();
        irq_off();
        stop |= core == 0 && now() - begun >= microseconds(200000);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        timers[i].set_control(0);
    }
    // Each handler moves its deadline by one period: what was missed is caught up, nothing may be missing.
    uint64_t lasted = now() - begun;
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        uint64_t expected = lasted / periods[core][i];
        uint64_t got = ticks[core][i];
        report(got <= expected && got + 2 >= expected * 9 / 10 &&
                   timers[i].deadline() <= now() + periods[core][i] * 2,
               "%s, core %u: %u ticks of %u", timers[i].name, core, (unsigned)got,
               (unsigned)expected);
    }
}

static void tick_busy(void)
{
    tick(false);
}

static void tick_asleep(void)
{
    tick(true);
}

static void test_ticks(void (*run)(void), const char *what)
{
    say("-- ticks, %s", what);
    record_begin();
    record_hook = serve;
    ready = 0;
    go = false;
    stop = false;
    for (unsigned i = 1; i < machine.cpus; i++) {
        report_value((uint64_t)cpu_on(i, run), PSCI_SUCCESS, "core %u starts", i);
    }
    while (ready != machine.cpus - 1) {
        yield();
    }
    go = true;
    run();
    for (unsigned i = 1; i < machine.cpus; i++) {
        report(cpu_wait_off(i), "core %u has switched itself off", i);
    }
}

static void test_counter(void)
{
    uint64_t last = now();
    unsigned backwards = 0;
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t next = now();
        backwards += next < last;
        last = next;
    }
    report_value(backwards, 0, "the counter never goes back");
    report(machine.ticks_per_second >= 1000000, "it has a frequency: %lu",
           (unsigned long)machine.ticks_per_second);
}

void guest_main(void)
{
    timers[0].intid = machine.timer_virtual;
    timers[1].intid = machine.timer_physical;
    gic_init();
    test_counter();
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        const struct timer *t = &timers[i];
        test_registers(t);
        test_fires(t);
        test_masked(t);
        test_withdrawn(t);
        test_disabled_meanwhile(t);
        test_moved(t);
        test_wfi(t);
    }
    test_ticks(tick_busy, "busy");
    test_ticks(tick_asleep, "in WFI");
}

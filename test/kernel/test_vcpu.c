// Virtual cores: entering and leaving a guest, its exits, interrupts and timer, what it and its VMM cannot see of each
// other. The guest's code is test/harness/guest.S.
#include "../harness/report.h"
#include "../harness/vm.h"

#include <lib/syscall.h>
#include <lib/vcpu.h>
#include <spec/pl011.h>

#define LINKED     32u // the source of an interrupt of hardware, and
#define LINKED_SPI 50u // what the guest knows it as

// ---- Cases --------------------------------------------------------------------------------------------------

static void test_hypercalls(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 0, 0);
    guest_begin(&g, DO_HVC);
    m->stop_at = 1000;
    child_start(&c);
    report(child_done(&c, SURELY_MS), "the guest's hypercalls reach its VMM");
    report(m->exits == 1000 && g.page->regs.x[0] == 999, "1000 of them (%lu, %lu)", m->exits,
           g.page->regs.x[0]);
    report(m->result == VCPU_TRAP && g.page->syndrome >> 26 == 0x16, "as HVC (%lx)",
           g.page->syndrome);
    say("      %lu ns each", m->ticks * 16 / 1000);
}

static void test_mmio(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 0, 0);
    guest_begin(&g, DO_MMIO);
    m->stop_at = 1;
    child_start(&c);
    report(child_done(&c, SURELY_MS), "an access to what is not mapped reaches the VMM");
    report(g.page->ipa == 0x9000018 && g.page->address == 0x9000018, "with its address (%lx)",
           g.page->ipa);
    report((g.page->syndrome >> 24 & 1) != 0 && (g.page->syndrome & 0x40) == 0,
           "and a valid syndrome: a read");
}

static void test_no_way(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 0, 0);
    guest_begin(&g, DO_HVC);
    g.page->regs.pstate = 0x3c9; // EL2h
    child_start(&c);
    report(child_done(&c, SURELY_MS) && (int64_t)m->result == ERR_INVALID,
           "EL2 is no guest's pstate");
    child_stop(&c);
    MUST(sys_vcpu_bind(g.vcpu, VCPU_PAGE, 0));
    child_aim(&c, vmm_run, m);
    child_start(&c);
    report(child_done(&c, SURELY_MS) && (int64_t)m->result == ERR_BUSY, "no page, no guest");
}

static void test_deadline_and_signal(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 1, 0);
    volatile uint64_t *count = (volatile uint64_t *)(g.ram + GUEST_DATA);
    guest_begin(&g, DO_COUNT);
    m->deadline = now() + ticks_of_ms(20);
    child_start(&c);
    report(child_done(&c, SURELY_MS) && m->result == VCPU_DEADLINE,
           "a guest runs until its deadline");
    report(now() >= m->deadline, "not shorter");
    child_stop(&c);
    m->deadline = DEADLINE_NEVER;
    child_aim(&c, vmm_run, m);
    uint64_t before = *count;
    child_start(&c);
    report(word_reaches(count, before + 1000), "it runs again");
    MUST(sys_signal(copy_of(c.notification, RIGHT_ALL, 4)));
    report(child_done(&c, SURELY_MS) && m->result == VCPU_NOTIFIED && (m->bits & 4) != 0,
           "a signal ends its run, with the bits (%lu, %lx)", m->result, m->bits);
    child_stop(&c);
    child_aim(&c, vmm_run, m);
    before = *count;
    child_start(&c);
    (void)word_reaches(count, before + 1000);
    child_stop(&c);
    before = *count;
    pause_ms(HARDLY_MS);
    report(*count == before, "stopped, it counts no further");
    child_start(&c);
    report(child_done(&c, SURELY_MS) && m->result == VCPU_STOPPED,
           "started again, the run has ended");
}

static void enable_source(const struct guest *g, unsigned source, unsigned intid)
{
    atomic_store(&g->page->source[source],
                 VCPU_SOURCE(intid, 0xa0, boot_info()->gic_version == 2 ? 0 : VCPU_SOURCE_GROUP1));
    atomic_fetch_or(&g->page->enabled, BIT(source));
}

static void timer(enum guest_choice choice, const char *what, uint64_t core)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, core, 0);
    guest_begin(&g, choice);
    guest_enable(&g, 27);
    g.page->regs.x[20] = ticks_of_us(200);
    g.page->regs.x[21] = 100;
    child_start(&c);
    bool done = child_done(&c, SURELY_MS);
    report(done && m->result == VCPU_TRAP && g.page->regs.x[19] >= 100,
           "%s: the timer ticks (%lu, %lx)", what, g.page->regs.x[19], g.page->syndrome);
    say("      late by %lu ticks, %lu at most; the kernel had %lu exits", g.page->regs.x[23] / 100,
        g.page->regs.x[24], g.page->kernel_exits);
}

static void test_timer(void)
{
    timer(DO_TIMER_BUSY, "busy", 1);
    timer(DO_TIMER_WFI, "in WFI, its core otherwise idle", 1);
    timer(DO_TIMER_WFI, "in WFI, on the tests' core", 0);
}

// As a VMM posts: who finds `attention` set leaves the kick to whoever has set it.
static void post(const struct guest *g, unsigned intid)
{
    atomic_fetch_or(&g->page->pending, BIT(intid));
    if ((atomic_fetch_or(&g->page->attention, VCPU_ATTENTION_NEW) & VCPU_ATTENTION_NEW) == 0) {
        MUST(sys_vcpu_kick(g->vcpu));
    }
}

static void posts(bool sync, const char *what)
{
    struct guest g = guest_new();
    struct guest other = guest_new();
    struct vmm *m;
    struct vmm *m_other;
    struct child c = vmm_new(&g, &m, 1, CHILD_PRIORITY);
    // Takes the core whenever the guest sleeps.
    struct child busy = vmm_new(&other, &m_other, 1, CHILD_PRIORITY - 1);
    guest_begin(&g, DO_SGI_WAIT);
    guest_begin(&other, DO_COUNT);
    guest_enable(&g, 5);
    g.page->regs.x[21] = UINT64_MAX;
    child_start(&c);
    child_start(&busy);
    unsigned taken = 0;
    for (bool lost = false; taken < 20 && !lost; taken += !lost) {
        post(&g, 5);
        uint64_t end = now() + ticks_of_ms(SURELY_MS);
        while ((atomic_load(&g.page->pending) & BIT(5)) != 0 && !lost) {
            sleep_us(1000);
            lost = now() >= end;
        }
        sleep_us(2000); // it sleeps again, the other one runs
        if (sync) {
            MUST(sys_vcpu_sync(g.vcpu));
        }
    }
    child_stop(&c);
    child_stop(&busy);
    report(taken == 20, "posts from another core reach a guest that sleeps, %s (%u)", what, taken);
}

static void test_posts(void)
{
    posts(false, "another one on its core");
    posts(true, "synchronised or not");
}

// Shared with its child.
struct kicker {
    uint64_t deadline;
    volatile int64_t result;
};

static void run_with_kick(void *argument)
{
    struct kicker *k = argument;
    uint64_t bits;
    k->result = vcpu_run(k->deadline, CHILD_OWN, &bits);
}

static void test_kick_on_the_way(void)
{
    struct guest sender = guest_new();
    struct guest target = guest_new();
    struct vmm *m;
    struct child urgent = vmm_new(&target, &m, 1, CHILD_PRIORITY + 1);
    guest_begin(&target, DO_SGI_WAIT);
    guest_enable(&target, 5);
    target.page->regs.x[21] = 1;
    child_start(&urgent);

    handle_t frames;
    struct kicker *k = map_new(sizeof(*k), &frames);
    k->deadline = DEADLINE_NEVER;
    struct child c = vmm_child(
        &sender, run_with_kick, k, frames,
        &(struct child_options){.core = 1 % boot_info()->cores, .priority = CHILD_PRIORITY});
    guest_begin(&sender, DO_COUNT);
    child_start(&c);
    report(child_done(&c, SURELY_MS) && k->result == ERR_NO_CAP,
           "a run that would kick nobody that exists says so (%ld)", (long)k->result);
    child_stop(&c);

    child_give(&c, target.vcpu, CHILD_OWN, RIGHT_WRITE, 0);
    atomic_fetch_or(&target.page->pending, BIT(5));
    atomic_fetch_or(&target.page->attention, VCPU_ATTENTION_NEW);
    child_aim(&c, run_with_kick, k);
    child_start(&c);
    report(child_done(&urgent, SURELY_MS) && target.page->regs.x[19] == 1,
           "whom a run kicks on its own core goes first if it is more urgent (%lu)",
           target.page->regs.x[19]);
    child_stop(&c);
}

static void test_fp(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 0, 0);
    guest_begin(&g, DO_FP);
    g.page->regs.x[20] = 0x1234567890abcdef;
    child_start(&c);
    report(child_done(&c, SURELY_MS) && g.page->regs.x[0] == 0x1234567890abcdef,
           "FP registers survive an exit (%lx)", g.page->regs.x[0]);
}

static void test_two_on_a_core(void)
{
    struct guest a = guest_new();
    struct guest b = guest_new();
    struct vmm *ma;
    struct vmm *mb;
    struct child ca = vmm_new(&a, &ma, 1, 0);
    struct child cb = vmm_new(&b, &mb, 1, 0);
    struct guest *both[] = {&a, &b};
    for (unsigned i = 0; i < 2; i++) {
        guest_begin(both[i], i == 0 ? DO_TIMER_WFI : DO_TIMER_BUSY);
        guest_enable(both[i], 27);
        both[i]->page->regs.x[20] = ticks_of_us(500 + 100 * i);
        both[i]->page->regs.x[21] = 200;
    }
    child_start(&ca);
    child_start(&cb);
    report(child_done(&ca, SURELY_MS) && a.page->regs.x[19] >= 200,
           "one of two guests on a core gets its ticks (%lu)", a.page->regs.x[19]);
    report(child_done(&cb, SURELY_MS) && b.page->regs.x[19] >= 200, "and so does the other (%lu)",
           b.page->regs.x[19]);
}

// A guest sleeps although its timer has fired, since nobody listens to it. It must not be woken whenever the other one,
// which is busy and less urgent, takes the core.
static void test_sleeping_with_a_timer_that_is_disabled(void)
{
    struct guest a = guest_new();
    struct guest b = guest_new();
    struct vmm *ma;
    struct vmm *mb;
    struct child ca = vmm_new(&a, &ma, 1, CHILD_PRIORITY);
    struct child cb = vmm_new(&b, &mb, 1, CHILD_PRIORITY - 1);
    volatile uint64_t *count = (volatile uint64_t *)(b.ram + GUEST_DATA);
    guest_begin(&a, DO_TIMER_WFI);
    a.page->regs.x[20] = 0; // at once
    a.page->regs.x[21] = 1;
    guest_begin(&b, DO_COUNT);
    child_start(&ca);
    child_start(&cb);
    bool counts = word_reaches(count, 100000);
    child_stop(&ca);
    child_stop(&cb);
    report(counts, "a guest that sleeps leaves the core to a less urgent one (%lu)", *count);
    report(a.page->kernel_exits < 100, "and is not woken for nothing (%lu)", a.page->kernel_exits);
}

static void test_registers(void)
{
    struct guest a = guest_new();
    struct guest b = guest_new();
    struct vmm *ma;
    struct vmm *mb;
    struct child ca = vmm_new(&a, &ma, 0, 0);
    struct child cb = vmm_new(&b, &mb, 0, 0);
    guest_begin(&a, DO_SYSREGS);
    guest_begin(&b, DO_SYSREGS);
    a.page->regs.x[20] = 0x11110;
    b.page->regs.x[20] = 0x22220;
    ma->stop_at = 1;
    mb->stop_at = 1;
    child_start(&ca);
    bool first = child_done(&ca, SURELY_MS);
    child_start(&cb);
    bool second = child_done(&cb, SURELY_MS);
    child_stop(&ca);
    child_set_time(&ca, CHILD_PRIORITY, boot_info()->cores - 1);
    child_aim(&ca, vmm_run, ma);
    ma->stop_at = UINT64_MAX;
    child_start(&ca);
    report(first && second && child_done(&ca, SURELY_MS) && a.page->regs.x[22] == 0,
           "a guest's registers survive another guest and another core (%lx)", a.page->regs.x[22]);
    uint64_t value[6];
    MUST(sys_vcpu_read(b.vcpu, VCPU_REG_TPIDR_EL1, 1, value));
    report(value[0] == 0x22220, "the VMM reads them (%lx)", value[0]);
}

// ---- An interrupt of hardware: the UART's, a level that stays high while it may transmit -------------------------

static void allow_transmit(bool allowed)
{
    static volatile uint32_t *uart;
    if (uart == NULL) {
        handle_t frames = handle_new();
        uint64_t at = address_new(PAGE_SIZE);
        MUST(sys_device_frames(BOOT_DEVICE_MEMORY, memory(), boot_info()->console_base, 1,
                               BOOT_CSPACE, frames));
        MUST(sys_map(copy_all(frames), BOOT_SPACE, at, MAP_READ | MAP_WRITE));
        uart = (volatile uint32_t *)at;
    }
    uart[PL011_IMSC / 4] = allowed ? PL011_INT_TX : 0;
}

static handle_t link_uart(const struct guest *g)
{
    handle_t irq = handle_new();
    MUST(sys_irq_create(BOOT_IRQ_CONTROL, memory(), boot_info()->console_irq, IRQ_LEVEL,
                        BOOT_CSPACE, irq));
    MUST(sys_irq_link(irq, g->vcpu, LINKED));
    MUST(sys_irq_ack(irq));
    return irq;
}

// The guest takes one interrupt after the other, its timer's never among them, and is stopped.
static bool takes_interrupts(struct child *c, struct vmm *m, const struct guest *g)
{
    guest_begin(g, DO_TIMER_WFI);
    g->page->regs.x[20] = ticks_of_ms(100000);
    g->page->regs.x[21] = UINT64_MAX;
    child_aim(c, vmm_run, m);
    child_start(c);
    bool took = word_reaches((volatile uint64_t *)&g->page->regs.x[19], 100);
    child_stop(c);
    return took;
}

// As a VMM that starts anew. The guest may have been stopped in its handler.
static void begin_anew(const struct guest *g, uint64_t active)
{
    MUST(sys_vcpu_reset(g->vcpu));
    atomic_store(&g->page->active, active);
    atomic_fetch_or(&g->page->attention, VCPU_ATTENTION_FOLD);
}

static void test_linked(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 1, 0);
    enable_source(&g, LINKED, LINKED_SPI);
    handle_t irq = link_uart(&g);
    allow_transmit(true);
    report(takes_interrupts(&c, m, &g), "an interrupt of hardware comes as often as it asserts");
    begin_anew(&g, 0);
    report(takes_interrupts(&c, m, &g), "and goes on to come after a reset");
    child_set_time(&c, CHILD_PRIORITY, 0);
    begin_anew(&g, 0);
    report(takes_interrupts(&c, m, &g), "and on another core");

    begin_anew(&g, BIT(LINKED)); // as if the guest were in its handler
    guest_begin(&g, DO_COUNT);
    child_aim(&c, vmm_run, m);
    child_start(&c);
    (void)word_reaches((volatile uint64_t *)(g.ram + GUEST_DATA), 1000);
    child_stop(&c);
    begin_anew(&g, 0);
    report(takes_interrupts(&c, m, &g), "and again when a new VMM has ended it");
    allow_transmit(false);
    MUST(sys_delete(BOOT_CSPACE, irq));
}

static void test_taking_away(void)
{
    struct guest g = guest_new();
    struct vmm *m;
    struct child c = vmm_new(&g, &m, 1, 0);
    volatile uint64_t *count = (volatile uint64_t *)(g.ram + GUEST_DATA);
    guest_begin(&g, DO_COUNT);
    child_start(&c);
    bool ran = word_reaches(count, 1000);
    MUST(sys_delete(BOOT_CSPACE, g.vcpu));
    MUST(sys_revoke(BOOT_CSPACE, g.space));
    uint64_t before = *count;
    pause_ms(HARDLY_MS);
    report(ran && (*count == before || child_state(&c) == THREAD_STOPPED),
           "without its space a guest stands still");
}

static const struct test_case cases[] = {
    {"hypercalls", test_hypercalls},
    {"mmio", test_mmio},
    {"no way", test_no_way},
    {"deadline and signal", test_deadline_and_signal},
    {"timer", test_timer},
    {"posts", test_posts},
    {"kick on the way", test_kick_on_the_way},
    {"fp", test_fp},
    {"registers", test_registers},
    {"two on a core", test_two_on_a_core},
    {"sleeping", test_sleeping_with_a_timer_that_is_disabled},
    {"linked", test_linked},
    {"taking away", test_taking_away},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

// What ends a guest's run, or wakes it, is never lost, whatever the moment: deadlines, signals, posted interrupts and the
// virtual timer, their moments swept over a thousand instructions around vcpu_run and around the guest's WFI. For a
// machine whose clock counts executed instructions (QEMU's -icount). Whatever is swept must have happened before a second
// event that ends the run later.
#include "../harness/options.h"
#include "../harness/report.h"
#include "../harness/vm.h"

#include <lib/syscall.h>
#include <lib/vcpu.h>

#define RW       (MAP_READ | MAP_WRITE)
#define SPAN     1000u // instructions, swept
#define LEAD     200u  // ticks before the moment at which the VMM wakes up
#define LATER    500u  // ticks after it of the second event
#define SLACK    200u  // ticks that it may take to hear of it
#define PERIOD   600u  // ticks from one moment to the next
#define POSTED   5u    // the interrupt
#define SIGNAL   BIT(3)
#define ARMED    BIT(4) // the other thread knows of the moment
#define PRIORITY 100u   // the VMM's. Who acts on it is above, who wants its core below

enum event {
    DEADLINE,
    SIGNAL_SAME, // by a thread of the same core
    SIGNAL_OTHER,
    POST_OTHER,
    TIMER,
};

enum place {
    AROUND_RUN,
    AROUND_WFI,         // which is not trapped
    AROUND_TRAPPED_WFI, // since another thread wants the core
};

struct sweep {
    struct vcpu_page *page;
    enum event event;
    enum place place;
    uint64_t choice_of_gicc; // x25 of the guest
    uint64_t per_tick;       // instructions
    uint64_t moments;
    uint64_t step;

    volatile uint64_t when;   // the present moment, in ticks
    volatile uint64_t wanted; // moments that were chosen
    volatile uint64_t acted;  // moments at which the other thread did its part
    volatile uint64_t acted_at;
    volatile uint64_t done; // moments
    volatile uint64_t late; // moments that had passed before they were waited for: nothing is shown
    volatile uint64_t lost;
    volatile uint64_t first_lost; // instructions from the beginning of the span
};

// Executes exactly that many instructions, a few more or less.
static void spend(uint64_t instructions)
{
    __asm__ volatile("tbz %0, #0, 1f\n\tnop\n1:\tsubs %0, %0, #2\n\tb.gt 1b"
                     : "+r"(instructions)
                     :
                     : "cc");
}

enum vmm_handle { ACTOR = CHILD_OWN };

// ---- The VMM ------------------------------------------------------------------------------------------------

// Lets the guest set itself up.
static void prepare(const struct sweep *s, uint64_t at, uint64_t when)
{
    uint64_t bits;
    s->page->regs = (struct vcpu_regs){.pc = GUEST_RAM, .pstate = 0x3c5};
    uint64_t *x = s->page->regs.x;
    x[0] = DO_SWEEP;
    x[21] = s->place == AROUND_RUN;
    x[22] = at;
    x[23] = s->per_tick;
    x[25] = s->choice_of_gicc;
    x[27] = s->event == TIMER ? when : 0;
    x[28] = s->place == AROUND_RUN ? 0 : when;
    do {
        (void)vcpu_run(DEADLINE_NEVER, 0, &bits);
    } while (!guest_called(s->page, GUEST_READY));
}

// Has the run ended as the event wants it?
static bool as_it_should(const struct sweep *s, int64_t result, uint64_t bits)
{
    switch (s->event) {
    case DEADLINE:
        return result == VCPU_DEADLINE;
    case SIGNAL_SAME:
    case SIGNAL_OTHER:
        return result == VCPU_NOTIFIED && bits == SIGNAL;
    default:
        return result == VCPU_TRAP && guest_called(s->page, GUEST_DONE);
    }
}

// Had it happened by then? The emulator may let the other core run late.
static bool had_happened(const struct sweep *s, uint64_t i, uint64_t when, uint64_t by)
{
    if (s->event == DEADLINE || s->event == TIMER) {
        return when < by;
    }
    return s->acted > i && s->acted_at < by;
}

static void run_sweep(void *argument)
{
    struct sweep *s = argument;
    for (uint64_t i = 0; i < s->moments; i++) {
        uint64_t bits = 0;
        uint64_t when = sys_clock() + LEAD;
        uint64_t at = i * s->step;
        s->when = when;
        s->wanted = i + 1;
        ignore(sys_signal(ACTOR));
        while ((child_await_bits() & ARMED) == 0) {
        }
        prepare(s, at - SPAN / 2, when);
        uint64_t left = when - sys_clock();
        if (left > LEAD) {
            s->late++;
        } else if (s->place == AROUND_RUN) {
            spend(left * s->per_tick - (at - SPAN / 2));
        }
        // Having a deadline makes the kernel look more closely: every second time there is none.
        uint64_t deadline = s->event == DEADLINE ? when
                            : i % 2 != 0         ? DEADLINE_NEVER
                                                 : when + LATER;
        uint64_t now;
        int64_t result;
        do {
            result = vcpu_run(deadline, 0, &bits);
            now = sys_clock();
            deadline = now + LATER;
        } while (result == VCPU_DEADLINE && s->event != DEADLINE &&
                 !had_happened(s, i, when, now - SLACK));
        if (!as_it_should(s, result, bits) || now < when || had_happened(s, i, when, now - SLACK)) {
            s->first_lost = s->lost == 0 ? at : s->first_lost;
            s->lost++;
        }
        s->done = i + 1;
    }
}

// ---- Who acts on it -----------------------------------------------------------------------------------------

enum actor_handle { VMM_NOTIFICATION = CHILD_OWN, VMM_ARMED, VMM_VCPU };

// Sleeps, unless another moment has been chosen meanwhile.
static void sleep_until(const struct sweep *s, uint64_t i, uint64_t deadline)
{
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t bits;
    while (sys_clock() < deadline && s->wanted <= i + 1) {
        ignore(sys_receive(0, deadline, &info, words, &bits));
    }
}

static void post(struct vcpu_page *page)
{
    atomic_fetch_or(&page->pending, BIT(POSTED));
    atomic_fetch_or(&page->attention, VCPU_ATTENTION_NEW);
    ignore(sys_vcpu_kick(VMM_VCPU));
}

static void act(void *argument)
{
    struct sweep *s = argument;
    for (uint64_t i = 0; i < s->moments; i++) {
        while (s->wanted <= i) {
            (void)child_await_bits();
        }
        ignore(sys_signal(VMM_ARMED));
        // A deadline's second event is a signal; the others have a deadline for it.
        sleep_until(s, i, s->when + (s->event == DEADLINE ? LATER : 0));
        if (s->event == POST_OTHER) {
            post(s->page);
        } else if (s->event != TIMER && s->done <= i) {
            ignore(sys_signal(VMM_NOTIFICATION));
        }
        s->acted_at = sys_clock();
        s->acted = i + 1;
    }
    child_wait_for_ever(); // its end would keep the first process busy before the VMM's
}

static void want_the_core(void *argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("yield");
    }
}

// ---- Cases --------------------------------------------------------------------------------------------------

static const char *const event_names[] = {
    [DEADLINE] = "vcpu_run's deadline",
    [SIGNAL_SAME] = "a signal by a thread of the same core",
    [SIGNAL_OTHER] = "a signal from another core",
    [POST_OTHER] = "an interrupt posted from another core",
    [TIMER] = "the virtual timer",
};
static const char *const place_names[] = {
    [AROUND_RUN] = "vcpu_run",
    [AROUND_WFI] = "WFI",
    [AROUND_TRAPPED_WFI] = "a WFI that is trapped",
};

static void sweep(enum event event, enum place place)
{
    struct guest g = guest_new();
    handle_t frames;
    struct sweep *s = map_new(sizeof(struct sweep), &frames);
    uint64_t step = option_number("step", 1);
    *s = (struct sweep){.page = g.page,
                        .event = event,
                        .place = place,
                        .choice_of_gicc = boot_info()->gic_version == 2 ? GUEST_GICC : 0,
                        .per_tick = 1000 / ticks_of_us(1),
                        .moments = SPAN / step + 1,
                        .step = step};
    // The emulator runs the first core first when something happens.
    uint64_t core = boot_info()->cores - 1;
    struct child vmm = vmm_child(&g, run_sweep, s, frames,
                                 &(struct child_options){.priority = PRIORITY, .core = core});
    struct child rival = child_new(want_the_core, NULL,
                                   &(struct child_options){.priority = PRIORITY - 1, .core = core});
    struct child actor = child_new(
        act, s,
        &(struct child_options){.priority = PRIORITY + 1, .core = event == SIGNAL_SAME ? core : 0});
    child_map(&actor, frames, s, RW);
    child_map(&actor, g.page_frames, g.page, RW);
    child_give(&actor, vmm.notification, VMM_NOTIFICATION, RIGHT_WRITE, SIGNAL);
    child_give(&actor, vmm.notification, VMM_ARMED, RIGHT_WRITE, ARMED);
    child_give(&vmm, actor.notification, ACTOR, RIGHT_WRITE, 1);
    child_give(&actor, g.vcpu, VMM_VCPU, RIGHT_ALL, 0);
    guest_enable(&g, POSTED);
    guest_enable(&g, 27);
    if (place == AROUND_TRAPPED_WFI) {
        child_start(&rival);
    }
    child_start(&actor);
    child_start(&vmm);
    bool done = child_done(&vmm, SURELY_MS);
    report(done && s->late * 100 <= s->moments, "%lu of %lu moments were waited for",
           s->moments - s->late, s->moments);
    report(done && s->done == s->moments && s->lost == 0,
           "%s, swept around %s: none of %lu lost (%lu, the first at %lu; %lu exits of the kernel)",
           event_names[event], place_names[place], s->done, s->lost, s->first_lost,
           g.page->kernel_exits);
    child_stop(&rival);
}

#define CASES(EVENT)                                                                               \
    static void test_##EVENT(void)                                                                 \
    {                                                                                              \
        for (enum place place = AROUND_RUN; place <= AROUND_TRAPPED_WFI; place++) {                \
            sweep(EVENT, place);                                                                   \
        }                                                                                          \
    }
CASES(DEADLINE)
CASES(SIGNAL_SAME)
CASES(SIGNAL_OTHER)
CASES(POST_OTHER)
CASES(TIMER)

static const struct test_case cases[] = {
    {"deadline", test_DEADLINE},
    {"signal, same core", test_SIGNAL_SAME},
    {"signal, other core", test_SIGNAL_OTHER},
    {"post", test_POST_OTHER},
    {"timer", test_TIMER},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

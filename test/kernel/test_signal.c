// Notifications in a running kernel: bits are merged, never lost, and wake whoever waits, on any core. Interrupts that
// signal them: test_interrupt.c.
#include "../harness/child.h"
#include "../harness/report.h"

#include <stdatomic.h>

#include <lib/syscall.h>

#define RW (MAP_READ | MAP_WRITE)

static uint64_t last_core(void)
{
    return boot_info()->cores - 1;
}

// Takes what is there, without waiting. 0: nothing.
static uint64_t poll_own(void)
{
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t bits = 0;
    err_t err = sys_receive(RECEIVE_POLL, DEADLINE_NEVER, &info, words, &bits);
    return err == OK && info == INFO_NOTIFICATION ? bits : 0;
}

static void test_bits_are_merged(void)
{
    handle_t a = copy_of(BOOT_NOTIFICATION, RIGHT_WRITE, 0x1);
    handle_t b = copy_of(BOOT_NOTIFICATION, RIGHT_WRITE, 0x8000000000000100);
    handle_t none = copy_of(BOOT_NOTIFICATION, RIGHT_WRITE, 0);
    handle_t weak = copy_of(BOOT_NOTIFICATION, RIGHT_READ, 0x2);
    report(poll_own() == 0, "nothing is signalled");
    report_err(sys_signal(a), OK, "a signal");
    MUST(sys_signal(b));
    MUST(sys_signal(a));
    report(poll_own() == 0x8000000000000101, "three signals, two badges: their bits are merged");
    report(poll_own() == 0, "and taken once");
    report_err(sys_signal(none), OK, "a capability without a badge signals");
    report(poll_own() == 0, "no bits");
    report_err(sys_signal(weak), ERR_RIGHTS, "signalling needs the right to write");
    report_err(sys_signal(BOOT_ENDPOINT), ERR_TYPE, "an endpoint is not signalled");
    report_err(sys_signal(0), ERR_NO_CAP, "handle 0 is not signalled");
    report_err(sys_signal(~0ull), ERR_NO_CAP, "nor is handle -1");
    report(poll_own() == 0, "nothing came of that");
}

static void test_unbound(void)
{
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t signal = copy_of(n, RIGHT_WRITE, 0x40);
    report_err(sys_signal(signal), OK, "a notification that nobody waits on is signalled");
    MUST(sys_delete(BOOT_CSPACE, n));
    report_err(sys_signal(signal), OK, "it lives as long as somebody holds it");
}

// ---- Counting -----------------------------------------------------------------------------------------------

#define SENDERS 4u
#define ROUNDS  3000u

// Each sender has a bit and a pair of counters; a sender goes on only when its last signal has been seen.
struct exchange {
    _Atomic uint64_t sent[SENDERS];
    _Atomic uint64_t seen[SENDERS];
    _Atomic uint64_t spurious; // woken by a bit that had nothing behind it
};

struct sender {
    struct exchange *x;
    uint64_t number;
    uint64_t rounds;
};

static void receive_counts(void *argument)
{
    struct exchange *x = argument;
    for (;;) {
        uint64_t bits = child_await_bits();
        for (unsigned i = 0; i < SENDERS; i++) {
            if ((bits & BIT(i)) != 0) {
                uint64_t sent = atomic_load(&x->sent[i]);
                x->spurious += sent == atomic_load(&x->seen[i]);
                atomic_store(&x->seen[i], sent);
            }
        }
    }
}

static void send_counts(void *argument)
{
    const struct sender *s = argument;
    for (uint64_t i = 1; i <= s->rounds; i++) {
        atomic_store(&s->x->sent[s->number], i);
        ignore(sys_signal(CHILD_OWN));
        while (atomic_load(&s->x->seen[s->number]) != i) {
            ignore(sys_yield());
        }
    }
}

// With senders on the receiver's core, its priority decides whether it runs at each signal or when they yield.
static void exchange(const char *name, uint64_t receivers_core, uint64_t receivers_priority,
                     bool spread)
{
    handle_t frames;
    struct exchange *x = map_new(PAGE_SIZE, &frames);
    struct sender *senders = (struct sender *)(x + 1);
    struct child receiver =
        child_new(receive_counts, x,
                  &(struct child_options){.core = receivers_core, .priority = receivers_priority});
    child_map(&receiver, frames, x, RW);
    child_start(&receiver);
    struct child c[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.x = x, .number = i, .rounds = ROUNDS};
        c[i] = child_new(send_counts, &senders[i],
                         &(struct child_options){.core = spread ? i % boot_info()->cores : 0});
        child_map(&c[i], frames, x, RW);
        child_give(&c[i], receiver.notification, CHILD_OWN, RIGHT_WRITE, BIT(i));
    }
    for (unsigned i = 0; i < SENDERS; i++) {
        child_start(&c[i]);
    }
    uint64_t done = 0;
    for (unsigned i = 0; i < SENDERS; i++) {
        done += child_done(&c[i], SURELY_MS * 3) ? ROUNDS : atomic_load(&x->seen[i]);
    }
    report(done == SENDERS * ROUNDS, "%s: %lu of %u signals are seen", name, done,
           SENDERS * ROUNDS);
    report(x->spurious == 0, "%s: none without a reason", name);
}

static void test_never_lost_on_one_core(void)
{
    exchange("one core, receiver above", 0, CHILD_PRIORITY + 1, false);
    exchange("one core, receiver equal", 0, CHILD_PRIORITY, false);
}

static void test_never_lost_across_cores(void)
{
    exchange("all cores, receiver above", last_core(), CHILD_PRIORITY + 1, true);
}

// ---- Ping-pong ----------------------------------------------------------------------------------------------

struct pair {
    _Atomic uint64_t turns[2];
    _Atomic uint64_t late; // a turn that was not the partner's
};

struct player {
    struct pair *pair;
    uint64_t number;
    uint64_t turns;
};

static void play(void *argument)
{
    const struct player *p = argument;
    for (uint64_t i = 0; i < p->turns; i++) {
        if (p->number == 1 || i > 0) {
            (void)child_await_bits();
        }
        p->pair->late += atomic_load(&p->pair->turns[1 - p->number]) != i + p->number;
        atomic_store(&p->pair->turns[p->number], i + 1);
        ignore(sys_signal(CHILD_OWN));
    }
}

static void test_ping_pong(void)
{
    const uint64_t turns = 3000;
    for (uint64_t core = 0; core <= last_core(); core += last_core() == 0 ? 1 : last_core()) {
        handle_t frames;
        struct pair *pair = map_new(PAGE_SIZE, &frames);
        struct player *players = (struct player *)(pair + 1);
        struct child c[2];
        for (unsigned i = 0; i < 2; i++) {
            players[i] = (struct player){.pair = pair, .number = i, .turns = turns};
            c[i] = child_new(play, &players[i], &(struct child_options){.core = i == 0 ? 0 : core});
            child_map(&c[i], frames, pair, RW);
        }
        child_give(&c[0], c[1].notification, CHILD_OWN, RIGHT_WRITE, 1);
        child_give(&c[1], c[0].notification, CHILD_OWN, RIGHT_WRITE, 1);
        child_start(&c[0]);
        child_start(&c[1]);
        bool done = child_done(&c[0], SURELY_MS) && child_done(&c[1], SURELY_MS);
        report(done && pair->late == 0,
               "two threads, on cores 0 and %lu, signal each other %lu times in turn", core, turns);
    }
}

// ---- Crossing with a deadline, with stops, with moves -----------------------------------------------------------

struct crossing {
    uint64_t length;       // of a wait, in ticks
    volatile uint64_t got; // signals seen
    volatile uint64_t timeouts;
};

static void wait_shortly(void *argument)
{
    struct crossing *x = argument;
    for (;;) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        uint64_t bits = 0;
        err_t err = sys_receive(0, now() + x->length, &info, words, &bits);
        x->timeouts += err == ERR_TIMEOUT;
        x->got += err == OK && bits != 0;
    }
}

// Signals that meet a deadline, a stop or a move are still there afterwards.
static void test_crossing(void)
{
    handle_t frames;
    struct crossing *x = map_new(PAGE_SIZE, &frames);
    x->length = ticks_of_us(30);
    struct child c = child_new(wait_shortly, x, &(struct child_options){.core = last_core()});
    child_map(&c, frames, x, RW);
    handle_t n = copy_of(c.notification, RIGHT_WRITE, 1);
    child_start(&c);
    bool all = true;
    for (uint64_t i = 1; all && i <= 600; i++) {
        MUST(sys_signal(n));
        if (i % 3 == 0) {
            child_stop(&c);
            child_start(&c);
        } else if (i % 3 == 1) {
            child_set_time(&c, CHILD_PRIORITY, i % boot_info()->cores);
        }
        all = word_reaches(&x->got, i);
    }
    report(all && x->got == 600,
           "600 signals that meet deadlines, stops and moves are each seen once (%lu)", x->got);
    report(word_reaches(&x->timeouts, 10), "deadlines passed meanwhile");
}

static const struct test_case cases[] = {
    {"bits are merged", test_bits_are_merged},
    {"unbound", test_unbound},
    {"never lost on one core", test_never_lost_on_one_core},
    {"never lost across cores", test_never_lost_across_cores},
    {"ping-pong", test_ping_pong},
    {"crossing", test_crossing},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

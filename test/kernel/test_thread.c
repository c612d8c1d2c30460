// Threads in a running kernel: who runs when, control by whoever holds the capability, and what threads do not see of
// each other: FP registers and thread registers. How much time they get: test_time.c.
#include "../harness/asm.h"
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>
#include <spec/esr.h>

#define RW (MAP_READ | MAP_WRITE)

static uint64_t last_core(void)
{
    return boot_info()->cores - 1;
}

// ---- Counting threads ---------------------------------------------------------------------------------------

static void count_for_ever(void *argument)
{
    volatile uint64_t *counter = argument;
    for (;;) {
        ++*counter;
    }
}

// Threads that each count in their own word of one page.
struct counters {
    volatile uint64_t *word;
    handle_t frames;
};

static struct counters counters_new(void)
{
    struct counters c;
    c.word = map_new(PAGE_SIZE, &c.frames);
    return c;
}

static struct child counter(const struct counters *s, unsigned which, const struct child_options *o)
{
    struct child c = child_new(count_for_ever, (void *)&s->word[which * 8], o);
    child_map(&c, s->frames, (const void *)s->word, RW);
    return c;
}

static uint64_t count(const struct counters *s, unsigned which)
{
    return s->word[which * 8];
}

// Does it count on within the time that things surely take?
static bool counts_on(const struct counters *s, unsigned which)
{
    return word_reaches(&s->word[which * 8], count(s, which) + 1000);
}

// Does it stand still?
static bool stands(const struct counters *s, unsigned which)
{
    uint64_t before = count(s, which);
    pause_ms(HARDLY_MS);
    return count(s, which) == before;
}

// Does it come to a stand within the time that things surely take? When the machine did not get to run, a pause may be over
// before its budget is.
static bool comes_to_stand(const struct counters *s, unsigned which)
{
    for (unsigned pauses = 0; pauses < SURELY_MS / HARDLY_MS; pauses++) {
        if (stands(s, which)) {
            return true;
        }
    }
    return false;
}

// ---- Priorities and time ------------------------------------------------------------------------------------

static void test_priorities(void)
{
    struct counters s = counters_new();
    struct child low = counter(&s, 0, &(struct child_options){.priority = 10});
    struct child high = counter(&s, 1, &(struct child_options){.priority = 20});
    child_start(&high);
    child_start(&low);
    report(counts_on(&s, 1) && stands(&s, 0) && count(&s, 0) == 0,
           "a thread of lower priority does not run beside a busy one");
    child_stop(&high);
    report(counts_on(&s, 0), "when that stops, it runs");
    child_start(&high);
    uint64_t before = count(&s, 0);
    report(counts_on(&s, 1) && count(&s, 0) == before, "and no more, when it is started again");
    child_set_time(&low, 30, 0);
    report(counts_on(&s, 0) && stands(&s, 1),
           "given a higher priority, it is the other's turn to wait");
}

static void test_cores_are_independent(void)
{
    struct counters s = counters_new();
    struct child here = counter(&s, 0, &(struct child_options){.priority = 20});
    struct child there =
        counter(&s, 1, &(struct child_options){.priority = 10, .core = last_core()});
    child_start(&here);
    child_start(&there);
    if (last_core() == 0) {
        report(counts_on(&s, 0) && stands(&s, 1), "on one core the higher priority wins");
    } else {
        report(counts_on(&s, 0) && counts_on(&s, 1), "on two cores both run");
    }
}

static void yield_for_ever(void *argument)
{
    volatile uint64_t *counter = argument;
    for (;;) {
        ++*counter;
        ignore(sys_yield());
    }
}

static void test_yield(void)
{
    struct counters s = counters_new();
    const struct child_options o = {.budget_us = 1000000, .period_us = 1000000};
    struct child c[2] = {counter(&s, 0, &o), counter(&s, 1, &o)};
    for (unsigned i = 0; i < 2; i++) {
        child_aim(&c[i], yield_for_ever, (void *)&s.word[i * 8]);
        child_start(&c[i]);
    }
    report(counts_on(&s, 0), "threads that yield go on");
    uint64_t a = count(&s, 0);
    uint64_t b = count(&s, 1);
    report(a < b + 3 && b < a + 3, "in turn, long before their slices end (%lu, %lu)", a, b);
}

static void test_stopping_a_throttled_thread(void)
{
    struct counters s = counters_new();
    struct child c =
        counter(&s, 0, &(struct child_options){.budget_us = 50000, .period_us = 100000000});
    child_start(&c);
    report(word_reaches(&s.word[0], 1), "a thread runs its budget");
    report(comes_to_stand(&s, 0), "and waits for its next period");
    child_stop(&c);
    report(child_state(&c) == THREAD_STOPPED, "it is stopped meanwhile");
    child_set_time(&c, CHILD_PRIORITY, last_core());
    child_start(&c);
    report(counts_on(&s, 0), "with new time it runs at once, on another core if there is one");
    struct child d =
        counter(&s, 1, &(struct child_options){.budget_us = 50000, .period_us = 100000000});
    child_start(&d);
    bool ran = word_reaches(&s.word[8], 1);
    report(ran && comes_to_stand(&s, 1), "another one waits for its next period");
    MUST(sys_revoke(BOOT_CSPACE, memory()));
    report(is_empty(d.thread), "and is taken apart");
}

// ---- Deadlines ----------------------------------------------------------------------------------------------

static err_t receive_until(uint64_t flags, uint64_t deadline, uint64_t *took)
{
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t badge;
    uint64_t begun = now();
    err_t err = sys_receive(flags, deadline, &info, words, &badge);
    *took = now() - begun;
    return err;
}

static void test_deadlines(void)
{
    uint64_t took;
    report_err(receive_until(0, now() + ticks_of_ms(20), &took), ERR_TIMEOUT,
               "waiting ends at its deadline");
    report(took >= ticks_of_ms(19), "and not before (%lu ticks)", took);
    report_err(receive_until(0, now() - 1, &took), ERR_TIMEOUT,
               "a deadline in the past does not wait");
    report_err(receive_until(0, 0, &took), ERR_TIMEOUT, "nor does deadline 0");
    report_err(receive_until(RECEIVE_POLL, DEADLINE_NEVER, &took), ERR_TIMEOUT, "nor does polling");
    report_err(receive_until(4, 0, &took), ERR_INVALID, "unknown flags are refused");
    report_err(receive_until(1ull << 40, 0, &took), ERR_INVALID, "wherever they are");
}

struct sleeper {
    volatile uint64_t turns;
    volatile uint64_t early; // woken before the deadline
    uint64_t length;         // ticks
};

static void sleep_for_ever(void *argument)
{
    struct sleeper *s = argument;
    for (;;) {
        uint64_t took;
        uint64_t begun = now();
        ignore(receive_until(0, begun + s->length, &took));
        s->early += now() < begun + s->length;
        s->turns++;
    }
}

static void test_many_deadlines(void)
{
    enum { SLEEPERS = 24 };
    handle_t frames;
    struct sleeper *s = map_new(PAGE_SIZE, &frames);
    struct child c[SLEEPERS];
    for (unsigned i = 0; i < SLEEPERS; i++) {
        s[i].length = ticks_of_us(100 + 370 * i);
        c[i] = child_new(sleep_for_ever, &s[i],
                         &(struct child_options){.core = i % boot_info()->cores});
        child_map(&c[i], frames, s, RW);
        child_start(&c[i]);
    }
    bool all = true;
    for (unsigned i = 0; i < SLEEPERS; i++) {
        all = all && word_reaches(&s[i].turns, 10) && s[i].early == 0;
    }
    report(all, "%u threads sleep for different times, none of them wakes early", SLEEPERS);
    for (unsigned i = 0; i < SLEEPERS; i += 2) {
        child_stop(&c[i]);
    }
    uint64_t turns = s[1].turns;
    report(word_reaches(&s[1].turns, turns + 10), "half of them stopped, the others go on");
}

// ---- Control ------------------------------------------------------------------------------------------------

static void test_stop_and_start(void)
{
    struct counters s = counters_new();
    struct child c = counter(&s, 0, &(struct child_options){.core = last_core()});
    uint64_t values[6];
    report(child_state(&c) == THREAD_STOPPED, "a new thread is stopped");
    child_start(&c);
    report(counts_on(&s, 0) && child_state(&c) == THREAD_READY, "started, it runs");
    report_err(sys_thread_read(c.thread, REG_PC, 1, values), ERR_BUSY,
               "the registers of a running thread are not read");
    const uint64_t zero[5] = {0};
    report_err(sys_thread_write(c.thread, REG_PC, 1, zero), ERR_BUSY, "nor written");
    report_err(sys_thread_flags(c.thread, THREAD_FP), ERR_BUSY, "its flags are not changed");
    report_err(sys_thread_start(c.thread), OK, "starting it again changes nothing");
    child_stop(&c);
    report(stands(&s, 0) && child_state(&c) == THREAD_STOPPED, "stopped, it stands");
    report_err(sys_thread_stop(c.thread), OK, "stopping it again changes nothing");
    MUST(sys_thread_read(c.thread, REG_SP, 2, values));
    uint64_t from = (uint64_t)count_for_ever;
    report(values[0] <= c.stack_top && values[1] >= from && values[1] < from + 64,
           "its registers show where it is");
    child_start(&c);
    report(counts_on(&s, 0), "started, it goes on");
}

static void test_registers(void)
{
    uint64_t v[6];
    handle_t t = make(OBJ_THREAD, 0);
    handle_t only_read = copy_of(t, RIGHT_READ, 0);
    handle_t only_write = copy_of(t, RIGHT_WRITE, 0);
    const uint64_t w[5] = {1, 2, 3, 4, 5};
    bool same = true;
    for (uint64_t first = 0; first < REG_COUNT; first++) {
        uint64_t count = REG_COUNT - first < 5 ? REG_COUNT - first : 5;
        MUST(sys_thread_write(t, first, count, w));
        MUST(sys_thread_read(t, first, count, v));
        for (uint64_t i = 0; i < count; i++) {
            same = same && (v[i] == w[i] || first + i == REG_PSTATE);
        }
    }
    report(same, "all registers are written and read back");
    const uint64_t ones[5] = {~0ull};
    MUST(sys_thread_write(t, REG_PSTATE, 1, ones));
    MUST(sys_thread_read(t, REG_PSTATE, 1, v));
    report(v[0] == 0xf0000000, "of the state only the flags are written");
    report_err(sys_thread_read(t, REG_COUNT, 1, v), ERR_INVALID,
               "there is no register behind the last");
    report_err(sys_thread_read(t, REG_COUNT - 1, 2, v), ERR_INVALID, "no range goes beyond it");
    report_err(sys_thread_read(t, 0, 7, v), ERR_INVALID, "no more than six are read");
    report_err(sys_thread_write(t, 0, 6, w), ERR_INVALID, "and five written");
    report_err(sys_thread_read(t, ~0ull, 2, v), ERR_INVALID, "register -1 does not exist");
    report_err(sys_thread_read(t, 2, ~0ull, v), ERR_INVALID, "nor do -1 registers");
    report_err(sys_thread_read(only_write, 0, 1, v), ERR_RIGHTS, "reading needs the right to read");
    report_err(sys_thread_write(only_read, 0, 1, w), ERR_RIGHTS, "writing the right to write");
    report_err(sys_thread_start(only_read), ERR_RIGHTS, "starting, too");
    report_err(sys_thread_stop(only_read), ERR_RIGHTS, "and stopping");
    report_err(sys_thread_time(only_write, BOOT_TIME, 1, 0, 1, 1), ERR_RIGHTS,
               "and giving time the right for that");
}

static void test_what_a_thread_needs(void)
{
    handle_t t = make(OBJ_THREAD, 0);
    handle_t sp = make(OBJ_SPACE, 4);
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t e = make(OBJ_ENDPOINT, 0);
    report_err(sys_thread_start(t), ERR_INVALID, "a thread without a space is not started");
    report_err(sys_thread_bind(t, THREAD_SPACE, n), ERR_TYPE, "a notification is no space");
    report_err(sys_thread_bind(t, THREAD_SPACE, copy_of(sp, RIGHT_READ, 0)), ERR_RIGHTS,
               "a space is bound with the right to write it");
    report_err(sys_thread_bind(t, THREAD_SLOT_COUNT, sp), ERR_INVALID,
               "there are so many things to bind and no more");
    report_err(sys_thread_bind(t, ~0ull, sp), ERR_INVALID, "far fewer than 2^64");
    report_err(sys_thread_bind(t, THREAD_SPACE, handle_new()), ERR_NO_CAP,
               "an empty slot is not bound");
    report_err(sys_thread_bind(t, THREAD_SPACE, sp), OK, "the space is bound");
    report_err(sys_thread_bind(t, THREAD_SPACE, sp), ERR_OCCUPIED, "once");
    report_err(sys_thread_start(t), ERR_INVALID, "a thread without time is not started");
    report_err(sys_thread_bind(t, THREAD_NOTIFICATION, n), OK, "a notification is bound");
    handle_t other = make(OBJ_THREAD, 0);
    report_err(sys_thread_bind(other, THREAD_NOTIFICATION, n), ERR_BUSY, "to one thread, no other");
    report_err(sys_thread_bind(t, THREAD_ENDPOINT, e), OK, "an endpoint is bound");
    report_err(sys_thread_bind(other, THREAD_ENDPOINT, e), ERR_BUSY, "to one thread, no other");
    report_err(sys_thread_bind(t, THREAD_ENDPOINT, 0), OK, "and unbound");
    report_err(sys_thread_bind(other, THREAD_ENDPOINT, e), OK, "so that the other may have it");
    report_err(sys_thread_bind(other, THREAD_NOTIFICATION, copy_of(n, RIGHT_WRITE, 0)), ERR_RIGHTS,
               "waiting needs the right to read");
    uint64_t cores = boot_info()->cores;
    report_err(sys_thread_time(t, BOOT_TIME, PRIORITY_MAX + 1, 0, 1, 1), ERR_INVALID,
               "priorities end at 254");
    report_err(sys_thread_time(t, BOOT_TIME, 1, cores, 1, 1), ERR_INVALID, "cores where they end");
    report_err(sys_thread_time(t, BOOT_TIME, 1, ~0ull, 1, 1), ERR_INVALID, "core -1 is none");
    report_err(sys_thread_time(t, BOOT_TIME, 1, 0, 2, 1), ERR_INVALID,
               "a budget is not longer than its period");
    report_err(sys_thread_time(t, BOOT_TIME, 1, 0, 0, 1), ERR_INVALID, "and not empty");
    report_err(sys_thread_time(t, BOOT_TIME, 1, 0, ~0ull, ~0ull), ERR_INVALID, "and not endless");
    report_err(sys_thread_time(t, n, 1, 0, 1, 1), ERR_TYPE, "time comes from who has it");
    report_err(sys_thread_flags(t, 4), ERR_INVALID, "unknown flags are refused");
    report_err(sys_thread_flags(t, ~0ull), ERR_INVALID, "all of them");
}

static void wait_and_count(void *argument)
{
    volatile uint64_t *counter = argument;
    for (;;) {
        (void)child_await_bits();
        ++*counter;
    }
}

static void test_stopping_a_waiting_thread(void)
{
    struct counters s = counters_new();
    struct child c = counter(&s, 0, &(struct child_options){.core = last_core()});
    child_aim(&c, wait_and_count, (void *)&s.word[0]);
    child_start(&c);
    report(child_reaches(&c, THREAD_RECEIVING), "a thread waits");
    child_stop(&c);
    report(child_state(&c) == THREAD_STOPPED, "it is stopped");
    MUST(sys_signal(c.notification));
    handle_t n = copy_of(c.notification, RIGHT_WRITE, 1);
    MUST(sys_signal(n));
    report(stands(&s, 0), "a signal does not wake it");
    child_start(&c);
    report(word_reaches(&s.word[0], 1), "started, it waits again and finds the signal");
    report(child_reaches(&c, THREAD_RECEIVING), "and waits for the next");
    child_set_time(&c, 50, 0);
    MUST(sys_signal(n));
    report(word_reaches(&s.word[0], 2) && child_core(&c) == 0,
           "moved while it waits, it wakes where it was moved to");
}

// ---- Cores --------------------------------------------------------------------------------------------------

static void test_migration(void)
{
    struct counters s = counters_new();
    struct child c = counter(&s, 0, &(struct child_options){0});
    uint64_t cores = boot_info()->cores;
    child_start(&c);
    bool right = true;
    for (uint64_t i = 0; i < 2000; i++) {
        child_set_time(&c, CHILD_PRIORITY, i % cores);
        right = right && child_core(&c) == i % cores && child_state(&c) == THREAD_READY;
    }
    report(right, "a running thread is moved from core to core 2000 times");
    for (uint64_t i = 0; i < cores; i++) {
        child_set_time(&c, CHILD_PRIORITY, i);
        report(counts_on(&s, 0), "it counts on, on core %lu", i);
    }
}

// ---- What they do not see of each other ---------------------------------------------------------------------

struct keeper {
    uint64_t seed;
    volatile uint64_t turns;
    volatile uint64_t differs;
};

static void keep_fp(void *argument)
{
    struct keeper *k = argument;
    for (;;) {
        fp_fill(k->seed);
        for (unsigned i = 0; i < 20; i++) {
            ignore(sys_yield());
            k->differs |= fp_differs(k->seed);
        }
        k->turns++;
    }
}

static void test_fp_is_private(void)
{
    enum { KEEPERS = 4 };
    handle_t frames;
    struct keeper *k = map_new(PAGE_SIZE, &frames);
    struct child c[KEEPERS];
    for (unsigned i = 0; i < KEEPERS; i++) {
        k[i].seed = 0x9e3779b97f4a7c15 * (i + 1) | i;
        c[i] = child_new(keep_fp, &k[i],
                         &(struct child_options){.flags = THREAD_FP, .core = i % 2 * last_core()});
        child_map(&c[i], frames, k, RW);
        child_start(&c[i]);
    }
    bool kept = true;
    for (unsigned i = 0; i < KEEPERS; i++) {
        kept = kept && word_reaches(&k[i].turns, 100) && k[i].differs == 0;
    }
    report(kept, "four threads keep their FP registers to themselves");
    for (unsigned i = 0; i < 400; i++) {
        child_set_time(&c[i % KEEPERS], CHILD_PRIORITY, i / KEEPERS % boot_info()->cores);
    }
    for (unsigned i = 0; i < KEEPERS; i++) {
        kept = kept && word_reaches(&k[i].turns, k[i].turns + 10) && k[i].differs == 0;
    }
    report(kept, "they take them along from core to core");
}

static void keep_fp_stopped(void *argument)
{
    struct keeper *k = argument;
    fp_fill(k->seed);
    k->turns = 1;
    while (k->turns != 2) {
        __asm__ volatile("yield");
    }
    k->differs = fp_differs(k->seed);
}

// Its owner stopped, others have used the registers of its core, and it goes on elsewhere.
static void test_fp_of_a_stopped_thread(void)
{
    handle_t frames;
    struct keeper *k = map_new(PAGE_SIZE, &frames);
    struct child c[2];
    for (unsigned i = 0; i < 2; i++) {
        k[i].seed = 0xdeadbeef + i;
        c[i] = child_new(keep_fp_stopped, &k[i], &(struct child_options){.flags = THREAD_FP});
        child_map(&c[i], frames, k, RW);
    }
    child_start(&c[0]);
    bool begun = word_reaches(&k[0].turns, 1);
    child_stop(&c[0]);
    child_start(&c[1]);
    begun = begun && word_reaches(&k[1].turns, 1);
    child_set_time(&c[0], CHILD_PRIORITY, last_core());
    k[0].turns = 2;
    k[1].turns = 2;
    child_start(&c[0]);
    report(begun && await_bits(BIT(0) | BIT(1), SURELY_MS) && k[0].differs == 0 &&
               k[1].differs == 0,
           "a stopped thread finds its FP registers as it left them");
}

static void use_fp(void *argument)
{
    fp_fill((uint64_t)argument);
}

static void look_at_fp(void *argument)
{
    volatile uint64_t *out = argument;
    uint64_t found = 0;
    __asm__ volatile(".arch armv8-a+fp+simd\n\t"
                     "fmov %0, d0\n\t"
                     ".arch armv8-a"
                     : "=r"(found));
    *out = found + 1;
}

static void test_fp_needs_the_right(void)
{
    struct message m;
    handle_t frames;
    volatile uint64_t *out = map_new(PAGE_SIZE, &frames);
    struct child owner = child_new(use_fp, (void *)77, &(struct child_options){.flags = THREAD_FP});
    child_start(&owner);
    report(child_done(&owner, SURELY_MS), "a thread with the right uses FP");
    struct child c = child_new(look_at_fp, (void *)out, &(struct child_options){0});
    child_map(&c, frames, (const void *)out, RW);
    child_start(&c);
    report(child_fault(&c, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_USER &&
               esr_ec(m.w[2]) == EC_FP,
           "one without it faults");
    report(*out == 0, "and sees nothing");
    child_stop(&c);
    MUST(sys_thread_flags(c.thread, THREAD_FP));
    child_start(&c);
    report(child_done(&c, SURELY_MS) && *out == 1,
           "given the right, it begins with empty registers");
    struct child lonely = child_new(use_fp, NULL, &(struct child_options){.no_handler = true});
    child_start(&lonely);
    report(child_reaches(&lonely, THREAD_STOPPED),
           "nobody there to handle its fault, it is stopped");
}

// The thread that owned the FP registers is gone; the next one does not find them.
static void test_fp_of_a_dead_thread(void)
{
    handle_t frames;
    volatile uint64_t *out = map_new(PAGE_SIZE, &frames);
    for (unsigned i = 0; i < 20; i++) {
        struct child owner =
            child_new(use_fp, (void *)(99ull + i),
                      &(struct child_options){.flags = THREAD_FP, .no_message = true});
        child_start(&owner);
        MUST(child_done(&owner, SURELY_MS) ? OK : ERR_TIMEOUT);
        MUST(sys_revoke(BOOT_CSPACE, owner.thread));
        MUST(sys_delete(BOOT_CSPACE, owner.thread));
        MUST(sys_delete(BOOT_CSPACE, owner.cspace));
    }
    struct child c =
        child_new(look_at_fp, (void *)out, &(struct child_options){.flags = THREAD_FP});
    child_map(&c, frames, (const void *)out, RW);
    child_start(&c);
    report(child_done(&c, SURELY_MS) && *out == 1,
           "what dead threads left in the FP registers is not seen");
}

static void keep_tpidr(void *argument)
{
    struct keeper *k = argument;
    for (;;) {
        uint64_t own;
        uint64_t given;
        __asm__ volatile("msr tpidr_el0, %0" : : "r"(k->seed + k->turns));
        ignore(sys_yield());
        __asm__ volatile("mrs %0, tpidr_el0\n\tmrs %1, tpidrro_el0" : "=r"(own), "=r"(given));
        k->differs |= own ^ (k->seed + k->turns);
        k->differs |= given ^ ~k->seed;
        k->turns++;
    }
}

static void test_thread_registers_are_private(void)
{
    handle_t frames;
    struct keeper *k = map_new(PAGE_SIZE, &frames);
    struct child c[3];
    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        k[i].seed = 0x1111111111111111 * (i + 1);
        c[i] = child_new(keep_tpidr, &k[i], &(struct child_options){0});
        child_map(&c[i], frames, k, RW);
        const uint64_t given[5] = {~k[i].seed};
        MUST(sys_thread_write(c[i].thread, REG_TPIDRRO, 1, given));
        child_start(&c[i]);
    }
    bool kept = true;
    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        kept = kept && word_reaches(&k[i].turns, 500);
    }
    for (unsigned i = 0; i < 200; i++) {
        child_set_time(&c[i % 3], CHILD_PRIORITY, i / 3 % boot_info()->cores);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(c); i++) {
        kept = kept && word_reaches(&k[i].turns, k[i].turns + 100) && k[i].differs == 0;
    }
    report(kept, "each thread has its own thread registers, on every core");
}

static const struct test_case cases[] = {
    {"priorities", test_priorities},
    {"cores are independent", test_cores_are_independent},
    {"yield", test_yield},
    {"stopping a throttled thread", test_stopping_a_throttled_thread},
    {"deadlines", test_deadlines},
    {"many deadlines", test_many_deadlines},
    {"stop and start", test_stop_and_start},
    {"registers", test_registers},
    {"what a thread needs", test_what_a_thread_needs},
    {"stopping a waiting thread", test_stopping_a_waiting_thread},
    {"migration", test_migration},
    {"FP is private", test_fp_is_private},
    {"FP of a stopped thread", test_fp_of_a_stopped_thread},
    {"FP needs the right", test_fp_needs_the_right},
    {"FP of a dead thread", test_fp_of_a_dead_thread},
    {"thread registers are private", test_thread_registers_are_private},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

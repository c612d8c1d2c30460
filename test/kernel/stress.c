// Stress: a process on each core builds, changes and destroys whatever it can and compares every answer of the kernel
// with a model (test/harness/worker.h). Meanwhile the first process moves and stops these processes, and takes all that
// one of them has away while it is at it. At the end everything must have come back.
//
// Boot arguments: seed=N, seconds=N.
#include "../harness/child.h"
#include "../harness/options.h"
#include "../harness/random.h"
#include "../harness/report.h"
#include "../harness/worker.h"

#include <lib/syscall.h>

#define RW            (MAP_READ | MAP_WRITE)
#define ECHO_PRIORITY 90u
#define SECONDS       10u

static void echo(void *argument)
{
    (void)argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    (void)child_next_call(false, &info, words);
    for (;;) {
        for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
            words[i]++;
        }
        (void)child_next_call(true, &info, words);
    }
}

// ---- The first process --------------------------------------------------------------------------------------

struct stress {
    struct random random;
    struct worker *worker[WORKERS];
    struct child child[WORKERS];
    uint64_t resets;
    uint64_t moves;
    uint64_t stops;
};

static struct child echo_new(unsigned i)
{
    struct child c = child_new(echo, NULL,
                               &(struct child_options){.serves = true,
                                                       .core = i % boot_info()->cores,
                                                       .priority = ECHO_PRIORITY,
                                                       .flags = i % 2 != 0 ? THREAD_PASSIVE : 0});
    child_start(&c);
    return c;
}

static void begin_life(struct stress *s, unsigned i)
{
    struct worker *w = s->worker[i];
    w->seed = random_next(&s->random);
    w->random = random_begin(w->seed);
    w->blind = false;
    w->end = false;
    shadow_begin(&w->shadow, WORKER_MEMORY);
    child_aim(&s->child[i], work, w);
    child_start(&s->child[i]);
}

static void worker_new(struct stress *s, unsigned i)
{
    handle_t frames;
    struct worker *w = map_new(sizeof(struct worker), &frames);
    *w = (struct worker){.cores = boot_info()->cores,
                         .puppet_budget = ticks_of_us(10),
                         .puppet_period = ticks_of_us(2000)};
    struct child c =
        child_new(work, w,
                  &(struct child_options){
                      .core = i % boot_info()->cores, .priority = WORKER_PRIORITY, .slots = W_END});
    child_map(&c, frames, w, RW);
    child_give(&c, c.cspace, W_CSPACE, RIGHT_ALL, 0);
    child_give(&c, BOOT_TIME, W_TIME, RIGHT_ALL, 0);
    MUST(sys_move(BOOT_CSPACE, make(OBJ_UNTYPED, WORKER_MEMORY), c.cspace, W_SLOTS));
    s->worker[i] = w;
    s->child[i] = c;
}

static void introduce(const struct stress *s, const struct child echoes[WORKERS])
{
    for (unsigned i = 0; i < WORKERS; i++) {
        for (unsigned j = 0; j < WORKERS; j++) {
            child_give(&s->child[i], echoes[j].endpoint, W_ECHO + j, RIGHT_WRITE, i + 1);
            child_give(&s->child[i], s->child[j].notification, W_PEER + j, RIGHT_WRITE, BIT(i));
        }
    }
}

// Is all the memory of a stopped worker free, after everything made of it was revoked?
static bool all_is_back(const struct stress *s, unsigned i)
{
    handle_t untyped = handle_new();
    MUST(sys_revoke(s->child[i].cspace, W_SLOTS));
    MUST(sys_move(s->child[i].cspace, W_SLOTS, BOOT_CSPACE, untyped));
    bool whole = untyped_whole(untyped);
    MUST(sys_move(BOOT_CSPACE, untyped, s->child[i].cspace, W_SLOTS));
    return whole;
}

// Takes away everything that a worker has made, while it goes on making more; then lets it begin anew.
static bool reset(struct stress *s, unsigned i)
{
    s->worker[i]->blind = true;
    MUST(sys_revoke(s->child[i].cspace, W_SLOTS));
    child_stop(&s->child[i]);
    bool whole = all_is_back(s, i);
    // What it still has mapped or lying in its slots is a remainder of other lives: there is none.
    begin_life(s, i);
    s->resets++;
    return whole;
}

// Something happens to a worker. False: memory was lost.
static bool disturb(struct stress *s)
{
    unsigned i = (unsigned)random_below(&s->random, WORKERS);
    switch (random_below(&s->random, 4)) {
    case 0:
        s->moves++;
        child_set_time(&s->child[i], WORKER_PRIORITY, random_below(&s->random, boot_info()->cores));
        return true;
    case 1:
        s->stops++;
        child_stop(&s->child[i]);
        child_start(&s->child[i]);
        return true;
    case 2:
        return reset(s, i);
    default:
        pause_ms(20);
        return true;
    }
}

static bool is_right(const struct stress *s, unsigned i)
{
    const struct worker *w = s->worker[i];
    struct message m;
    if (w->wrong_step != 0) {
        report(false, "worker %u, step %lu: %s: %ld (refusals %lx), slots %d and %d", i,
               w->wrong_step - 1, w->wrong, (long)w->wrong_err, w->wrong_refusals,
               w->wrong_slots[0], w->wrong_slots[1]);
        return false;
    }
    if (child_state(&s->child[i]) == THREAD_FAULTED && child_fault(&s->child[i], &m, SURELY_MS)) {
        report(false, "worker %u, step %lu faults at %lx, address %lx", i, w->steps, m.w[0],
               m.w[1]);
        return false;
    }
    return true;
}

static bool all_are_right(const struct stress *s)
{
    bool right = true;
    for (unsigned i = 0; i < WORKERS; i++) {
        right = right && is_right(s, i);
    }
    return right;
}

// Everybody makes progress.
static bool all_go_on(const struct stress *s)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (!word_reaches(&s->worker[i]->steps, s->worker[i]->steps + 1) &&
            s->worker[i]->wrong_step == 0) {
            return report(false, "worker %u stands at step %lu, in state %d on core %lu", i,
                          s->worker[i]->steps, child_state(&s->child[i]), child_core(&s->child[i]));
        }
    }
    return true;
}

static void finish(const struct stress *s)
{
    uint64_t made = 0;
    uint64_t refused = 0;
    bool ended = true;
    bool whole = true;
    for (unsigned i = 0; i < WORKERS; i++) {
        s->worker[i]->end = true;
        ended = child_done(&s->child[i], SURELY_MS) && ended;
        made += s->worker[i]->steps;
        refused += s->worker[i]->refused;
    }
    report(ended && all_are_right(s),
           "%lu steps, %lu of them refused, every answer as the model has it", made, refused);
    for (unsigned i = 0; i < WORKERS; i++) {
        child_stop(&s->child[i]);
        whole = all_is_back(s, i) && whole;
    }
    report(whole, "everything is reclaimed");
}

static void stress(void)
{
    uint64_t seed = option_number("seed", now());
    uint64_t seconds = option_number("seconds", SECONDS);
    say("seed %lu, %lu seconds", seed, seconds);
    struct stress s = {.random = random_begin(seed)};
    struct child echoes[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        echoes[i] = echo_new(i);
        worker_new(&s, i);
    }
    introduce(&s, echoes);
    for (unsigned i = 0; i < WORKERS; i++) {
        begin_life(&s, i);
    }
    uint64_t end = now() + ticks_of_ms(seconds * 1000);
    bool good = true;
    while (good && now() < end) {
        pause_ms(1);
        good = disturb(&s);
        if (!good) {
            report(false, "all the memory of a worker comes back");
        }
        good = good && all_are_right(&s) && all_go_on(&s);
    }
    say("      %lu resets, %lu moves, %lu stops", s.resets, s.moves, s.stops);
    finish(&s);
}

static const struct test_case cases[] = {
    {"stress", stress},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

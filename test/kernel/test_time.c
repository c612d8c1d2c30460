// How much time threads get. For a machine whose clock counts executed instructions (QEMU's -icount), so that the
// figures do not depend on how busy the development machine is.
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define RW (MAP_READ | MAP_WRITE)

struct counter {
    struct child child;
    volatile uint64_t *word;
};

static void count_for_ever(void *argument)
{
    volatile uint64_t *counter = argument;
    for (;;) {
        ++*counter;
    }
}

static struct counter counter_new(const struct child_options *o)
{
    handle_t frames;
    struct counter c = {.word = map_new(PAGE_SIZE, &frames)};
    c.child = child_new(count_for_ever, (void *)c.word, o);
    child_map(&c.child, frames, (const void *)c.word, RW);
    return c;
}

// What a thread used of the time between two looks, in tenths of a percent.
struct look {
    uint64_t at;
    uint64_t used;
};

static struct look look_at(const struct child *c)
{
    return (struct look){.at = now(), .used = child_used(c)};
}

static uint64_t share_since(const struct look *before, const struct child *c)
{
    struct look after = look_at(c);
    return (after.used - before->used) * 1000 / (after.at - before->at);
}

static bool about(uint64_t value, uint64_t wanted)
{
    return value + 10 >= wanted && value <= wanted + 10;
}

// ---- Budgets ------------------------------------------------------------------------------------------------

static void test_budgets(void)
{
    static const struct {
        uint64_t budget;
        uint64_t period;
        uint64_t share; // tenths of a percent
    } budgets[] = {{2000, 10000, 200}, {500, 1000, 500}, {100, 10000, 10}, {9000, 10000, 900}};
    for (unsigned i = 0; i < ARRAY_SIZE(budgets); i++) {
        struct counter greedy = counter_new(&(struct child_options){
            .priority = 20, .budget_us = budgets[i].budget, .period_us = budgets[i].period});
        struct counter modest = counter_new(&(struct child_options){.priority = 10});
        child_start(&greedy.child);
        child_start(&modest.child);
        pause_ms(20);
        struct look g = look_at(&greedy.child);
        struct look m = look_at(&modest.child);
        pause_ms(100);
        uint64_t got = share_since(&g, &greedy.child);
        uint64_t rest = share_since(&m, &modest.child);
        // The boot thread's looking around takes a little, too.
        report(about(got, budgets[i].share),
               "a budget of %lu in %lu us gives %lu tenths of a percent", budgets[i].budget,
               budgets[i].period, got);
        report(rest + 100 >= 1000 - budgets[i].share && rest <= 1000 - budgets[i].share + 10,
               "and leaves the rest to a lower priority: %lu", rest);
        child_stop(&modest.child);
        g = look_at(&greedy.child);
        pause_ms(100);
        got = share_since(&g, &greedy.child);
        report(about(got, budgets[i].share), "alone on its core, it gets no more: %lu", got);
        child_stop(&greedy.child);
    }
}

static void test_budget_is_not_saved_up(void)
{
    struct counter c = counter_new(&(struct child_options){.budget_us = 1000, .period_us = 5000});
    child_start(&c.child);
    pause_ms(50);
    child_stop(&c.child);
    pause_ms(100);
    uint64_t before = child_used(&c.child);
    child_start(&c.child);
    pause_ms(4);
    uint64_t used = child_used(&c.child) - before;
    report(used <= ticks_of_us(2100), "time not used while stopped is not kept (%lu ticks)", used);
}

// ---- Slices -------------------------------------------------------------------------------------------------

static void test_round_robin(void)
{
    enum { THREADS = 4 };
    struct counter c[THREADS];
    struct look before[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        c[i] = counter_new(&(struct child_options){.budget_us = 1000, .period_us = 1000});
        child_start(&c[i].child);
    }
    pause_ms(10);
    for (unsigned i = 0; i < THREADS; i++) {
        before[i] = look_at(&c[i].child);
    }
    pause_ms(200);
    bool fair = true;
    for (unsigned i = 0; i < THREADS; i++) {
        uint64_t share = share_since(&before[i], &c[i].child);
        fair = fair && share >= 210 && share <= 260;
        say("      thread %u: %lu tenths of a percent", i, share);
    }
    report(fair, "four threads of one priority get a quarter each");
}

static void test_unequal_slices(void)
{
    struct counter three =
        counter_new(&(struct child_options){.budget_us = 3000, .period_us = 3000});
    struct counter one = counter_new(&(struct child_options){.budget_us = 1000, .period_us = 1000});
    child_start(&three.child);
    child_start(&one.child);
    pause_ms(10);
    struct look a = look_at(&three.child);
    struct look b = look_at(&one.child);
    pause_ms(200);
    uint64_t large = share_since(&a, &three.child);
    uint64_t small = share_since(&b, &one.child);
    report(large >= 680 && large <= 770 && small >= 210 && small <= 260,
           "slices of 3 and 1 ms give three quarters and one (%lu, %lu)", large, small);
}

// ---- Deadlines ----------------------------------------------------------------------------------------------

static void test_deadlines_are_kept(void)
{
    uint64_t worst = 0;
    for (uint64_t i = 0; i < 50; i++) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        uint64_t badge;
        uint64_t deadline = now() + ticks_of_us(50 + i * 37);
        MUST(sys_receive(0, deadline, &info, words, &badge) == ERR_TIMEOUT ? OK : ERR_INVALID);
        uint64_t late = now() - deadline;
        worst = late > worst ? late : worst;
    }
    report(worst < ticks_of_us(2),
           "the highest priority wakes at most 2 us after its deadline (%lu ticks)", worst);
}

// ---- Lent time ----------------------------------------------------------------------------------------------

struct job {
    uint64_t length; // ticks that the server spins for a call
    volatile uint64_t calls;
};

static void serve(void *argument)
{
    const struct job *j = argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    (void)child_next_call(false, &info, words);
    for (;;) {
        uint64_t end = now() + j->length;
        while (now() < end) {
        }
        (void)child_next_call(true, &info, words);
    }
}

static void call_for_ever(void *argument)
{
    struct job *j = argument;
    for (;;) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        ignore(sys_call(CHILD_OWN, &info, words));
        j->calls++;
    }
}

static void measure_server(unsigned flags, uint64_t *client_share, uint64_t *server_share,
                           uint64_t *calls)
{
    handle_t frames;
    struct job *j = map_new(PAGE_SIZE, &frames);
    j->length = ticks_of_us(100);
    struct child server = child_new(
        serve, j, &(struct child_options){.serves = true, .flags = flags, .priority = 30});
    struct child client =
        child_new(call_for_ever, j,
                  &(struct child_options){.priority = 20, .budget_us = 1000, .period_us = 10000});
    child_map(&server, frames, j, RW);
    child_map(&client, frames, j, RW);
    child_give(&client, server.endpoint, CHILD_OWN, RIGHT_WRITE, 1);
    child_start(&server);
    child_start(&client);
    pause_ms(20);
    struct look c = look_at(&client);
    struct look s = look_at(&server);
    uint64_t before = j->calls;
    pause_ms(100);
    *client_share = share_since(&c, &client);
    *server_share = share_since(&s, &server);
    *calls = j->calls - before;
    child_stop(&client);
    child_stop(&server);
}

static void test_lent_time(void)
{
    uint64_t client;
    uint64_t server;
    uint64_t calls;
    measure_server(THREAD_PASSIVE, &client, &server, &calls);
    report(about(client, 100) && server <= 5,
           "a passive server spends its caller's time (%lu, %lu)", client, server);
    report(calls >= 80 && calls <= 110,
           "so a caller gets as much done as its budget allows (%lu calls)", calls);
    measure_server(0, &client, &server, &calls);
    report(client <= 110 && server >= 500, "another server spends its own (%lu, %lu)", client,
           server);
}

static const struct test_case cases[] = {
    {"budgets", test_budgets},
    {"budget is not saved up", test_budget_is_not_saved_up},
    {"round robin", test_round_robin},
    {"unequal slices", test_unequal_slices},
    {"deadlines are kept", test_deadlines_are_kept},
    {"lent time", test_lent_time},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

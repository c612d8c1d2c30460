// Calls in a running kernel: messages, badges, order, answers, and what happens when a partner goes away.
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define RW (MAP_READ | MAP_WRITE)

static uint64_t last_core(void)
{
    return boot_info()->cores - 1;
}

// ---- A server that does as it is told by the label of a call --------------------------------------------------

enum request {
    ECHO = 1, // answer with the words, each + 1, and the badge as label
    HOLD,     // do not answer; wait for the next call
    RELAY,    // call CHILD_OWN with the same words, answer with its answer
    WHERE,    // answer with the core it runs on
    SLEEP,    // spin for w0 ticks, then answer
};

struct log {
    volatile uint64_t count;
    volatile uint64_t badges[64];
    volatile uint64_t bits; // of notifications
};

static uint64_t add_one(uint64_t *page, uint64_t info, uint64_t words[MESSAGE_REGISTER_WORDS])
{
    for (unsigned i = 0; i < MESSAGE_REGISTER_WORDS; i++) {
        words[i]++;
    }
    for (uint64_t i = MESSAGE_REGISTER_WORDS; i < INFO_COUNT(info); i++) {
        page[i]++;
    }
    return INFO_COUNT(info);
}

static void spin(uint64_t ticks)
{
    uint64_t end = now() + ticks;
    while (now() < end) {
    }
}

// Handles one call; returns the flags for the next receive.
static uint64_t handle(uint64_t badge, uint64_t *info, uint64_t words[MESSAGE_REGISTER_WORDS])
{
    struct thread_info self;
    switch (INFO_LABEL(*info)) {
    case HOLD:
        return 0;
    case RELAY:
        *info = INFO(ECHO, INFO_COUNT(*info));
        words[0] = (uint64_t)sys_call(CHILD_OWN, info, words);
        return RECEIVE_REPLY;
    case WHERE:
        ignore(sys_thread_info(CHILD_SELF, &self));
        words[0] = self.core;
        return RECEIVE_REPLY;
    case SLEEP:
        spin(words[0]);
        return RECEIVE_REPLY;
    default:
        *info = INFO(badge, add_one(child_message_page(), *info, words));
        return RECEIVE_REPLY;
    }
}

static void serve(void *argument)
{
    struct log *log = argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t badge;
    uint64_t flags = 0;
    for (;;) {
        ignore(sys_receive(flags, DEADLINE_NEVER, &info, words, &badge));
        if (info == INFO_NOTIFICATION) {
            log->bits |= badge;
            flags = 0;
            continue;
        }
        log->badges[log->count % ARRAY_SIZE(log->badges)] = badge;
        log->count++;
        flags = handle(badge, &info, words);
    }
}

struct server {
    struct child child;
    struct log *log;
    handle_t frames;   // of the log
    handle_t endpoint; // badge 0x55
};

static struct server server_new(const struct child_options *o)
{
    struct server s = {0};
    struct child_options options = *o;
    options.serves = true;
    s.log = map_new(PAGE_SIZE, &s.frames);
    s.child = child_new(serve, s.log, &options);
    child_map(&s.child, s.frames, s.log, RW);
    s.endpoint = copy_of(s.child.endpoint, RIGHT_WRITE, 0x55);
    return s;
}

static struct server server_run(const struct child_options *o)
{
    struct server s = server_new(o);
    child_start(&s.child);
    return s;
}

static err_t call(handle_t endpoint, enum request request, uint64_t count, uint64_t *info,
                  uint64_t words[MESSAGE_REGISTER_WORDS])
{
    *info = INFO(request, count);
    return sys_call(endpoint, info, words);
}

// ---- Callers ------------------------------------------------------------------------------------------------

struct caller {
    uint64_t request;
    uint64_t times;
    volatile uint64_t done;
    volatile uint64_t wrong;
    volatile int64_t err; // of the last call
    volatile uint64_t word;
};

static void call_often(void *argument)
{
    struct caller *c = argument;
    for (uint64_t i = 0; i < c->times; i++) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {i, i * 3, ~i, 7};
        uint64_t info = INFO(c->request, MESSAGE_REGISTER_WORDS);
        c->err = sys_call(CHILD_OWN, &info, words);
        c->wrong += c->request == ECHO && (words[0] != i + 1 || words[1] != i * 3 + 1 ||
                                           words[2] != ~i + 1 || words[3] != 8);
        c->word = words[0];
        c->done++;
    }
}

struct calling {
    struct child child;
    struct caller *state;
};

static struct calling caller_new(handle_t endpoint, enum request request, uint64_t times,
                                 const struct child_options *o)
{
    handle_t frames;
    struct calling c = {.state = map_new(PAGE_SIZE, &frames)};
    *c.state = (struct caller){.request = request, .times = times, .err = 1};
    c.child = child_new(call_often, c.state, o);
    child_map(&c.child, frames, c.state, RW);
    child_give(&c.child, endpoint, CHILD_OWN, RIGHT_WRITE, 0x100 + c.child.number);
    return c;
}

// ---- Messages -----------------------------------------------------------------------------------------------

static void test_words_and_badges(void)
{
    struct server s = server_run(&(struct child_options){.core = last_core()});
    uint64_t words[MESSAGE_REGISTER_WORDS] = {10, ~0ull, 1ull << 63, 0};
    uint64_t info;
    report_err(call(s.endpoint, ECHO, 4, &info, words), OK, "a call is answered");
    report(words[0] == 11 && words[1] == 0 && words[2] == (1ull << 63) + 1 && words[3] == 1,
           "with four words");
    report(INFO_LABEL(info) == 0x55 && INFO_COUNT(info) == 4, "the server saw the caller's badge");
    handle_t other = copy_of(s.child.endpoint, RIGHT_WRITE, ~0ull >> 12);
    words[0] = 0;
    report_err(call(other, ECHO, 1, &info, words), OK, "another capability");
    report(INFO_LABEL(info) == ~0ull >> 12 && INFO_COUNT(info) == 1 && words[0] == 1,
           "has another badge, up to the last bit of the label");
    uint64_t *page = (uint64_t *)BOOT_MESSAGE_ADDRESS;
    for (uint64_t i = 0; i < 512; i++) {
        page[i] = i * 1000;
    }
    report_err(call(s.endpoint, ECHO, MESSAGE_WORDS, &info, words), OK,
               "a call with 64 words is answered");
    bool all = true;
    for (uint64_t i = MESSAGE_REGISTER_WORDS; i < 512; i++) {
        all = all && page[i] == i * 1000 + (i < MESSAGE_WORDS);
    }
    report(all && INFO_COUNT(info) == MESSAGE_WORDS,
           "with 64 words, and nothing behind them has changed");
    bool each = true;
    for (uint64_t count = 0; count <= MESSAGE_WORDS; count++) {
        each =
            each && call(s.endpoint, ECHO, count, &info, words) == OK && INFO_COUNT(info) == count;
    }
    report(each, "every count from 0 to 64 arrives and comes back");
}

static void test_wrong_messages_are_refused(void)
{
    struct server s = server_run(&(struct child_options){0});
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    handle_t receive_only = copy_of(s.child.endpoint, RIGHT_READ, 0);
    handle_t n = make(OBJ_NOTIFICATION, 0);
    bool refused = true;
    for (uint64_t low = MESSAGE_WORDS + 1; low < 0x1000; low++) {
        uint64_t info = 5ull << 12 | low;
        refused = refused && sys_call(s.endpoint, &info, words) == ERR_INVALID;
    }
    report(refused, "every count above 64 and every reserved bit is refused");
    uint64_t info = INFO(ECHO, 1);
    report_err(sys_call(receive_only, &info, words), ERR_RIGHTS,
               "calling needs the right to write");
    report_err(sys_call(n, &info, words), ERR_TYPE, "a notification is not called");
    report_err(sys_call(0, &info, words), ERR_NO_CAP, "handle 0 is not called");
    report_err(sys_call(~0ull, &info, words), ERR_NO_CAP, "nor is handle -1");
    report_err(sys_call(1ull << 32 | s.endpoint, &info, words), ERR_NO_CAP,
               "nor one that is right in its lower half");
    report(s.log->count == 0, "the server saw nothing of it");
    report_err(call(s.endpoint, ECHO, 1, &info, words), OK, "and is there for a good call");
}

static void call_with_five(void *argument)
{
    volatile int64_t *err = argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = INFO(ECHO, 5);
    *err = sys_call(CHILD_OWN, &info, words);
}

static void test_without_message_pages(void)
{
    struct server s = server_new(&(struct child_options){.no_message = true});
    handle_t frames;
    volatile int64_t *err = map_new(PAGE_SIZE, &frames);
    struct child c =
        child_new(call_with_five, (void *)err, &(struct child_options){.no_message = true});
    child_map(&c, frames, (const void *)err, RW);
    child_give(&c, s.child.endpoint, CHILD_OWN, RIGHT_WRITE, 0);
    child_start(&c);
    report(child_done(&c, SURELY_MS) && *err == ERR_INVALID,
           "without a message page no more than four words are sent");
    // The server has no page either: what does not fit is cut off. It would write to it, so it must not be told.
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    child_start(&s.child);
    report_err(call(s.endpoint, ECHO, 64, &info, words), OK,
               "a server without a message page is called with 64");
    report(INFO_COUNT(info) == MESSAGE_REGISTER_WORDS, "it gets four");
}

// ---- Order --------------------------------------------------------------------------------------------------

static void test_queue_is_in_order(void)
{
    enum { CALLERS = 12 };
    struct server s = server_new(&(struct child_options){.core = last_core()});
    struct calling c[CALLERS];
    uint64_t expected[CALLERS];
    bool queued = true;
    for (unsigned i = 0; i < CALLERS; i++) {
        unsigned which = i * 5 % CALLERS;
        c[which] = caller_new(s.child.endpoint, ECHO, 1,
                              &(struct child_options){.core = i % boot_info()->cores});
        expected[i] = 0x100 + c[which].child.number;
        child_start(&c[which].child);
        queued = queued && child_reaches(&c[which].child, THREAD_CALLING);
    }
    report(queued, "%u callers queue up", CALLERS);
    child_start(&s.child);
    report(word_reaches(&s.log->count, CALLERS), "a server serves them");
    bool order = true;
    for (unsigned i = 0; i < CALLERS; i++) {
        order = order && s.log->badges[i] == expected[i] && word_reaches(&c[i].state->done, 1) &&
                c[i].state->wrong == 0;
    }
    report(order, "in the order in which they came, each with its own answer");
}

static void test_many_callers_on_all_cores(void)
{
    enum { CALLERS = 6 };
    const uint64_t times = 500;
    struct server s = server_run(&(struct child_options){.core = last_core()});
    struct calling c[CALLERS];
    for (unsigned i = 0; i < CALLERS; i++) {
        c[i] = caller_new(s.child.endpoint, ECHO, times,
                          &(struct child_options){.core = i % boot_info()->cores});
        child_start(&c[i].child);
    }
    uint64_t done = 0;
    uint64_t wrong = 0;
    for (unsigned i = 0; i < CALLERS; i++) {
        done += child_done(&c[i].child, SURELY_MS) ? c[i].state->done : 0;
        wrong += c[i].state->wrong;
    }
    report(done == CALLERS * times && wrong == 0,
           "%u threads on all cores get %lu right answers (%lu wrong)", CALLERS, done, wrong);
    report(s.log->count == CALLERS * times, "to as many calls");
}

static void test_relay(void)
{
    struct server last = server_run(&(struct child_options){.core = last_core()});
    struct server first = server_run(&(struct child_options){0});
    child_give(&first.child, last.child.endpoint, CHILD_OWN, RIGHT_WRITE, 9);
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0, 41, 5, 6};
    uint64_t info;
    report_err(call(first.endpoint, RELAY, 4, &info, words), OK,
               "a server calls another one before it answers");
    report(INFO_LABEL(info) == 9 && words[1] == 42, "the answer comes all the way back");
}

static void test_notification_beside_calls(void)
{
    struct server s = server_run(&(struct child_options){.core = last_core()});
    handle_t n = copy_of(s.child.notification, RIGHT_WRITE, 0x10);
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    MUST(sys_signal(n));
    report(word_reaches(&s.log->bits, 0x10), "a server that waits for calls gets signals, too");
    report_err(call(s.endpoint, ECHO, 1, &info, words), OK, "and calls afterwards");
}

// ---- Partners that go away ----------------------------------------------------------------------------------

static void test_dropped_caller(void)
{
    struct server s = server_run(&(struct child_options){.core = last_core()});
    struct calling c = caller_new(s.child.endpoint, HOLD, 1, &(struct child_options){0});
    child_start(&c.child);
    report(word_reaches(&s.log->count, 1) && child_reaches(&c.child, THREAD_CALLING),
           "a server takes a call and does not answer");
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    report_err(call(s.endpoint, ECHO, 1, &info, words), OK, "it answers the next");
    report(child_state(&c.child) == THREAD_CALLING, "the caller without an answer goes on waiting");
    child_stop(&c.child);
    child_start(&c.child);
    report(child_done(&c.child, SURELY_MS) && c.state->err == ERR_GONE,
           "stopped and started, it learns that there is none");
}

static void test_stopped_in_the_queue(void)
{
    struct server s = server_new(&(struct child_options){0});
    struct calling c =
        caller_new(s.child.endpoint, ECHO, 1, &(struct child_options){.core = last_core()});
    child_start(&c.child);
    report(child_reaches(&c.child, THREAD_CALLING), "a caller queues up");
    child_stop(&c.child);
    child_start(&s.child);
    pause_ms(HARDLY_MS);
    report(s.log->count == 0 && c.state->done == 0, "stopped, it is in the queue no more");
    child_start(&c.child);
    report(child_done(&c.child, SURELY_MS) && c.state->err == OK, "started, it calls again");
}

static void test_stopped_while_served(void)
{
    struct server s = server_run(&(struct child_options){.core = last_core()});
    struct calling c = caller_new(s.child.endpoint, SLEEP, 3, &(struct child_options){0});
    // The first argument of SLEEP is the turn: at once.
    child_start(&c.child);
    report(child_done(&c.child, SURELY_MS) && c.state->done == 3, "a caller is served");
    for (unsigned i = 0; i < 200; i++) {
        child_stop(&c.child);
        child_aim(&c.child, call_often, c.state);
        child_start(&c.child);
    }
    report(child_done(&c.child, SURELY_MS),
           "stopped at any moment, 200 times, it can always begin anew");
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    report_err(call(s.endpoint, ECHO, 1, &info, words), OK, "and its server is none the worse");
}

static void test_end_of_server(void)
{
    struct server s = server_run(&(struct child_options){.core = last_core()});
    struct calling served = caller_new(s.child.endpoint, ECHO, 5, &(struct child_options){0});
    child_start(&served.child);
    report(child_done(&served.child, SURELY_MS) && served.state->wrong == 0, "a server serves");
    MUST(sys_delete(s.child.cspace, CHILD_SELF));
    MUST(sys_delete(BOOT_CSPACE, s.child.thread));
    struct calling waiting = caller_new(s.child.endpoint, ECHO, 1, &(struct child_options){0});
    child_start(&waiting.child);
    report(child_reaches(&waiting.child, THREAD_CALLING),
           "after its end, its endpoint queues calls");
    struct child next = child_new(serve, s.log, &(struct child_options){0});
    child_map(&next, s.frames, s.log, RW);
    MUST(sys_thread_bind(next.thread, THREAD_ENDPOINT, s.child.endpoint));
    child_start(&next);
    report(child_done(&waiting.child, SURELY_MS) && waiting.state->wrong == 0,
           "another server that is bound to it serves them");
}

static void hold_for_ever(void *argument)
{
    volatile uint64_t *taken = argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t badge;
    ignore(sys_receive(0, DEADLINE_NEVER, &info, words, &badge));
    *taken = 1;
    for (;;) {
        __asm__ volatile("yield");
    }
}

// The server's end, in the middle of a call: the caller, on any core, learns of it.
static void test_end_of_server_in_a_call(void)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        handle_t frames;
        volatile uint64_t *taken = map_new(PAGE_SIZE, &frames);
        bool passive = (kind & 2) != 0;
        struct child server = child_new(
            hold_for_ever, (void *)taken,
            &(struct child_options){.serves = true, .flags = passive ? THREAD_PASSIVE : 0});
        child_map(&server, frames, (const void *)taken, RW);
        struct calling c = caller_new(server.endpoint, ECHO, 1,
                                      &(struct child_options){.core = kind & 1 ? last_core() : 0});
        child_start(&server);
        child_start(&c.child);
        MUST(word_reaches(taken, 1) ? OK : ERR_TIMEOUT);
        MUST(sys_delete(server.cspace, CHILD_SELF));
        MUST(sys_delete(BOOT_CSPACE, server.thread));
        report(child_done(&c.child, SURELY_MS) && c.state->err == ERR_GONE,
               "a %sserver ends in the middle of a call: %s", passive ? "passive " : "",
               kind & 1 ? "the caller on another core learns of it" : "its caller learns of it");
    }
}

static void test_end_of_caller_in_a_call(void)
{
    struct server s = server_run(&(struct child_options){.core = last_core()});
    for (unsigned i = 0; i < 20; i++) {
        handle_t frames;
        struct caller *state = map_new(PAGE_SIZE, &frames);
        *state = (struct caller){.request = ECHO, .times = ~0ull};
        struct child c =
            child_new(call_often, state,
                      &(struct child_options){.core = i % boot_info()->cores, .no_message = true});
        child_map(&c, frames, state, RW);
        child_give(&c, s.child.endpoint, CHILD_OWN, RIGHT_WRITE, 3);
        child_start(&c);
        MUST(word_reaches(&state->done, 5) ? OK : ERR_TIMEOUT);
        MUST(sys_delete(c.cspace, CHILD_SELF));
        MUST(sys_delete(BOOT_CSPACE, c.thread));
    }
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    report_err(call(s.endpoint, ECHO, 1, &info, words), OK,
               "20 callers end in the middle of their calls, the server serves on");
}

// ---- Passive servers ----------------------------------------------------------------------------------------

static void test_passive_server_runs_on_its_callers_core(void)
{
    struct server s =
        server_run(&(struct child_options){.flags = THREAD_PASSIVE, .core = last_core()});
    for (uint64_t core = 0; core < boot_info()->cores; core++) {
        struct calling c =
            caller_new(s.child.endpoint, WHERE, 3, &(struct child_options){.core = core});
        child_start(&c.child);
        report(child_done(&c.child, SURELY_MS) && c.state->err == OK && c.state->word == core,
               "a passive server runs on core %lu, its caller's", core);
    }
    report(child_reaches(&s.child, THREAD_RECEIVING) && child_core(&s.child) == last_core(),
           "afterwards it is at home");
    struct server active = server_run(&(struct child_options){.core = last_core()});
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    MUST(call(active.endpoint, WHERE, 1, &info, words));
    report(words[0] == last_core(), "another server stays on its own");
    handle_t n = copy_of(s.child.notification, RIGHT_WRITE, 2);
    MUST(sys_signal(n));
    report(word_reaches(&s.log->bits, 2), "signals wake a passive server at home");
}

static void test_passive_server_from_all_cores(void)
{
    enum { CALLERS = 8 };
    const uint64_t times = 500;
    struct server s =
        server_run(&(struct child_options){.flags = THREAD_PASSIVE, .core = last_core()});
    struct calling c[CALLERS];
    for (unsigned i = 0; i < CALLERS; i++) {
        c[i] = caller_new(s.child.endpoint, ECHO, times,
                          &(struct child_options){.core = i % boot_info()->cores});
        child_start(&c[i].child);
    }
    uint64_t done = 0;
    uint64_t wrong = 0;
    for (unsigned i = 0; i < CALLERS; i++) {
        done += child_done(&c[i].child, SURELY_MS) ? c[i].state->done : 0;
        wrong += c[i].state->wrong;
    }
    report(done == CALLERS * times && wrong == 0,
           "a passive server gives %lu answers to callers on all cores", done);
}

static void test_passive_pairs(void)
{
    enum { LINKS = 12 };
    struct server s[LINKS];
    for (unsigned i = 0; i < LINKS; i++) {
        s[i] = server_run(
            &(struct child_options){.flags = THREAD_PASSIVE, .core = i % boot_info()->cores});
        if (i > 0) {
            child_give(&s[i].child, s[i - 1].child.endpoint, CHILD_OWN, RIGHT_WRITE, 0);
        }
    }
    // Each relays to the one before, as an echo.
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0, 5, 6, 7};
    uint64_t info;
    bool all = true;
    for (unsigned i = 1; i < LINKS; i++) {
        words[1] = i;
        all = all && call(s[i].endpoint, RELAY, 4, &info, words) == OK && words[1] == i + 1;
    }
    report(all, "passive servers call each other in pairs");
}

static void relay_on(void *argument)
{
    struct log *log = argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    (void)child_next_call(false, &info, words);
    for (;;) {
        log->count++;
        words[0]++;
        if (sys_call(CHILD_OWN, &info, words) != OK) {
            words[1] = log->count;
        }
        (void)child_next_call(true, &info, words);
    }
}

// Longer than the kernel lends time for: what is deeper runs on its own.
static void test_deep_chain(void)
{
    enum { LINKS = 14 };
    handle_t frames;
    struct log *log = map_new(LINKS * sizeof(struct log), &frames);
    struct child link[LINKS];
    for (unsigned i = 0; i < LINKS; i++) {
        link[i] = child_new(
            relay_on, &log[i],
            &(struct child_options){.serves = true, .flags = THREAD_PASSIVE, .no_message = true});
        child_map(&link[i], frames, log, RW);
        if (i > 0) {
            child_give(&link[i - 1], link[i].endpoint, CHILD_OWN, RIGHT_WRITE, 0);
        }
        child_start(&link[i]);
    }
    handle_t first = copy_of(link[0].endpoint, RIGHT_WRITE, 0);
    bool all = true;
    for (unsigned turn = 0; turn < 50; turn++) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = INFO(0, 4);
        all = all && sys_call(first, &info, words) == OK && words[0] == LINKS;
    }
    report(all, "a call goes through %u passive servers and back", LINKS);
}

static void test_passive_threads(void)
{
    struct server s = server_run(&(struct child_options){.flags = THREAD_PASSIVE});
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info;
    report_err(call(s.endpoint, ECHO, 1, &info, words), OK,
               "a passive server on the boot thread's core answers");
    struct calling c = caller_new(s.child.endpoint, ECHO, 1, &(struct child_options){0});
    MUST(sys_thread_flags(c.child.thread, THREAD_PASSIVE));
    child_start(&c.child);
    report(child_done(&c.child, SURELY_MS) && c.state->wrong == 0,
           "a passive thread is a caller as any other");
}

// A caller is moved to another core while its passive server works for it.
static void test_caller_moves_while_served(void)
{
    struct server s = server_run(&(struct child_options){.flags = THREAD_PASSIVE});
    struct calling c = caller_new(s.child.endpoint, ECHO, ~0ull, &(struct child_options){0});
    child_start(&c.child);
    for (uint64_t i = 0; i < 500; i++) {
        child_set_time(&c.child, CHILD_PRIORITY, i % boot_info()->cores);
        if (i % 7 == 0) {
            child_set_time(&s.child, CHILD_PRIORITY + i % 3, i / 7 % boot_info()->cores);
        }
    }
    uint64_t done = c.state->done;
    report(word_reaches(&c.state->done, done + 100) && c.state->wrong == 0,
           "caller and passive server are moved 500 times, calls go on");
}

static const struct test_case cases[] = {
    {"words and badges", test_words_and_badges},
    {"wrong messages are refused", test_wrong_messages_are_refused},
    {"without message pages", test_without_message_pages},
    {"the queue is in order", test_queue_is_in_order},
    {"many callers on all cores", test_many_callers_on_all_cores},
    {"relay", test_relay},
    {"notification beside calls", test_notification_beside_calls},
    {"dropped caller", test_dropped_caller},
    {"stopped in the queue", test_stopped_in_the_queue},
    {"stopped while served", test_stopped_while_served},
    {"end of a server", test_end_of_server},
    {"end of a server in a call", test_end_of_server_in_a_call},
    {"end of a caller in a call", test_end_of_caller_in_a_call},
    {"a passive server runs on its caller's core", test_passive_server_runs_on_its_callers_core},
    {"a passive server from all cores", test_passive_server_from_all_cores},
    {"passive servers in pairs", test_passive_pairs},
    {"a deep chain of passive servers", test_deep_chain},
    {"passive threads", test_passive_threads},
    {"a caller moves while served", test_caller_moves_while_served},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

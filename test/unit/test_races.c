// Races of two and three cores: short scenes, played in orders with two switches in the middle of the kernel, at an
// atomic access each: some orders, evenly spread over all of them; with LONG in the environment (`./bulkhead test
// --long`) every one.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
// flags: -include kernel/arch/fake/interleave.h
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cap.h"
#include "kernel_fixture.h"
#include "percpu.h"

#define CORES     4u
#define STEPS_MAX 6u
#define CALL      PROC_FREE

#define ORDERS      60u
#define TIME_PASSES UINT32_MAX // instead of a system call: args[0] ticks

// ---- Scenes -------------------------------------------------------------------------------------------------------

struct scene_step {
    unsigned number;
    uint64_t args[8];
};

// What each core's running thread does, one call after the other.
struct script {
    struct scene_step steps[STEPS_MAX];
    unsigned count;
    unsigned next;
    bool again;        // the step is made again
    unsigned patience; // while nobody runs here
};

struct scene {
    const char *name;
    void (*build)(void);
    void (*check)(void);
    uint64_t orders; // about so many are played of each permutation of the cores; 0: ORDERS
};

static struct script scripts[CORES];
static struct proc a, b, c, d; // as each scene wants
static uint64_t h[4];          // handles of the first process

static void does(unsigned core, unsigned number, const uint64_t args[8])
{
    struct script *s = &scripts[core];
    s->steps[s->count].number = number;
    memcpy(s->steps[s->count++].args, args, sizeof(s->steps[0].args));
}
#define DOES(core, name, ...) does(core, SYS_##name, (const uint64_t[8]){__VA_ARGS__})

static bool part(unsigned core, void *arg)
{
    (void)arg;
    struct script *s = &scripts[core];
    struct thread *t = percpu[core].current;
    if (s->next == s->count) {
        return false;
    }
    const struct scene_step *step = &s->steps[s->next];
    if (step->number == TIME_PASSES) {
        fake.now += step->args[0];
        return ++s->next != s->count;
    }
    if (t == NULL) {
        fake_relax();
        return ++s->patience < 5000;
    }
    uint64_t pc = t->regs.pc;
    if (!s->again) {
        memcpy(t->regs.x, step->args, sizeof(step->args));
    }
    (void)fake_syscall(core, step->number);
    s->again = percpu[core].current == t && t->regs.pc == pc;
    s->next += !s->again;
    return s->next != s->count;
}

// ---- Orders -------------------------------------------------------------------------------------------------------

// The first core goes on for so many steps, then the second, then the others as far as they can, then these two. Whoever
// has to wait for others lets them do a step.
struct order {
    unsigned cores[3];
    uint64_t steps[2];
    bool first_again; // before the second goes on
    unsigned stage;
    uint64_t done[2]; // steps that they did
};

static unsigned choose(void *arg, uint32_t may, unsigned now)
{
    struct order *o = arg;
    (void)now;
    while (o->stage < 2 && o->done[o->stage] == o->steps[o->stage]) {
        o->stage++;
    }
    if (o->stage < 2 && (may & BIT(o->cores[o->stage])) != 0) {
        o->done[o->stage]++;
        return o->cores[o->stage];
    }
    const unsigned others[CORES] = {o->cores[2], 3, o->cores[!o->first_again],
                                    o->cores[o->first_again]};
    for (unsigned i = 0;; i++) {
        if ((may & BIT(others[i])) != 0) {
            return others[i];
        }
    }
}

static void play(const struct scene *scene, struct order *o, uint64_t memory)
{
    world.from = memory;
    world.next = 200;
    memset(scripts, 0, sizeof(scripts));
    scene->build();
    check_kernel(true);
    fake_play(part, NULL, choose, o);
    check_kernel(true);
    scene->check();
    SYS_OK(0, revoke, BOOT_CSPACE, memory);
    check_kernel(true);
}

// How many steps the first two cores do if nobody interrupts them.
static void measure(const struct scene *scene, const unsigned cores[3], uint64_t memory,
                    uint64_t length[2])
{
    struct order o = {.cores = {cores[0], cores[1], cores[2]}, .steps = {UINT64_MAX, UINT64_MAX}};
    play(scene, &o, memory);
    length[0] = o.done[0];
    o = (struct order){.cores = {cores[0], cores[1], cores[2]}, .steps = {0, UINT64_MAX}};
    play(scene, &o, memory);
    length[1] = o.done[1];
}

// Order number n of those of a permutation.
static struct order order_of(const unsigned cores[3], const uint64_t length[2], uint64_t n)
{
    return (struct order){.cores = {cores[0], cores[1], cores[2]},
                          .steps = {n / 2 / (length[1] + 1), n / 2 % (length[1] + 1)},
                          .first_again = n % 2 != 0};
}

static void play_orders(const struct scene *scene)
{
    static const unsigned permutations[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                               {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    unsigned plays = 0;
    world_start(CORES);
    uint64_t memory = world_make(OBJ_UNTYPED, 0x100000);
    for (unsigned p = 0; p < ARRAY_SIZE(permutations); p++) {
        uint64_t length[2];
        measure(scene, permutations[p], memory, length);
        uint64_t all = 2 * (length[0] + 1) * (length[1] + 1);
        uint64_t few = scene->orders != 0 ? scene->orders : ORDERS;
        uint64_t stride = getenv("LONG") != NULL ? 1 : (all / few) | 1; // odd: both endings
        for (uint64_t n = p % stride; n < all; n += stride) {
            struct order o = order_of(permutations[p], length, n);
            play(scene, &o, memory);
            plays++;
        }
    }
    print_message("%s: %u orders\n", scene->name, plays);
    world_end();
}

// ---- Signals ------------------------------------------------------------------------------------------------------

static struct proc started(unsigned core, unsigned flags)
{
    struct proc p = world_proc(core, 100, flags);
    world_start_proc(&p);
    return p;
}

static void build_signal(void)
{
    a = started(1, 0);
    b = started(2, 0);
    world_give(&b, CALL, a.notification, RIGHT_WRITE, 4);
    DOES(1, receive, 0, DEADLINE_NEVER);
    DOES(2, signal, CALL);
}

static void check_signal(void)
{
    assert_running(1, &a);
    assert_int_equal(reg(&a, 0), OK);
    assert_int_equal(reg(&a, 1), 4);
    assert_int_equal(a.t->notification->word, 0);
}

static void build_two_signals(void)
{
    build_signal();
    h[0] = world_copy(a.notification, RIGHT_WRITE, 1);
    DOES(0, signal, h[0]);
    DOES(1, receive, 0, DEADLINE_NEVER);
}

static void check_two_signals(void)
{
    // Together or one by one; a wake-up may have carried nothing.
    assert_true(thread_state(a.t) == THREAD_RECEIVING || reg(&a, 1) != 0 ||
                reg(&a, 2) == INFO_NOTIFICATION);
}

static void build_deadline(void)
{
    build_signal();
    scripts[1].steps[0].args[1] = fake.now + 1;
    does(3, TIME_PASSES, (const uint64_t[8]){1});
}

static void check_deadline(void)
{
    if (thread_state(a.t) == THREAD_RECEIVING) {
        fail_msg("the signal was lost");
    }
    bool signalled = reg(&a, 0) == OK && reg(&a, 1) == 4;
    assert_true(signalled || ((err_t)reg(&a, 0) == ERR_TIMEOUT && a.t->notification->word == 4));
}

static void build_signal_and_stop(void)
{
    build_signal();
    DOES(0, thread_stop, a.thread);
    DOES(0, thread_start, a.thread);
}

static void check_signal_and_stop(void)
{
    // Its receive is complete, or it is about to make it again with the bits still there.
    assert_running(1, &a);
    bool complete = reg(&a, 0) == OK && reg(&a, 1) == 4 && reg(&a, 2) == INFO_NOTIFICATION;
    assert_true(complete || (reg(&a, 1) == DEADLINE_NEVER && a.t->notification->word == 4));
}

static void build_signal_and_move(void)
{
    build_signal();
    DOES(0, thread_time, a.thread, BOOT_TIME, 100, 3, 500, 500);
}

static void check_signal_and_move(void)
{
    assert_running(3, &a);
    assert_int_equal(reg(&a, 0), a.t->regs.pc == 4 ? OK : 0);
    uint64_t word = a.t->notification->word;
    assert_true(word == 4 || reg(&a, 1) == 4);
}

// The notification dies and its memory becomes another object while a signal is on its way.
static void build_signal_the_dead(void)
{
    h[0] = world_make(OBJ_UNTYPED, 0x2000);
    h[1] = world_make_from(h[0], OBJ_NOTIFICATION, 0);
    h[2] = world_slot();
    b = started(2, 0);
    world_give(&b, CALL, h[1], RIGHT_WRITE, 4);
    DOES(2, signal, CALL);
    DOES(0, revoke, BOOT_CSPACE, h[0]);
    DOES(0, retype, h[0], OBJ_NOTIFICATION, 0, BOOT_CSPACE, h[2]);
}

static void check_signal_the_dead(void)
{
    assert_int_equal(notification_at(h[2])->word, 0);
}

// ---- Calls --------------------------------------------------------------------------------------------------------

static void build_call_with(unsigned flags)
{
    a = started(1, flags);
    b = started(2, 0);
    world_give(&b, CALL, a.endpoint, RIGHT_WRITE, 77);
    DOES(1, receive, 0, DEADLINE_NEVER);
    DOES(2, call, CALL, 0, INFO(5, 1), 0xbb);
}

static void expect_served(void)
{
    assert_state(&a, THREAD_READY);
    assert_int_equal(reg(&a, 1), 77);
    assert_int_equal(reg(&a, 2), INFO(5, 1));
    assert_int_equal(reg(&a, 3), 0xbb);
    assert_state(&b, THREAD_CALLING);
}

static void build_call(void)
{
    build_call_with(0);
}

static void check_call(void)
{
    expect_served();
    assert_running(1, &a);
}

static void build_passive_call(void)
{
    build_call_with(THREAD_PASSIVE);
}

static void check_passive_call(void)
{
    expect_served();
    assert_running(2, &a);
}

static void build_two_callers(void)
{
    build_call_with(THREAD_PASSIVE);
    c = started(3, 0);
    world_give(&c, CALL, a.endpoint, RIGHT_WRITE, 78);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(6, 0)), WORLD_BLOCKED); // is in the queue
}

static void check_two_callers(void)
{
    assert_state(&a, THREAD_READY);
    assert_running(a.t->caller == b.t ? 2 : 3, &a);
    assert_state(&b, THREAD_CALLING);
    assert_state(&c, THREAD_CALLING);
}

static void build_call_and_signal(void)
{
    build_call_with(THREAD_PASSIVE);
    h[0] = world_copy(a.notification, RIGHT_WRITE, 1);
    DOES(0, signal, h[0]);
}

static void check_call_and_signal(void)
{
    assert_state(&a, THREAD_READY);
    assert_true(a.t->notification->word == 1 || !list_empty(&a.t->endpoint->queue));
}

static void build_call_and_end_of_endpoint(void)
{
    build_call_with(0);
    DOES(0, revoke, BOOT_CSPACE, a.endpoint);
    DOES(0, delete, BOOT_CSPACE, a.endpoint);
}

static void check_call_and_end_of_endpoint(void)
{
    assert_state(&a, THREAD_STOPPED);
    assert_running(2, &b);
    assert_true((err_t)reg(&b, 0) == ERR_GONE || (err_t)reg(&b, 0) == ERR_NO_CAP);
}

static void build_call_and_end_of_server(void)
{
    build_call_with(THREAD_PASSIVE);
    DOES(0, delete, BOOT_CSPACE, a.thread);
}

static void check_call_and_end_of_server(void)
{
    if (thread_state(b.t) == THREAD_READY) {
        assert_int_equal(reg(&b, 0), ERR_GONE);
    } else {
        assert_int_equal(b.t->wait, WAIT_QUEUED);
    }
}

static void build_call_and_stop_of_server(void)
{
    build_call_with(THREAD_PASSIVE);
    DOES(0, thread_stop, a.thread);
}

static void check_call_and_stop_of_server(void)
{
    assert_state(&a, THREAD_STOPPED);
    assert_state(&b, THREAD_CALLING);
}

static void build_call_and_move_of_server(void)
{
    build_call_with(THREAD_PASSIVE);
    DOES(0, thread_time, a.thread, BOOT_TIME, 100, 3, 500, 500);
    DOES(3, receive, 0, DEADLINE_NEVER);
}

static void check_call_and_move_of_server(void)
{
    assert_int_equal(a.t->home, 3);
    assert_state(&b, THREAD_CALLING);
    assert_true(thread_state(a.t) == THREAD_READY);
}

// The caller is stopped while its server takes it out of the queue: what was delivered is not delivered again.
static void build_stop_of_queued_caller(void)
{
    a = started(1, 0);
    b = started(2, 0);
    world_give(&b, CALL, a.endpoint, RIGHT_WRITE, 77);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(5, 1), 0xbb), WORLD_BLOCKED);
    DOES(1, receive, RECEIVE_POLL, DEADLINE_NEVER);
    DOES(0, thread_stop, b.thread);
}

static void check_stop_of_queued_caller(void)
{
    assert_state(&b, THREAD_STOPPED);
    bool delivered = reg(&a, 0) == OK && reg(&a, 1) == 77;
    assert_int_equal(b.t->regs.pc, delivered ? 4 : 0);
    assert_int_equal(reg(&b, 0), delivered ? (uint64_t)ERR_GONE : CALL);
}

static void build_reply(void)
{
    a = started(1, 0);
    b = started(2, 0);
    world_give(&b, CALL, a.endpoint, RIGHT_WRITE, 77);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(5, 1), 0xbb), WORLD_BLOCKED);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    DOES(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0));
}

// The caller's core is slow: when it looks for the server, that has answered it already and waits for the next. It wakes
// with nothing, and must be able to tell.
static void build_answer_to_a_slow_core(void)
{
    build_call();
    DOES(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 1), 0xaa);
}

static void check_answer_to_a_slow_core(void)
{
    assert_running(2, &b);
    assert_int_equal(reg(&b, 0), OK);
    assert_int_equal(reg(&b, 2), INFO(6, 1));
    if (thread_state(a.t) != THREAD_RECEIVING) {
        assert_running(1, &a);
        assert_int_equal(reg(&a, 0), OK);
        assert_int_equal(reg(&a, 1), 0);
        assert_int_equal(reg(&a, 2), INFO_NOTIFICATION);
        assert_int_equal(reg(&a, 3), 0xaa);
    }
}

static void build_reply_and_stop(void)
{
    build_reply();
    DOES(0, thread_stop, b.thread);
}

static void check_reply_and_stop(void)
{
    assert_state(&a, THREAD_RECEIVING);
    assert_state(&b, THREAD_STOPPED);
    bool replied = reg(&b, 0) == OK && reg(&b, 2) == INFO(6, 0);
    assert_true(replied || (err_t)reg(&b, 0) == ERR_GONE);
    assert_int_equal(b.t->regs.pc, 4);
}

static void build_reply_and_move(void)
{
    build_reply();
    DOES(0, thread_time, b.thread, BOOT_TIME, 100, 3, 500, 500);
}

static void check_reply_and_move(void)
{
    assert_running(3, &b);
    assert_int_equal(reg(&b, 2), INFO(6, 0));
}

// The caller, answered, lies in the inbox of the core that moves it and then waits for the new core to stop it.
static void build_reply_move_and_stop(void)
{
    build_reply();
    SYS_OK(0, thread_time, b.thread, BOOT_TIME, 100, 0, 500, 500);
    DOES(0, thread_time, b.thread, BOOT_TIME, 100, 3, 500, 500);
    DOES(0, thread_stop, b.thread);
}

static void build_reply_and_end(void)
{
    build_reply();
    DOES(0, delete, BOOT_CSPACE, b.thread);
    DOES(0, delete, BOOT_CSPACE, b.thread);
}

static void check_reply_and_end(void)
{
    assert_state(&a, THREAD_RECEIVING);
    assert_null(a.t->caller);
}

// The caller is stopped, started, and calls somebody else, while its old server is about to answer: that answer must
// not end the new call.
static void build_late_reply(void)
{
    build_reply();
    c = started(3, 0);
    assert_int_equal(SYS(3, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    world_give(&b, CALL + 1, c.endpoint, RIGHT_WRITE, 78);
    DOES(0, thread_stop, b.thread);
    DOES(0, thread_start, b.thread);
    DOES(2, call, CALL + 1, 0, INFO(7, 0));
}

static void check_late_reply(void)
{
    if (thread_state(b.t) == THREAD_READY) { // it was stopped in its second call
        assert_true(b.t->regs.pc == 4 || (err_t)reg(&b, 0) == ERR_GONE);
    } else {
        assert_ptr_equal(b.t->server, c.t);
        assert_running(3, &c);
    }
}

static void build_forget_and_end(void)
{
    build_reply();
    scripts[1].count = 0;
    DOES(1, receive, 0, DEADLINE_NEVER); // without an answer
    DOES(0, delete, BOOT_CSPACE, b.thread);
}

// ---- Borrowed time --------------------------------------------------------------------------------------------------

// d (core 2) calls a, passive, which calls b, passive and busy on core 3: a is in b's queue on d's time. Then b takes a
// out, while d ends.
static void build_end_of_donor(void)
{
    a = world_proc(3, 100, THREAD_PASSIVE);
    b = world_proc(1, 100, THREAD_PASSIVE);
    d = world_proc(2, 90, 0);
    world_give(&a, CALL, b.endpoint, RIGHT_WRITE, 70);
    world_give(&d, CALL, a.endpoint, RIGHT_WRITE, 71);
    world_start_proc(&a);
    assert_int_equal(SYS(3, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    world_start_proc(&d);
    world_start_proc(&b); // runs on core 1, on its own time
    assert_int_equal(SYS(2, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    assert_running(2, &a);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(2, 0)), WORLD_BLOCKED);
    assert_int_equal(a.t->wait, WAIT_QUEUED);
    DOES(1, receive, 0, DEADLINE_NEVER);
    DOES(0, delete, BOOT_CSPACE, d.thread);
}

static void check_end_of_donor(void)
{
    assert_state(&b, THREAD_READY);
    assert_ptr_not_equal(b.t->donor, d.t);
    assert_ptr_not_equal(a.t->donor, d.t);
}

static void build_new_time_for_donor(void)
{
    build_end_of_donor();
    scripts[0].count = 0;
    DOES(0, thread_time, d.thread, BOOT_TIME, 90, 3, 700, 700);
}

// A queued caller is moved while its server takes it out, and borrows its time.
static void build_move_of_lender(void)
{
    b = world_proc(1, 100, THREAD_PASSIVE);
    d = world_proc(2, 90, 0);
    world_give(&d, CALL, b.endpoint, RIGHT_WRITE, 70);
    world_start_proc(&b);
    world_start_proc(&d);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    DOES(1, receive, 0, DEADLINE_NEVER);
    DOES(0, thread_time, d.thread, BOOT_TIME, 90, 3, 700, 700);
}

static void check_move_of_lender(void)
{
    assert_state(&b, THREAD_READY);
    assert_int_equal(d.t->core, 3);
}

// The same, and both have so little time that it ends meanwhile, wherever the server runs on it. What may go wrong
// takes many cores at the right places: few orders show it.
static void build_move_of_poor_lender(void)
{
    build_move_of_lender();
    world_set_time(&b, 1, 100, 10, 1000);
    scripts[0].steps[0].args[4] = 10;
    scripts[0].steps[0].args[5] = 1000;
    does(1, TIME_PASSES, (const uint64_t[8]){20});
    does(3, TIME_PASSES, (const uint64_t[8]){20});
}

static void build_reply_and_end_of_borrower(void)
{
    build_call_with(THREAD_PASSIVE);
    scripts[1].count = 0;
    scripts[2].count = 0;
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    DOES(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0));
    DOES(0, delete, BOOT_CSPACE, b.thread);
}

static void check_reply_and_end_of_borrower(void)
{
    assert_state(&a, THREAD_RECEIVING);
}

// ---- Moving -------------------------------------------------------------------------------------------------------

// A thread moves itself and goes on at once: the old core must not touch it any more.
static void build_move_oneself(void)
{
    a = started(1, 0);
    world_give(&a, CALL, a.thread, RIGHT_ALL, 0);
    world_give(&a, CALL + 1, BOOT_TIME, RIGHT_WRITE, 0);
    DOES(1, thread_time, CALL, CALL + 1, 100, 2, 500, 500);
    DOES(2, signal, 0);
}

static void check_move_oneself(void)
{
    assert_running(2, &a);
    assert_int_equal(reg(&a, 0), ERR_NO_CAP);
    assert_int_equal(a.t->regs.pc, 8);
}

static void build_stop_who_moves(void)
{
    build_move_oneself();
    scripts[2].count = 0;
    DOES(0, thread_stop, a.thread);
    DOES(0, thread_start, a.thread);
}

static void check_stop_who_moves(void)
{
    bool moved = a.t->home == 2;
    assert_running(moved ? 2 : 1, &a);
    assert_int_equal(reg(&a, 0), moved ? OK : CALL);
}

// Two who need the build lock.
static void build_two_builders(void)
{
    a = started(1, 0);
    h[0] = world_make(OBJ_UNTYPED, 0x4000);
    h[1] = world_slot();
    h[2] = world_make_from(h[0], OBJ_NOTIFICATION, 0);
    world_give(&a, CALL, BOOT_CSPACE, RIGHT_ALL, 0);
    DOES(1, copy, CALL, h[2], CALL, h[1], RIGHT_ALL, 3);
    DOES(0, revoke, BOOT_CSPACE, h[0]);
}

static void check_two_builders(void)
{
    assert_int_equal(untyped_at(h[0])->live, 0);
    assert_true(slot_empty(world_slot_at(h[1])));
}

static const struct scene scenes[] = {
    {"signal_and_receive", build_signal, check_signal},
    {"two_signals", build_two_signals, check_two_signals},
    {"signal_and_deadline", build_deadline, check_deadline},
    {"signal_and_stop", build_signal_and_stop, check_signal_and_stop},
    {"signal_and_move", build_signal_and_move, check_signal_and_move},
    {"signal_to_the_dead", build_signal_the_dead, check_signal_the_dead},
    {"call_and_receive", build_call, check_call},
    {"call_and_passive_receive", build_passive_call, check_passive_call},
    {"two_callers", build_two_callers, check_two_callers},
    {"call_and_signal", build_call_and_signal, check_call_and_signal},
    {"call_and_end_of_the_endpoint", build_call_and_end_of_endpoint,
     check_call_and_end_of_endpoint},
    {"call_and_end_of_the_server", build_call_and_end_of_server, check_call_and_end_of_server},
    {"call_and_stop_of_the_server", build_call_and_stop_of_server, check_call_and_stop_of_server},
    {"call_and_move_of_the_server", build_call_and_move_of_server, check_call_and_move_of_server},
    {"stop_of_a_queued_caller", build_stop_of_queued_caller, check_stop_of_queued_caller},
    {"answer_to_a_slow_core", build_answer_to_a_slow_core, check_answer_to_a_slow_core},
    {"reply_and_stop", build_reply_and_stop, check_reply_and_stop},
    {"reply_and_move", build_reply_and_move, check_reply_and_move},
    {"reply_move_and_stop", build_reply_move_and_stop, check_reply_and_stop},
    {"reply_and_end", build_reply_and_end, check_reply_and_end},
    {"late_reply", build_late_reply, check_late_reply},
    {"forget_and_end", build_forget_and_end, check_reply_and_end},
    {"end_of_a_donor", build_end_of_donor, check_end_of_donor},
    {"new_time_for_a_donor", build_new_time_for_donor, check_end_of_donor},
    {"move_of_a_lender", build_move_of_lender, check_move_of_lender},
    {"move_of_a_poor_lender", build_move_of_poor_lender, check_move_of_lender, 1500},
    {"reply_and_end_of_the_borrowers_caller", build_reply_and_end_of_borrower,
     check_reply_and_end_of_borrower},
    {"move_oneself", build_move_oneself, check_move_oneself},
    {"stop_who_moves", build_stop_who_moves, check_stop_who_moves},
    {"two_builders", build_two_builders, check_two_builders},
};

static void play_scene(void **state)
{
    play_orders(*state);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(scenes)];
    for (unsigned i = 0; i < ARRAY_SIZE(scenes); i++) {
        tests[i] = (struct CMUnitTest){
            .name = scenes[i].name, .test_func = play_scene, .initial_state = (void *)&scenes[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Who runs: priorities, turns, budgets, throttling, migration.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#include "percpu.h"
#include "sched.h"

// A started process on core 1.
static struct proc runner(unsigned priority, uint64_t budget, uint64_t period)
{
    struct proc p = world_proc(1, priority, 0);
    world_set_time(&p, 1, priority, budget, period);
    world_start_proc(&p);
    return p;
}

static uint64_t used(const struct proc *p)
{
    SYS_OK(0, thread_info, p->thread);
    return world.x[3];
}

static void the_highest_priority_runs(void **state)
{
    (void)state;
    static const uint8_t priorities[] = {0, 63, 64, 127, 128, 200, 253, 254};
    struct proc p[ARRAY_SIZE(priorities)];
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        unsigned n = i * 3 % ARRAY_SIZE(p);
        p[n] = runner(priorities[n], WORLD_SLICE, WORLD_SLICE);
        check_kernel(true);
    }
    for (unsigned i = ARRAY_SIZE(p); i-- > 0;) {
        assert_running(1, &p[i]);
        SYS_OK(0, thread_stop, p[i].thread);
        check_kernel(true);
    }
    assert_running(1, NULL);
}

static void equals_take_turns_of_a_slice(void **state)
{
    (void)state;
    struct proc a = runner(100, 1000, 1000);
    struct proc b = runner(100, 1000, 1000);
    struct proc c = runner(100, 500, 500);
    struct proc low = runner(99, 1000, 1000);
    uint64_t before[] = {used(&a), used(&b), used(&c)};
    fake_advance(25000);
    assert_int_equal(used(&a) - before[0], 10000);
    assert_int_equal(used(&b) - before[1], 10000);
    assert_int_equal(used(&c) - before[2], 5000);
    assert_int_equal(used(&low), 0);
    check_kernel(true);
}

// Being preempted does not give a thread more than its turn.
static void a_preempted_thread_finishes_its_slice(void **state)
{
    (void)state;
    struct proc a = runner(100, 1000, 1000);
    struct proc b = runner(100, 1000, 1000);
    struct proc high = runner(120, 1000, 1000);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_running(1, &a);
    for (unsigned i = 0; i < 3; i++) {
        fake_advance(300);
        SYS_OK(0, signal, high.notification);
        assert_running(1, &high);
        assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
        assert_running(1, &a);
    }
    fake_advance(99);
    assert_running(1, &a);
    fake_advance(1);
    assert_running(1, &b);
    check_kernel(true);
}

static void yield_lets_equals_go_first(void **state)
{
    (void)state;
    struct proc a = runner(100, WORLD_SLICE, WORLD_SLICE);
    SYS_OK(1, yield, 0);
    assert_running(1, &a);
    struct proc b = runner(100, WORLD_SLICE, WORLD_SLICE);
    struct proc low = runner(50, WORLD_SLICE, WORLD_SLICE);
    assert_running(1, &a);
    SYS_OK(1, yield, 0);
    assert_running(1, &b);
    SYS_OK(1, yield, 0);
    assert_running(1, &a);
    assert_int_equal(used(&low), 0);
    check_kernel(true);
}

static void a_budget_is_not_exceeded(void **state)
{
    (void)state;
    struct proc a = runner(100, 200, 1000);
    struct proc low = runner(50, WORLD_SLICE, WORLD_SLICE);
    uint64_t begin = fake.now;
    fake_advance(10000);
    assert_int_equal(used(&a), 2000);
    assert_int_equal(used(&low), 8000);
    assert_int_equal(fake.now, begin + 10000);
    check_kernel(true);
}

static void a_throttled_thread_may_be_stopped_and_moved(void **state)
{
    (void)state;
    struct proc a = runner(100, 200, 100000);
    fake_advance(300);
    assert_running(1, NULL);
    assert_true(a.t->throttled);
    check_kernel(true);
    SYS_OK(0, thread_stop, a.thread);
    check_kernel(true);
    SYS_OK(0, thread_start, a.thread);
    assert_running(1, NULL); // its budget is still used up
    assert_true(a.t->throttled);
    world_set_time(&a, 2, 100, 300, 100000);
    assert_running(2, &a);
    check_kernel(true);
}

static void a_period_begins_with_the_first_run_after_the_last_one(void **state)
{
    (void)state;
    struct proc a = runner(100, 200, 1000);
    fake_advance(100);
    assert_int_equal(SYS(1, receive, 0, fake.now + 5000), WORLD_BLOCKED);
    fake_advance(5000);
    uint64_t begin = fake.now;
    assert_running(1, &a);
    fake_advance(200);
    assert_running(1, NULL);
    fake_advance(begin + 1000 - fake.now);
    assert_running(1, &a);
    check_kernel(true);
}

static void idle_cores_need_no_timer(void **state)
{
    (void)state;
    assert_int_equal(percpu[2].arch.deadline, UINT64_MAX);
    struct proc a = runner(100, WORLD_SLICE, WORLD_SLICE);
    assert_int_equal(percpu[1].arch.deadline, UINT64_MAX); // nobody waits for the end of its slice
    struct proc b = runner(100, WORLD_SLICE, WORLD_SLICE);
    assert_true(percpu[1].arch.deadline <= fake.now + WORLD_SLICE);
    SYS_OK(0, thread_stop, b.thread);
    SYS_OK(0, thread_stop, a.thread);
    fake_advance(WORLD_SLICE);
    assert_int_equal(percpu[1].arch.deadline, UINT64_MAX);
}

static void a_thread_moves_in_every_state(void **state)
{
    (void)state;
    struct proc server = world_proc(3, 90, 0);
    struct proc a = world_proc(1, 100, THREAD_FP);
    world_give(&a, PROC_FREE, server.endpoint, RIGHT_WRITE, 5);
    world_set_time(&a, 2, 100, 500, 500); // stopped
    check_kernel(true);
    world_start_proc(&a);
    assert_running(2, &a);
    fake_fp_use(2);
    world_set_time(&a, 1, 100, 500, 500); // running
    assert_running(2, NULL);
    assert_running(1, &a);
    fake_fp_use(1);
    check_kernel(true);
    struct proc b = world_proc(1, 110, 0);
    world_start_proc(&b);
    assert_running(1, &b);
    world_set_time(&a, 2, 100, 500, 500); // ready
    assert_running(2, &a);
    fake_fp_use(2);
    assert_int_equal(SYS(2, receive, 0, fake.now + 1000), WORLD_BLOCKED);
    world_set_time(&a, 3, 100, 500, 500); // waiting: wakes with nothing
    assert_running(3, &a);
    assert_int_equal(reg(&a, 0), OK);
    assert_int_equal(reg(&a, 1), 0);
    assert_int_equal(reg(&a, 2), INFO_NOTIFICATION);
    fake_fp_use(3);
    check_kernel(true);
    assert_int_equal(SYS(3, call, PROC_FREE, 0, INFO(0, 0)), WORLD_BLOCKED);
    world_set_time(&a, 2, 100, 500, 500); // queued
    check_kernel(true);
    world_start_proc(&server);
    SYS_OK(3, receive, 0, DEADLINE_NEVER);
    world_set_time(&a, 0, 100, 500, 500); // being served
    world_set_time(&a, 2, 100, 500, 500);
    check_kernel(true);
    assert_int_equal(SYS(3, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(4, 0)), WORLD_BLOCKED);
    assert_running(2, &a);
    assert_int_equal(reg(&a, 2), INFO(4, 0));
    check_kernel(true);
}

// It goes on over there as soon as it is handed over: with its result in its registers.
static void a_thread_moves_itself(void **state)
{
    (void)state;
    struct proc a = world_proc(1, 100, 0);
    world_give(&a, PROC_FREE, a.thread, RIGHT_ALL, 0);
    world_give(&a, PROC_FREE + 1, BOOT_TIME, RIGHT_WRITE, TIME_BADGE(100, 6));
    world_start_proc(&a);
    SYS_OK(1, thread_time, PROC_FREE, PROC_FREE + 1, 100, 2, 700, 700);
    assert_running(1, NULL);
    assert_running(2, &a);
    SYS_OK(2, thread_time, PROC_FREE, PROC_FREE + 1, 90, 2, 700, 800); // and stays
    assert_running(2, &a);
    REFUSED(2, ERR_RIGHTS, thread_time, PROC_FREE, PROC_FREE + 1, 90, 3, 700, 700);
    REFUSED(2, ERR_RIGHTS, thread_time, PROC_FREE, PROC_FREE + 1, 101, 2, 700, 700);
    check_kernel(true);
}

static void priorities_change_at_once(void **state)
{
    (void)state;
    struct proc a = runner(100, WORLD_SLICE, WORLD_SLICE);
    struct proc b = runner(90, WORLD_SLICE, WORLD_SLICE);
    assert_running(1, &a);
    world_set_time(&b, 1, 110, WORLD_SLICE, WORLD_SLICE);
    assert_running(1, &b);
    world_set_time(&b, 1, 80, WORLD_SLICE, WORLD_SLICE);
    assert_running(1, &a);
    check_kernel(true);
}

static void fp_state_belongs_to_one_core(void **state)
{
    (void)state;
    struct proc a = world_proc(1, 100, THREAD_FP);
    struct proc b = world_proc(1, 100, THREAD_FP);
    struct proc c = world_proc(1, 90, 0);
    world_start_proc(&a);
    world_start_proc(&b);
    world_start_proc(&c);
    fake_fp_use(1);
    SYS_OK(1, yield, 0);
    assert_running(1, &b);
    assert_ptr_equal(percpu[1].fp_owner, &a.t->fp); // lazily
    fake_fp_use(1);
    assert_ptr_equal(percpu[1].fp_owner, &b.t->fp);
    SYS_OK(0, thread_stop, a.thread);
    SYS_OK(0, thread_stop, b.thread);
    assert_null(percpu[1].fp_owner);
    assert_running(1, &c);
    fake_fp_use(1); // has no right to
    assert_state(&c, THREAD_STOPPED);
    check_kernel(true);
}

static void a_wake_up_follows_a_thread_that_moves(void **state)
{
    (void)state;
    struct proc a = world_proc(1, 100, 0);
    struct proc b = world_proc(2, 100, 0);
    world_give(&b, PROC_FREE, a.notification, RIGHT_WRITE, 6);
    world_start_proc(&a);
    world_start_proc(&b);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    world.manual = true;
    SYS_OK(2, signal, PROC_FREE); // on its way to core 1, which has not looked yet
    world_set_time(&a, 3, 100, 500, 500);
    world.manual = false;
    fake_settle();
    assert_running(3, &a);
    assert_int_equal(reg(&a, 1), 6);
    check_kernel(true);
}

// The holder's own core may have a thread in its inbox that it is about to stop.
static void a_thread_that_is_still_in_the_inbox_is_stopped(void **state)
{
    (void)state;
    struct proc a = world_proc(1, 100, 0);
    world_start_proc(&a);
    world.manual = true;
    world_set_time(&a, 0, 100, 500, 500);
    SYS_OK(0, thread_stop, a.thread);
    world.manual = false;
    fake_settle();
    assert_state(&a, THREAD_STOPPED);
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(the_highest_priority_runs),
        world_test(equals_take_turns_of_a_slice),
        world_test(a_preempted_thread_finishes_its_slice),
        world_test(yield_lets_equals_go_first),
        world_test(a_budget_is_not_exceeded),
        world_test(a_throttled_thread_may_be_stopped_and_moved),
        world_test(a_period_begins_with_the_first_run_after_the_last_one),
        world_test(idle_cores_need_no_timer),
        world_test(a_thread_moves_in_every_state),
        world_test(a_thread_moves_itself),
        world_test(priorities_change_at_once),
        world_test(fp_state_belongs_to_one_core),
        world_test(a_wake_up_follows_a_thread_that_moves),
        world_test(a_thread_that_is_still_in_the_inbox_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Notifications: bits are kept until somebody waits, and given once; deadlines end a wait.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#include "percpu.h"

static void signal_before_receive_is_kept(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    uint64_t one = world_copy(p.notification, RIGHT_WRITE, 1);
    uint64_t four = world_copy(p.notification, RIGHT_WRITE, 4);

    SYS_OK(0, signal, one);
    SYS_OK(0, signal, four);
    SYS_OK(0, signal, one);

    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 5);
    assert_int_equal(world.x[2], INFO_NOTIFICATION);
    assert_int_equal(SYS(1, receive, RECEIVE_POLL, DEADLINE_NEVER), ERR_TIMEOUT);
    check_kernel(true);
}

static void signal_wakes_who_waits(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    uint64_t badged = world_copy(p.notification, RIGHT_WRITE, 0x30);

    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_state(&p, THREAD_RECEIVING);
    assert_running(1, NULL);
    check_kernel(true);

    SYS_OK(0, signal, badged);
    assert_running(1, &p);
    assert_int_equal(reg(&p, 0), OK);
    assert_int_equal(reg(&p, 1), 0x30);
    assert_int_equal(reg(&p, 2), INFO_NOTIFICATION);
    check_kernel(true);
}

static void signal_on_the_same_core_preempts_by_priority(void **state)
{
    (void)state;
    struct proc high = world_proc(1, 120, 0);
    struct proc low = world_proc(1, 100, 0);
    world_give(&low, PROC_FREE, high.notification, RIGHT_WRITE, 2);
    world_give(&high, PROC_FREE, low.notification, RIGHT_WRITE, 8);
    world_start_proc(&high);
    world_start_proc(&low);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_running(1, &low);

    SYS_OK(1, signal, PROC_FREE);
    assert_running(1, &high);
    assert_int_equal(reg(&high, 1), 2);

    SYS_OK(1, signal, PROC_FREE); // to the lower one, which is ready: nothing but the bit
    assert_running(1, &high);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_running(1, &low);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 8);
    check_kernel(true);
}

static void an_unbadged_signal_wakes_with_nothing(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    SYS_OK(0, signal, p.notification);
    assert_running(1, &p);
    assert_int_equal(reg(&p, 1), 0);
}

static void a_signal_that_nobody_is_bound_to_is_kept(void **state)
{
    (void)state;
    uint64_t n = world_make(OBJ_NOTIFICATION, 0);
    SYS_OK(0, signal, world_copy(n, RIGHT_WRITE, 0x40));
    struct proc p = world_proc(1, 100, 0);
    SYS_OK(0, thread_bind, p.thread, THREAD_NOTIFICATION, 0);
    SYS_OK(0, thread_bind, p.thread, THREAD_NOTIFICATION, n);
    world_start_proc(&p);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 0x40);
}

static void refusals(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    world_give(&p, PROC_FREE, p.notification, RIGHT_READ, 0);
    REFUSED(1, ERR_RIGHTS, signal, PROC_FREE);
    REFUSED(1, ERR_NO_CAP, signal, 0);
    REFUSED(1, ERR_NO_CAP, signal, PROC_SLOTS);
    REFUSED(1, ERR_NO_CAP, signal, UINT64_MAX);
    REFUSED(1, ERR_TYPE, signal, PROC_CSPACE);
    REFUSED(1, ERR_INVALID, receive, 4, DEADLINE_NEVER);
    REFUSED(1, ERR_INVALID, receive, 1ull << 63, DEADLINE_NEVER);
    REFUSED(1, ERR_INVALID, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(0, 65));
    REFUSED(1, ERR_INVALID, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO_NOTIFICATION);
    REFUSED(1, ERR_TIMEOUT, receive, RECEIVE_POLL, DEADLINE_NEVER);
    REFUSED(1, ERR_TIMEOUT, receive, 0, 0);
}

static void a_deadline_ends_the_wait(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    uint64_t deadline = fake.now + 500;
    assert_int_equal(SYS(1, receive, 0, deadline), WORLD_BLOCKED);
    fake_advance(499);
    assert_state(&p, THREAD_RECEIVING);
    fake_advance(1);
    assert_running(1, &p);
    assert_int_equal(reg(&p, 0), ERR_TIMEOUT);
    assert_int_equal(SYS(1, receive, 0, deadline), ERR_TIMEOUT); // it is over
    check_kernel(true);
}

static void a_signal_before_the_deadline_forgets_it(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    assert_int_equal(SYS(1, receive, 0, fake.now + 500), WORLD_BLOCKED);
    SYS_OK(0, signal, world_copy(p.notification, RIGHT_WRITE, 1));
    assert_running(1, &p);
    check_kernel(true);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    fake_advance(1000);
    assert_state(&p, THREAD_RECEIVING);
}

static void deadlines_fire_in_their_order(void **state)
{
    (void)state;
    struct proc p[20];
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        p[i] = world_proc(1, 100 + i, 0);
        world_start_proc(&p[i]);
        assert_int_equal(SYS(1, receive, 0, fake.now + 100 + (i * 7 % 20) * 10), WORLD_BLOCKED);
    }
    check_kernel(true);
    for (uint64_t t = 100; t < 300; t += 10) {
        fake_advance(t == 100 ? 100 : 10);
        unsigned woken = 0;
        for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
            woken += thread_state(p[i].t) == THREAD_READY;
            assert_int_equal(thread_state(p[i].t) == THREAD_READY, 100 + (i * 7 % 20) * 10 <= t);
        }
        assert_int_equal(woken, (t - 100) / 10 + 1);
        check_kernel(true);
    }
}

// More than one batch at the same moment.
static void many_deadlines_at_once(void **state)
{
    (void)state;
    struct proc p[40];
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        p[i] = world_proc(1, 100, 0);
        world_start_proc(&p[i]);
        assert_int_equal(SYS(1, receive, 0, 100000), WORLD_BLOCKED);
    }
    fake_advance(100000 - fake.now);
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        assert_state(&p[i], THREAD_READY);
        assert_int_equal(reg(&p[i], 0), ERR_TIMEOUT);
    }
    check_kernel(true);
}

static void the_end_of_a_notification_stops_who_holds_it(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    SYS_OK(0, revoke, BOOT_CSPACE, p.notification);
    assert_state(&p, THREAD_STOPPED);
    assert_null(p.t->notification);
    check_kernel(true);
    // Started again, it repeats its receive and waits for calls only.
    world_start_proc(&p);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(signal_before_receive_is_kept),
        world_test(signal_wakes_who_waits),
        world_test(signal_on_the_same_core_preempts_by_priority),
        world_test(an_unbadged_signal_wakes_with_nothing),
        world_test(a_signal_that_nobody_is_bound_to_is_kept),
        world_test(refusals),
        world_test(a_deadline_ends_the_wait),
        world_test(a_signal_before_the_deadline_forgets_it),
        world_test(deadlines_fire_in_their_order),
        world_test(many_deadlines_at_once),
        world_test(the_end_of_a_notification_stops_who_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

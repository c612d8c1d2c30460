// Endpoints: the queue, its order, and its end.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#define CALL PROC_FREE // the caller's handle of the endpoint

static struct proc caller_of(const struct proc *server, unsigned core, uint64_t badge)
{
    struct proc p = world_proc(core, 100, 0);
    world_give(&p, CALL, server->endpoint, RIGHT_WRITE, badge);
    world_start_proc(&p);
    return p;
}

static void callers_queue_up_and_are_served_in_order(void **state)
{
    (void)state;
    struct proc server = world_proc(1, 90, 0);
    struct proc a = caller_of(&server, 2, 21);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(7, 1), 0xa), WORLD_BLOCKED);
    struct proc b = caller_of(&server, 2, 22);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(8, 1), 0xb), WORLD_BLOCKED);
    struct proc c = caller_of(&server, 1, 23);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(9, 1), 0xc), WORLD_BLOCKED);
    assert_state(&a, THREAD_CALLING);
    check_kernel(true);

    world_start_proc(&server);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 21);
    assert_int_equal(world.x[2], INFO(7, 1));
    assert_int_equal(world.x[3], 0xa);
    check_kernel(true);
    SYS_OK(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(1, 1), 0x1a);
    assert_int_equal(world.x[1], 22);
    assert_running(2, &a);
    assert_int_equal(reg(&a, 0), OK);
    assert_int_equal(reg(&a, 2), INFO(1, 1));
    assert_int_equal(reg(&a, 3), 0x1a);
    SYS_OK(1, receive, RECEIVE_REPLY | RECEIVE_POLL, DEADLINE_NEVER, INFO(2, 0));
    assert_int_equal(world.x[1], 23);
    assert_state(&b, THREAD_READY);
    assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(3, 0)), WORLD_BLOCKED);
    assert_running(1, &c);
    check_kernel(true);
}

static void signals_come_before_callers(void **state)
{
    (void)state;
    struct proc server = world_proc(1, 90, 0);
    struct proc a = caller_of(&server, 2, 21);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(7, 0)), WORLD_BLOCKED);
    SYS_OK(0, signal, world_copy(server.notification, RIGHT_WRITE, 4));
    world_start_proc(&server);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[2], INFO_NOTIFICATION);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 21);
    assert_state(&a, THREAD_CALLING);
}

static void the_end_of_an_endpoint_ends_all_calls(void **state)
{
    (void)state;
    struct proc server = world_proc(1, 90, 0);
    struct proc served = caller_of(&server, 2, 21);
    struct proc queued = caller_of(&server, 3, 22);
    world_start_proc(&server);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(7, 0)), WORLD_BLOCKED);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(7, 0)), WORLD_BLOCKED);

    SYS_OK(0, revoke, BOOT_CSPACE, server.endpoint);
    SYS_OK(0, delete, BOOT_CSPACE, server.endpoint);
    assert_state(&server, THREAD_STOPPED);
    assert_running(2, &served);
    assert_int_equal(reg(&served, 0), ERR_GONE);
    assert_running(3, &queued);
    assert_int_equal(reg(&queued, 0), ERR_GONE);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(7, 0)), ERR_NO_CAP); // that was revoked, too
    check_kernel(true);
}

static void a_caller_leaves_the_queue_when_it_is_stopped(void **state)
{
    (void)state;
    struct proc server = world_proc(1, 90, 0);
    struct proc a = caller_of(&server, 2, 21);
    struct proc b = caller_of(&server, 3, 22);
    uint64_t pc = a.t->regs.pc;
    assert_int_equal(SYS(2, call, CALL, 0, INFO(7, 2), 1, 2), WORLD_BLOCKED);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(7, 0)), WORLD_BLOCKED);
    SYS_OK(0, thread_stop, a.thread);
    assert_state(&a, THREAD_STOPPED);
    check_kernel(true);
    world_start_proc(&server);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 22);

    // Nobody had taken its call: started again, it makes it again.
    SYS_OK(0, thread_start, a.thread);
    assert_int_equal(a.t->regs.pc, pc);
    assert_int_equal(reg(&a, 0), CALL);
    assert_int_equal(reg(&a, 4), 2);
    check_kernel(true);
    assert_state(&b, THREAD_CALLING);
}

static void refusals(void **state)
{
    (void)state;
    struct proc server = world_proc(1, 90, 0);
    struct proc p = caller_of(&server, 2, 21);
    world_give(&p, CALL + 1, server.endpoint, RIGHT_READ | RIGHT_COPY, 0);
    REFUSED(2, ERR_RIGHTS, call, CALL + 1, 0, INFO(0, 0));
    REFUSED(2, ERR_NO_CAP, call, CALL + 2, 0, INFO(0, 0));
    REFUSED(2, ERR_NO_CAP, call, 0, 0, INFO(0, 0));
    REFUSED(2, ERR_NO_CAP, call, UINT64_MAX, 0, INFO(0, 0));
    REFUSED(2, ERR_TYPE, call, PROC_NOTIFICATION, 0, INFO(0, 0));
    REFUSED(2, ERR_INVALID, call, CALL, 0, INFO(0, 65));
    for (unsigned bit = 7; bit < 12; bit++) {
        REFUSED(2, ERR_INVALID, call, CALL, 0, INFO(1, 0) | BIT(bit));
    }
    SYS_OK(0, thread_stop, p.thread);
    SYS_OK(0, thread_bind, p.thread, THREAD_MESSAGE, 0);
    SYS_OK(0, thread_start, p.thread);
    REFUSED(2, ERR_INVALID, call, CALL, 0, INFO(0, 5)); // no message page
    assert_int_equal(SYS(2, call, CALL, 0, INFO(0, 4)), WORLD_BLOCKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(callers_queue_up_and_are_served_in_order),
        world_test(signals_come_before_callers),
        world_test(the_end_of_an_endpoint_ends_all_calls),
        world_test(a_caller_leaves_the_queue_when_it_is_stopped),
        world_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

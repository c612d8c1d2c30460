// Calls, replies, faults: messages and control between threads; borrowed time is in test_passive.c.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include "kernel_fixture.h"

#define CALL PROC_FREE // the caller's handle of the endpoint

struct pair {
    struct proc server; // waits
    struct proc client; // runs
};

static struct pair start_pair(unsigned server_core, unsigned client_core, unsigned flags)
{
    struct pair p = {
        .server = world_proc(server_core, 110, flags),
        .client = world_proc(client_core, 100, 0),
    };
    world_give(&p.client, CALL, p.server.endpoint, RIGHT_WRITE, 77);
    world_start_proc(&p.server);
    assert_int_equal(SYS(server_core, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    world_start_proc(&p.client);
    assert_running(client_core, &p.client);
    return p;
}

static void expect_call(const struct proc *server, uint64_t badge, uint64_t info)
{
    assert_state(server, THREAD_READY);
    assert_int_equal(reg(server, 0), OK);
    assert_int_equal(reg(server, 1), badge);
    assert_int_equal(reg(server, 2), info);
}

static void call_and_reply_on_one_core(void **state)
{
    (void)state;
    struct pair p = start_pair(1, 1, 0);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 4), 11, 12, 13, 14), WORLD_BLOCKED);
    assert_running(1, &p.server);
    expect_call(&p.server, 77, INFO(5, 4));
    assert_int_equal(reg(&p.server, 3), 11);
    assert_int_equal(reg(&p.server, 6), 14);
    check_kernel(true);

    assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 2), 21, 22),
                     WORLD_BLOCKED);
    assert_running(1, &p.client);
    assert_int_equal(reg(&p.client, 0), OK);
    assert_int_equal(reg(&p.client, 1), 0);
    assert_int_equal(reg(&p.client, 2), INFO(6, 2));
    assert_int_equal(reg(&p.client, 4), 22);
    check_kernel(true);
}

static void call_and_reply_across_cores(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(SYS(3, call, CALL, 0, INFO(i, 1), 100 + i), WORLD_BLOCKED);
        assert_running(2, &p.server);
        expect_call(&p.server, 77, INFO(i, 1));
        assert_int_equal(reg(&p.server, 3), 100 + i);
        check_kernel(true);
        assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(i + 1, 0)),
                         WORLD_BLOCKED);
        assert_running(3, &p.client);
        assert_int_equal(reg(&p.client, 2), INFO(i + 1, 0));
    }
    check_kernel(true);
}

static void long_messages_go_through_the_message_pages(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    for (unsigned i = 0; i < MESSAGE_WORDS + 2; i++) {
        p.client.words[i] = 1000 + i;
        p.server.words[i] = 0;
    }
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 64), 1, 2, 3, 4), WORLD_BLOCKED);
    expect_call(&p.server, 77, INFO(1, 64));
    assert_int_equal(p.server.words[3], 0);
    assert_int_equal(p.server.words[4], 1004);
    assert_int_equal(p.server.words[63], 1063);
    assert_int_equal(p.server.words[64], 0);
    p.server.words[4] = 9;
    p.server.words[5] = 8;
    p.client.words[5] = 7;
    assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(1, 5), 1, 2, 3, 4),
                     WORLD_BLOCKED);
    assert_int_equal(p.client.words[4], 9);
    assert_int_equal(p.client.words[5], 7);
}

static void who_has_no_message_page_gets_four_words(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    SYS_OK(0, thread_stop, p.server.thread);
    SYS_OK(0, thread_bind, p.server.thread, THREAD_MESSAGE, 0);
    SYS_OK(0, thread_start, p.server.thread);
    assert_int_equal(SYS(2, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(3, 64), 1, 2, 3, 4), WORLD_BLOCKED);
    expect_call(&p.server, 77, INFO(3, 4));
}

static void a_poll_answers_and_looks_for_more(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    assert_int_equal(SYS(2, receive, RECEIVE_REPLY | RECEIVE_POLL, DEADLINE_NEVER, INFO(2, 0)),
                     ERR_TIMEOUT);
    assert_running(2, &p.server);
    assert_running(3, &p.client);
    check_kernel(true);
}

static void who_is_not_answered_stays_blocked(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    assert_int_equal(SYS(2, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_state(&p.client, THREAD_CALLING);
    assert_null(p.server.t->caller);
    check_kernel(true);
    // A reply that comes too late goes to nobody.
    SYS_OK(0, signal, world_copy(p.server.notification, RIGHT_WRITE, 1));
    assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(2, 0)), WORLD_BLOCKED);
    assert_state(&p.client, THREAD_CALLING);

    SYS_OK(0, thread_start, p.client.thread);
    assert_running(3, &p.client);
    assert_int_equal(reg(&p.client, 0), ERR_GONE);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    expect_call(&p.server, 77, INFO(1, 0));
    check_kernel(true);
}

static void a_caller_that_is_stopped_gets_no_answer(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    SYS_OK(0, thread_stop, p.client.thread);
    assert_state(&p.client, THREAD_STOPPED);
    assert_int_equal(reg(&p.client, 0), ERR_GONE);
    check_kernel(true);
    assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(2, 0)), WORLD_BLOCKED);
    assert_state(&p.client, THREAD_STOPPED);
    check_kernel(true);
}

static void the_end_of_the_server_ends_the_call(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    SYS_OK(0, delete, BOOT_CSPACE, p.server.thread);
    assert_running(2, NULL);
    assert_running(3, &p.client);
    assert_int_equal(reg(&p.client, 0), ERR_GONE);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED); // waits for a new server
    check_kernel(true);
}

static void the_end_of_the_caller_is_noticed(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    SYS_OK(0, delete, BOOT_CSPACE, p.client.thread);
    assert_null(p.server.t->caller);
    assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(2, 0)), WORLD_BLOCKED);
    check_kernel(true);
}

static void calling_oneself_hurts_nobody_else(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    SYS_OK(0, signal, p.server.notification);
    assert_int_equal(SYS(2, call, PROC_ENDPOINT, 0, INFO(1, 0)), WORLD_BLOCKED);
    assert_int_equal(SYS(3, call, CALL, 0, INFO(1, 0)), WORLD_BLOCKED);
    assert_state(&p.server, THREAD_CALLING);
    check_kernel(true);
    SYS_OK(0, delete, BOOT_CSPACE, p.server.thread);
    check_kernel(true);
}

// ---- Faults -------------------------------------------------------------------------------------------------------

static struct pair start_handler(void)
{
    struct pair p = start_pair(2, 3, 0);
    uint64_t badged = world_copy(p.server.endpoint, RIGHT_ALL, 88);
    SYS_OK(0, thread_stop, p.client.thread);
    SYS_OK(0, thread_bind, p.client.thread, THREAD_FAULT, badged);
    SYS_OK(0, thread_start, p.client.thread);
    return p;
}

static void a_fault_is_a_call_that_changes_no_register(void **state)
{
    (void)state;
    struct pair p = start_handler();
    p.client.t->regs.pc = 0x5000;
    for (unsigned i = 0; i < 8; i++) {
        p.client.t->regs.x[i] = 50 + i;
    }
    struct arch_regs before = p.client.t->regs;
    (void)fake_fault(3, FAULT_VM, 0xbad);
    fake_settle();
    assert_state(&p.client, THREAD_FAULTED);
    assert_running(2, &p.server);
    expect_call(&p.server, 88, INFO(FAULT_VM, 4));
    assert_int_equal(reg(&p.server, 3), 0x5000);
    assert_int_equal(reg(&p.server, 4), 0xbad);
    assert_int_equal(reg(&p.server, 5), 0x77);
    assert_int_equal(reg(&p.server, 6), 0);
    check_kernel(true);

    // Its registers may be read and changed now.
    SYS_OK(0, thread_write, p.client.thread, REG_PC, 1, 0x5004);
    SYS_OK(0, thread_read, p.client.thread, 0, 6);
    assert_int_equal(world.x[1], 50);
    assert_int_equal(world.x[6], 55);
    assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(9, 4), 1, 2, 3, 4),
                     WORLD_BLOCKED);
    assert_running(3, &p.client);
    assert_int_equal(p.client.t->regs.pc, 0x5004);
    assert_memory_equal(p.client.t->regs.x, before.x, sizeof(before.x));
    check_kernel(true);
}

static void a_fault_waits_for_its_handler(void **state)
{
    (void)state;
    struct pair p = start_handler();
    SYS_OK(0, signal, p.server.notification);
    (void)fake_fault(3, FAULT_USER, 0);
    assert_state(&p.client, THREAD_FAULTED);
    check_kernel(true);
    SYS_OK(2, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 88);
    assert_int_equal(world.x[2], INFO(FAULT_USER, 4));
}

static void a_fault_that_nobody_handles_stops_the_thread(void **state)
{
    (void)state;
    struct pair p = start_pair(2, 3, 0);
    p.client.t->regs.pc = 0x1234;
    (void)fake_fault(3, FAULT_VM, 0xbad);
    assert_state(&p.client, THREAD_STOPPED);
    assert_running(3, NULL);
    assert_non_null(strstr(fake.console, "pc 0x1234, address 0xbad"));
    check_kernel(true);
}

static void an_unknown_system_call_is_a_fault(void **state)
{
    (void)state;
    struct pair p = start_handler();
    static const unsigned numbers[] = {SYSCALL_COUNT, 255, 0xffff};
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        (void)fake_syscall(3, numbers[i]);
        fake_settle();
        assert_state(&p.client, THREAD_FAULTED);
        expect_call(&p.server, 88, INFO(FAULT_SYSCALL, 4));
        assert_int_equal(reg(&p.server, 4), numbers[i]);
        assert_int_equal(SYS(2, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(0, 0)), WORLD_BLOCKED);
        assert_running(3, &p.client);
    }
}

static void a_faulted_thread_goes_on_when_it_is_started(void **state)
{
    (void)state;
    struct pair p = start_handler();
    p.client.t->regs.pc = 0x5000;
    p.client.t->regs.x[0] = 5;
    (void)fake_fault(3, FAULT_VM, 0xbad);
    fake_settle();
    SYS_OK(0, thread_start, p.client.thread);
    assert_running(3, &p.client);
    assert_int_equal(p.client.t->regs.pc, 0x5000);
    assert_int_equal(reg(&p.client, 0), 5);
    assert_null(p.server.t->caller);
    check_kernel(true);
}

static void the_end_of_the_handler_leaves_the_fault_as_it_is(void **state)
{
    (void)state;
    struct pair p = start_handler();
    p.client.t->regs.x[0] = 5;
    (void)fake_fault(3, FAULT_VM, 0xbad);
    fake_settle();
    SYS_OK(0, delete, BOOT_CSPACE, p.server.thread);
    assert_running(3, &p.client); // and it faults again
    assert_int_equal(reg(&p.client, 0), 5);
    (void)fake_fault(3, FAULT_VM, 0xbad);
    assert_state(&p.client, THREAD_FAULTED);
    SYS_OK(0, revoke, BOOT_CSPACE, p.server.endpoint);
    SYS_OK(0, delete, BOOT_CSPACE, p.server.endpoint);
    assert_running(3, &p.client);
    (void)fake_fault(3, FAULT_VM, 0xbad);
    assert_state(&p.client, THREAD_STOPPED);
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(call_and_reply_on_one_core),
        world_test(call_and_reply_across_cores),
        world_test(long_messages_go_through_the_message_pages),
        world_test(who_has_no_message_page_gets_four_words),
        world_test(a_poll_answers_and_looks_for_more),
        world_test(who_is_not_answered_stays_blocked),
        world_test(a_caller_that_is_stopped_gets_no_answer),
        world_test(the_end_of_the_server_ends_the_call),
        world_test(the_end_of_the_caller_is_noticed),
        world_test(calling_oneself_hurts_nobody_else),
        world_test(a_fault_is_a_call_that_changes_no_register),
        world_test(a_fault_waits_for_its_handler),
        world_test(a_fault_that_nobody_handles_stops_the_thread),
        world_test(an_unknown_system_call_is_a_fault),
        world_test(a_faulted_thread_goes_on_when_it_is_started),
        world_test(the_end_of_the_handler_leaves_the_fault_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

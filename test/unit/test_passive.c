// Passive servers: they run on their callers' core and time, and never keep either. kernel/ipc.c, kernel/sched.c
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#include "ipc.h"
#include "percpu.h"

#define CALL PROC_FREE

static struct proc passive_server(unsigned core, unsigned priority)
{
    struct proc p = world_proc(core, priority, THREAD_PASSIVE | THREAD_FP);
    world_start_proc(&p);
    assert_running(core, &p);
    assert_int_equal(SYS(core, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    return p;
}

static struct proc client_of(const struct proc *server, unsigned core)
{
    struct proc p = world_proc(core, 100, 0);
    world_give(&p, CALL, server->endpoint, RIGHT_WRITE, 77);
    world_start_proc(&p);
    assert_running(core, &p);
    return p;
}

static void expect_on_time_of(const struct proc *server, const struct proc *donor)
{
    assert_ptr_equal(server->t->donor, donor->t);
    assert_int_equal(server->t->core, donor->t->core);
}

static void a_call_takes_the_server_to_the_caller(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t used = client.t->own.used;
        assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
        assert_running(1, &server);
        assert_running(3, NULL);
        expect_on_time_of(&server, &client);
        check_kernel(true);
        fake_advance(120);
        assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0)), WORLD_BLOCKED);
        assert_running(1, &client);
        assert_int_equal(server.t->core, 3);
        assert_int_equal(server.t->own.used, 0);
        check_kernel(true);
        fake_advance(30);
        SYS_OK(0, thread_info, client.thread);
        assert_int_equal(world.x[3], used + 150);
    }
}

static void it_serves_signals_at_home_on_its_own_time(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    SYS_OK(0, signal, world_copy(server.notification, RIGHT_WRITE, 1));
    assert_running(3, &server);
    fake_advance(50);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED); // queued
    assert_running(1, NULL);
    (void)SYS(3, receive, 0, DEADLINE_NEVER); // served at once, over there
    assert_running(3, NULL);
    assert_running(1, &server);
    assert_int_equal(reg(&server, 1), 77);
    expect_on_time_of(&server, &client);
    assert_int_equal(server.t->own.used, 50);
    check_kernel(true);
}

static void it_goes_from_caller_to_caller(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc a = client_of(&server, 1);
    struct proc b = client_of(&server, 2);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    assert_int_equal(SYS(2, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    fake_fp_use(1);
    for (unsigned i = 0; i < 4; i++) {
        unsigned core = 1 + i % 2;
        assert_running(core, &server);
        (void)SYS(core, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0));
        assert_running(core, i % 2 == 0 ? &a : &b);
        assert_running(3 - core, &server);
        check_kernel(true);
        fake_fp_use(3 - core); // its FP state came along
        assert_int_equal(SYS(core, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    }
    check_kernel(true);
}

// A chain of servers that call each other: the last ones run on their own time.
static void a_chain_borrows_so_far_and_no_further(void **state)
{
    (void)state;
    struct proc s[DONATION_DEPTH + 2];
    for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
        s[i] = passive_server(3, 100);
        if (i > 0) {
            world_give(&s[i - 1], CALL, s[i].endpoint, RIGHT_WRITE, 1 + i);
        }
    }
    struct proc client = client_of(&s[0], 1);
    for (unsigned i = 0; i < DONATION_DEPTH; i++) {
        assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
        assert_running(1, &s[i]);
        expect_on_time_of(&s[i], &client);
        check_kernel(true);
    }
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    assert_running(1, NULL);
    assert_running(3, &s[DONATION_DEPTH]);
    expect_on_time_of(&s[DONATION_DEPTH], &s[DONATION_DEPTH]);
    check_kernel(true);

    // Its caller goes: all that ran on its time have their own.
    SYS_OK(0, delete, BOOT_CSPACE, client.thread);
    for (unsigned i = 0; i < DONATION_DEPTH; i++) {
        assert_ptr_equal(s[i].t->donor, s[i].t);
    }
    check_kernel(true);
    (void)SYS(3, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0));
    for (unsigned i = DONATION_DEPTH; i-- > 0;) {
        assert_running(1, &s[i]);
        assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0)), WORLD_BLOCKED);
        check_kernel(true);
    }
}

static void a_stopped_caller_takes_its_time_back(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    fake_advance(40);
    SYS_OK(0, thread_stop, client.thread);
    assert_running(1, &server); // there, until it waits again
    assert_ptr_equal(server.t->donor, server.t);
    check_kernel(true);
    fake_advance(60);
    SYS_OK(0, thread_info, client.thread);
    assert_int_equal(world.x[3], 40);
    SYS_OK(0, thread_info, server.thread);
    assert_int_equal(world.x[3], 60);
    assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0)), WORLD_BLOCKED);
    assert_int_equal(server.t->core, 3);
    check_kernel(true);
}

// The caller's budget is used up inside the server; then the caller is stopped: the server goes on at once.
static void a_throttled_server_goes_on_when_its_caller_stops(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    world_set_time(&client, 1, 100, 100, 100000);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    fake_advance(100);
    assert_running(1, NULL);
    assert_true(server.t->throttled);
    check_kernel(true);
    SYS_OK(0, thread_stop, client.thread);
    assert_running(1, &server);
    check_kernel(true);
}

static void new_time_for_the_caller_leaves_the_server_with_its_own(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    fake.now += 30;
    world_set_time(&client, 2, 100, 500, 500);
    assert_int_equal(client.t->own.left, 500); // what was used before is of the old time
    assert_running(1, &server);
    assert_ptr_equal(server.t->donor, server.t);
    assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0)), WORLD_BLOCKED);
    assert_running(2, &client);
    check_kernel(true);
}

static void new_time_for_the_server_leaves_it_with_its_caller(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    world_set_time(&server, 2, 95, 700, 700);
    assert_running(1, &server);
    expect_on_time_of(&server, &client);
    check_kernel(true);
    assert_int_equal(SYS(1, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0)), WORLD_BLOCKED);
    assert_int_equal(server.t->core, 2);
    world_set_time(&server, 3, 95, 700, 700); // while it waits: wakes with nothing, there
    assert_running(3, &server);
    assert_int_equal(reg(&server, 1), 0);
    check_kernel(true);
}

static void who_forgets_its_caller_has_its_own_time(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_state(&client, THREAD_CALLING);
    assert_running(1, NULL);
    check_kernel(true);
    SYS_OK(0, delete, BOOT_CSPACE, client.thread);
    SYS_OK(0, signal, server.notification);
    assert_running(3, &server);
    check_kernel(true);
}

// Stopped in the middle, no longer passive when it starts again: it must not hold on to its caller's time, which may
// be gone any moment.
static void a_stopped_server_gives_its_callers_time_back(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    SYS_OK(0, thread_stop, server.thread);
    assert_ptr_equal(server.t->donor, server.t);
    assert_int_equal(server.t->core, 3);
    check_kernel(true);
    SYS_OK(0, thread_flags, server.thread, 0);
    SYS_OK(0, thread_start, server.thread);
    assert_running(3, &server);
    assert_int_equal(SYS(3, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(6, 0)), WORLD_BLOCKED);
    assert_running(1, &client);
    SYS_OK(0, delete, BOOT_CSPACE, client.thread);
    SYS_OK(0, signal, server.notification);
    fake_advance(10);
    check_kernel(true);
}

static void a_fault_of_the_server_gives_the_time_back_or_on(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc handler = passive_server(2, 95);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    (void)fake_fault(1, FAULT_VM, 0);
    assert_state(&server, THREAD_STOPPED);
    assert_ptr_equal(server.t->donor, server.t);
    check_kernel(true);

    SYS_OK(0, thread_bind, server.thread, THREAD_FAULT, handler.endpoint);
    SYS_OK(0, thread_start, server.thread);
    assert_running(3, &server);
    (void)SYS(3, receive, RECEIVE_REPLY, DEADLINE_NEVER, INFO(5, 0));
    assert_running(1, &client);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    (void)fake_fault(1, FAULT_VM, 0);
    assert_running(1, &handler);
    expect_on_time_of(&handler, &client);
    check_kernel(true);
    SYS_OK(0, delete, BOOT_CSPACE, client.thread);
    assert_ptr_equal(handler.t->donor, handler.t);
    check_kernel(true);
}

// Neither: it would have to look for callers on a core that it has no business on.
static void it_may_not_poll_nor_set_a_deadline(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 90);
    struct proc client = client_of(&server, 1);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    REFUSED(1, ERR_INVALID, receive, RECEIVE_REPLY | RECEIVE_POLL, DEADLINE_NEVER, INFO(6, 0));
    REFUSED(1, ERR_INVALID, receive, RECEIVE_POLL, DEADLINE_NEVER);
    REFUSED(1, ERR_INVALID, receive, RECEIVE_REPLY, fake.now + 1000, INFO(6, 0));
    expect_on_time_of(&server, &client);
    check_kernel(true);
}

static void the_budget_of_the_caller_counts_in_the_server(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 120);
    struct proc client = client_of(&server, 1);
    world_set_time(&client, 1, 100, 100, 1000);
    uint64_t start = fake.now;
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    fake_advance(99);
    assert_running(1, &server);
    fake_advance(1);
    assert_running(1, NULL);
    fake_advance(start + 999 - fake.now);
    assert_running(1, NULL);
    fake_advance(1);
    assert_running(1, &server);
    check_kernel(true);
}

// An equal of the server waits for its turn: the slice counts, although the caller had no equal.
static void the_servers_equals_get_their_turn(void **state)
{
    (void)state;
    struct proc server = passive_server(3, 40);
    struct proc equal = world_proc(1, 40, 0);
    struct proc client = client_of(&server, 1);
    world_start_proc(&equal);
    assert_int_equal(SYS(1, call, CALL, 0, INFO(5, 0)), WORLD_BLOCKED);
    assert_running(1, &server);
    fake_advance(WORLD_SLICE);
    assert_running(1, &equal);
    fake_advance(WORLD_SLICE);
    assert_running(1, &server);
    assert_state(&client, THREAD_CALLING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_call_takes_the_server_to_the_caller),
        world_test(it_serves_signals_at_home_on_its_own_time),
        world_test(it_goes_from_caller_to_caller),
        world_test(a_chain_borrows_so_far_and_no_further),
        world_test(a_stopped_caller_takes_its_time_back),
        world_test(a_throttled_server_goes_on_when_its_caller_stops),
        world_test(new_time_for_the_caller_leaves_the_server_with_its_own),
        world_test(new_time_for_the_server_leaves_it_with_its_caller),
        world_test(who_forgets_its_caller_has_its_own_time),
        world_test(a_stopped_server_gives_its_callers_time_back),
        world_test(a_fault_of_the_server_gives_the_time_back_or_on),
        world_test(it_may_not_poll_nor_set_a_deadline),
        world_test(the_budget_of_the_caller_counts_in_the_server),
        world_test(the_servers_equals_get_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

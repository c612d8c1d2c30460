// Taking dead objects apart: whatever they hold is let go, in steps, and their memory counts as free.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include "kernel_fixture.h"

#include "cap.h"
#include "reap.h"

// A process out of its own untyped memory, in the middle of everything: it maps, it is called, it calls.
struct busy {
    uint64_t untyped;
    uint64_t thread;
    uint64_t endpoint;
};

static struct busy make_busy(const struct proc *server, const struct proc *client)
{
    struct busy b = {.untyped = world_make(OBJ_UNTYPED, 0x80000)};
    b.thread = world_make_from(b.untyped, OBJ_THREAD, 0);
    b.endpoint = world_make_from(b.untyped, OBJ_ENDPOINT, 0);
    uint64_t space = world_make_from(b.untyped, OBJ_SPACE, 8);
    uint64_t cspace = world_make_from(b.untyped, OBJ_CSPACE, 16);
    uint64_t frames = world_make_from(b.untyped, OBJ_FRAMES, 16 * PAGE_SIZE);
    uint64_t irq = world_slot();
    SYS_OK(0, irq_create, BOOT_IRQ_CONTROL, b.untyped, 40, IRQ_LEVEL, BOOT_CSPACE, irq);
    uint64_t notification = world_make_from(b.untyped, OBJ_NOTIFICATION, 0);
    SYS_OK(0, irq_bind, irq, notification);
    SYS_OK(0, irq_ack, irq);
    SYS_OK(0, map, frames, space, 0x10000, MAP_READ | MAP_WRITE);
    SYS_OK(0, thread_bind, b.thread, THREAD_SPACE, space);
    SYS_OK(0, thread_bind, b.thread, THREAD_CSPACE, cspace);
    SYS_OK(0, thread_bind, b.thread, THREAD_ENDPOINT, b.endpoint);
    SYS_OK(0, thread_bind, b.thread, THREAD_NOTIFICATION, notification);
    SYS_OK(0, thread_bind, b.thread, THREAD_MESSAGE, frames);
    SYS_OK(0, thread_flags, b.thread, THREAD_FP);
    SYS_OK(0, copy, BOOT_CSPACE, server->endpoint, cspace, 5, RIGHT_WRITE, 9);
    SYS_OK(0, copy, BOOT_CSPACE, b.endpoint, client->cspace, PROC_FREE, RIGHT_WRITE, 8);
    SYS_OK(0, thread_time, b.thread, BOOT_TIME, 100, 2, 1000, 1000);
    SYS_OK(0, thread_start, b.thread);
    assert_int_equal(SYS(2, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    assert_int_equal(SYS(1, call, PROC_FREE, 0, INFO(0, 0)), WORLD_BLOCKED);
    fake_fp_use(2);
    assert_int_equal(SYS(2, call, 5, 0, INFO(0, 0)), WORLD_BLOCKED);
    return b;
}

static void a_busy_process_is_taken_apart_at_every_step(void **state)
{
    (void)state;
    struct proc server = world_proc(3, 100, 0);
    struct proc client = world_proc(1, 100, 0);
    world_start_proc(&client);
    world_start_proc(&server);
    for (uint64_t k = 0; k < 60; k++) {
        struct busy b = make_busy(&server, &client);
        if (k % 2 == 0) {
            SYS_OK(3, receive, 0, DEADLINE_NEVER);
        }
        check_kernel(true);
        fake.interrupt_in = k;
        SYS_OK(0, revoke, BOOT_CSPACE, b.untyped);
        fake.interrupt_in = 0;
        assert_int_equal(untyped_at(b.untyped)->live, 0);
        assert_running(1, &client);
        assert_int_equal(reg(&client, 0), ERR_GONE);
        assert_running(3, &server);
        if (k % 2 == 0) {
            assert_int_equal(SYS(3, receive, RECEIVE_REPLY | RECEIVE_POLL, DEADLINE_NEVER),
                             ERR_TIMEOUT);
        }
        assert_false(fake_irqs[40].enabled);
        check_kernel(true);
        SYS_OK(0, delete, BOOT_CSPACE, b.untyped);
        check_kernel(true);
    }
}

static void work_that_was_left_is_done_by_the_next(void **state)
{
    (void)state;
    struct proc other = world_proc(1, 100, 0);
    uint64_t ut = world_make(OBJ_UNTYPED, 0x20000);
    uint64_t cs = world_make_from(ut, OBJ_CSPACE, 100);
    world_give(&other, PROC_FREE, BOOT_CSPACE, RIGHT_ALL, 0);
    world_start_proc(&other);
    memcpy(other.t->regs.x, (uint64_t[8]){PROC_FREE, cs}, 64);
    fake.interrupt_in = 20;
    (void)fake_syscall(1, SYS_delete); // gives up half-way
    assert_int_equal(untyped_at(ut)->live, 1);
    check_kernel(false);
    SYS_OK(0, thread_stop, other.thread);
    SYS_OK(0, delete, BOOT_CSPACE, world_make(OBJ_ENDPOINT, 0));
    assert_int_equal(untyped_at(ut)->live, 0);
    check_kernel(true);
}

// The untyped memory that an object came from is dead, too: each waits for the last of its own.
static void memory_dies_from_the_inside(void **state)
{
    (void)state;
    uint64_t outer = world_make(OBJ_UNTYPED, 0x40000);
    uint64_t inner = world_make_from(outer, OBJ_UNTYPED, 0x20000);
    uint64_t cs = world_make_from(inner, OBJ_CSPACE, 20);
    SYS_OK(0, retype, inner, OBJ_UNTYPED, 0x4000, cs, 1);
    SYS_OK(0, copy, BOOT_CSPACE, cs, cs, 2, RIGHT_ALL, 0);
    SYS_OK(0, delete, cs, 2);
    SYS_OK(0, move, BOOT_CSPACE, inner, cs, 3); // it holds the memory that it was made of
    check_kernel(true);
    fake.interrupt_always = true;
    SYS_OK(0, delete, BOOT_CSPACE, cs);
    assert_int_equal(untyped_at(outer)->live, 0);
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_busy_process_is_taken_apart_at_every_step),
        world_test(work_that_was_left_is_done_by_the_next),
        world_test(memory_dies_from_the_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Control of threads: binding, starting, stopping, registers.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#include "percpu.h"

static void a_stopped_receive_is_repeated(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    uint64_t pc = p.t->regs.pc;
    assert_int_equal(SYS(1, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    SYS_OK(0, thread_stop, p.thread);
    assert_state(&p, THREAD_STOPPED);
    assert_int_equal(p.t->regs.pc, pc);
    SYS_OK(0, signal, world_copy(p.notification, RIGHT_WRITE, 3));
    SYS_OK(0, thread_stop, p.thread); // nothing more to stop
    assert_int_equal(p.t->regs.pc, pc);
    world_start_proc(&p);
    assert_running(1, &p);
    assert_int_equal(reg(&p, 1), DEADLINE_NEVER);
    SYS_OK(1, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 3);
    check_kernel(true);
}

static void starting_what_runs_changes_nothing(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    struct arch_regs before = p.t->regs;
    world_start_proc(&p);
    assert_running(1, &p);
    assert_memory_equal(&before, &p.t->regs, sizeof(before));
    check_kernel(true);
}

static void starting_who_waits_repeats_the_call(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    uint64_t pc = p.t->regs.pc;
    assert_int_equal(SYS(1, receive, 0, fake.now + 100), WORLD_BLOCKED);
    world_start_proc(&p);
    assert_running(1, &p);
    assert_int_equal(p.t->regs.pc, pc);
    fake_advance(200); // its deadline is forgotten
    assert_int_equal(p.t->regs.pc, pc);
    check_kernel(true);
}

static void what_cannot_run_is_not_started(void **state)
{
    (void)state;
    uint64_t t = world_make(OBJ_THREAD, 0);
    REFUSED(0, ERR_INVALID, thread_start, t); // no time, no space
    SYS_OK(0, thread_time, t, BOOT_TIME, 10, 1, 100, 100);
    REFUSED(0, ERR_INVALID, thread_start, t); // no space
    SYS_OK(0, thread_bind, t, THREAD_SPACE, world_make(OBJ_SPACE, 0));
    SYS_OK(0, thread_start, t);
    assert_ptr_equal(percpu[1].current, thread_at(t));
    // It has no capability space: every handle is refused.
    REFUSED(1, ERR_NO_CAP, signal, 1);
    REFUSED(1, ERR_NO_CAP, identify, 1);
    REFUSED(1, ERR_NO_CAP, delete, 1, 1);
    REFUSED(1, ERR_TIMEOUT, receive, RECEIVE_POLL, DEADLINE_NEVER);
    check_kernel(true);
}

static void binding_is_checked(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    uint64_t t = world_make(OBJ_THREAD, 0);
    uint64_t frames = world_make(OBJ_FRAMES, PAGE_SIZE);
    uint64_t device = world_slot();
    SYS_OK(0, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, FAKE_DEVICES, 1, BOOT_CSPACE, device);
    REFUSED(0, ERR_INVALID, thread_bind, t, THREAD_SLOT_COUNT, frames);
    REFUSED(0, ERR_INVALID, thread_bind, t, UINT64_MAX, frames);
    REFUSED(0, ERR_NO_CAP, thread_bind, t, THREAD_SPACE, world_slot());
    REFUSED(0, ERR_NO_CAP, thread_bind, t, THREAD_SPACE, BOOT_CSPACE_SLOTS);
    for (unsigned i = 0; i < THREAD_SLOT_COUNT; i++) {
        REFUSED(0, ERR_TYPE, thread_bind, t, i, UNTYPED);
    }
    REFUSED(0, ERR_RIGHTS, thread_bind, t, THREAD_MESSAGE, world_copy(frames, RIGHT_READ, 0));
    REFUSED(0, ERR_RIGHTS, thread_bind, t, THREAD_SPACE, world_copy(p.space, RIGHT_READ, 0));
    REFUSED(0, ERR_RIGHTS, thread_bind, t, THREAD_FAULT, world_copy(p.endpoint, RIGHT_READ, 0));
    REFUSED(0, ERR_RIGHTS, thread_bind, t, THREAD_ENDPOINT, world_copy(p.endpoint, RIGHT_WRITE, 0));
    REFUSED(0, ERR_RIGHTS, thread_bind, t, THREAD_NOTIFICATION,
            world_copy(p.notification, RIGHT_WRITE, 0));
    REFUSED(0, ERR_INVALID, thread_bind, t, THREAD_MESSAGE, device);
    REFUSED(0, ERR_BUSY, thread_bind, t, THREAD_NOTIFICATION, p.notification); // has its thread
    REFUSED(0, ERR_BUSY, thread_bind, t, THREAD_ENDPOINT, p.endpoint);
    REFUSED(0, ERR_OCCUPIED, thread_bind, p.thread, THREAD_SPACE, p.space);
    REFUSED(0, ERR_RIGHTS, thread_bind, world_copy(t, RIGHT_READ, 0), THREAD_SPACE, p.space);
    REFUSED(0, ERR_TYPE, thread_bind, p.space, THREAD_SPACE, p.space);
    SYS_OK(0, thread_bind, p.thread, THREAD_FAULT, 0); // nothing is bound
    world_start_proc(&p);
    REFUSED(0, ERR_BUSY, thread_bind, p.thread, THREAD_FAULT, world_make(OBJ_ENDPOINT, 0));
    check_kernel(true);
}

static void losing_what_it_holds_stops_a_thread(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < THREAD_SLOT_COUNT; slot++) {
        struct proc p = world_proc(1, 100, 0);
        SYS_OK(0, thread_bind, p.thread, THREAD_FAULT, world_make(OBJ_ENDPOINT, 0));
        SYS_OK(0, thread_bind, p.thread, THREAD_VCPU, world_make(OBJ_VCPU, 0));
        world_start_proc(&p);
        assert_running(1, &p);
        SYS_OK(0, thread_bind, p.thread, slot, 0);
        assert_state(&p, slot == THREAD_FAULT ? THREAD_READY : THREAD_STOPPED);
        check_kernel(true);
        SYS_OK(0, thread_stop, p.thread);
    }
}

static void a_thread_stops_itself(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_give(&p, PROC_FREE, p.thread, RIGHT_ALL, 0);
    world_start_proc(&p);
    (void)SYS(1, thread_stop, PROC_FREE);
    assert_state(&p, THREAD_STOPPED);
    assert_int_equal(reg(&p, 0), OK);
    uint64_t pc = p.t->regs.pc;
    world_start_proc(&p);
    assert_running(1, &p);
    assert_int_equal(p.t->regs.pc, pc);
    check_kernel(true);
}

static void a_thread_ends_itself(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_give(&p, PROC_FREE, p.thread, RIGHT_ALL, 0);
    world_start_proc(&p);
    SYS_OK(0, delete, BOOT_CSPACE, p.thread);
    check_kernel(true);
    (void)SYS(1, delete, PROC_CSPACE, PROC_FREE);
    assert_running(1, NULL);
    // Takes apart what the other could not.
    SYS_OK(0, delete, BOOT_CSPACE, world_make(OBJ_ENDPOINT, 0));
    check_kernel(true);
}

static void registers_are_read_and_written(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    for (unsigned r = 0; r < REG_COUNT; r++) {
        SYS_OK(0, thread_write, p.thread, r, 1, 0xffff000000000000u + r);
    }
    for (unsigned r = 0; r < REG_COUNT; r++) {
        SYS_OK(0, thread_read, p.thread, r, 1);
        assert_int_equal(world.x[1], r == REG_PSTATE ? 0 : 0xffff000000000000u + r);
    }
    SYS_OK(0, thread_write, p.thread, REG_PSTATE, 1, UINT64_MAX);
    assert_int_equal(p.t->regs.pstate, 0xf0000000u);
    SYS_OK(0, thread_write, p.thread, 10, 5, 1, 2, 3, 4, 5);
    SYS_OK(0, thread_read, p.thread, 9, 6);
    assert_int_equal(world.x[1], 0xffff000000000009u);
    assert_int_equal(world.x[2], 1);
    assert_int_equal(world.x[6], 5);
    SYS_OK(0, thread_read, p.thread, REG_COUNT - 1, 0);
    REFUSED(0, ERR_INVALID, thread_read, p.thread, 0, 7);
    REFUSED(0, ERR_INVALID, thread_write, p.thread, 0, 6);
    REFUSED(0, ERR_INVALID, thread_read, p.thread, REG_COUNT, 0);
    REFUSED(0, ERR_INVALID, thread_read, p.thread, REG_COUNT - 1, 2);
    REFUSED(0, ERR_INVALID, thread_read, p.thread, UINT64_MAX, 1);
    REFUSED(0, ERR_INVALID, thread_read, p.thread, 1, UINT64_MAX);
    REFUSED(0, ERR_RIGHTS, thread_read, world_copy(p.thread, RIGHT_WRITE, 0), 0, 1);
    REFUSED(0, ERR_RIGHTS, thread_write, world_copy(p.thread, RIGHT_READ, 0), 0, 1);
    world_start_proc(&p);
    REFUSED(0, ERR_BUSY, thread_read, p.thread, 0, 1);
    REFUSED(0, ERR_BUSY, thread_write, p.thread, 0, 1);
}

static void time_is_checked(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    uint64_t some = world_copy(BOOT_TIME, RIGHT_WRITE, TIME_BADGE(50, 6));
    REFUSED(0, ERR_INVALID, thread_time, p.thread, BOOT_TIME, 255, 1, 100, 100);
    REFUSED(0, ERR_INVALID, thread_time, p.thread, BOOT_TIME, 10, 4, 100, 100);
    REFUSED(0, ERR_INVALID, thread_time, p.thread, BOOT_TIME, 10, 1ull << 40, 100, 100);
    REFUSED(0, ERR_INVALID, thread_time, p.thread, BOOT_TIME, 10, 1, 0, 100);
    REFUSED(0, ERR_INVALID, thread_time, p.thread, BOOT_TIME, 10, 1, 101, 100);
    REFUSED(0, ERR_INVALID, thread_time, p.thread, BOOT_TIME, 10, 1, 1, BIT(56) + 1);
    REFUSED(0, ERR_RIGHTS, thread_time, p.thread, some, 51, 1, 100, 100);
    REFUSED(0, ERR_RIGHTS, thread_time, p.thread, some, 50, 3, 100, 100);
    REFUSED(0, ERR_RIGHTS, thread_time, world_copy(p.thread, RIGHT_WRITE, 0), some, 50, 1, 100,
            100);
    REFUSED(0, ERR_TYPE, thread_time, p.thread, p.thread, 50, 1, 100, 100);
    SYS_OK(0, thread_time, p.thread, some, 50, 2, 1, BIT(56));
    assert_int_equal(p.t->core, 2);
}

static void flags_are_checked(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    REFUSED(0, ERR_INVALID, thread_flags, p.thread, 4);
    REFUSED(0, ERR_INVALID, thread_flags, p.thread, 1ull << 32);
    REFUSED(0, ERR_RIGHTS, thread_flags, world_copy(p.thread, RIGHT_READ, 0), 0);
    SYS_OK(0, thread_flags, p.thread, THREAD_PASSIVE | THREAD_FP);
    world_start_proc(&p);
    REFUSED(0, ERR_BUSY, thread_flags, p.thread, 0);
}

static void info_tells_state_core_and_time(void **state)
{
    (void)state;
    struct proc p = world_proc(2, 100, 0);
    SYS_OK(0, thread_info, p.thread);
    assert_int_equal(world.x[1], THREAD_STOPPED);
    world_start_proc(&p);
    fake_advance(123);
    SYS_OK(0, thread_info, p.thread);
    assert_int_equal(world.x[1], THREAD_READY);
    assert_int_equal(world.x[2], 2);
    assert_int_equal(world.x[3], 123);
    REFUSED(0, ERR_RIGHTS, thread_info, world_copy(p.thread, RIGHT_WRITE, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_stopped_receive_is_repeated),
        world_test(starting_what_runs_changes_nothing),
        world_test(starting_who_waits_repeats_the_call),
        world_test(what_cannot_run_is_not_started),
        world_test(binding_is_checked),
        world_test(losing_what_it_holds_stops_a_thread),
        world_test(a_thread_stops_itself),
        world_test(a_thread_ends_itself),
        world_test(registers_are_read_and_written),
        world_test(time_is_checked),
        world_test(flags_are_checked),
        world_test(info_tells_state_core_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

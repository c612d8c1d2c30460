// System calls of no object: clock, console, firmware, the end; and what all of them share. The refusals of each object
// are in its own test.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include "console.h"
#include "kernel_fixture.h"
#include "lock.h"
#include "percpu.h"

static void the_clock_tells_ticks(void **state)
{
    (void)state;
    SYS_OK(0, clock, 0);
    uint64_t then = world.x[1];
    fake_advance(77);
    SYS_OK(0, clock, 0);
    assert_int_equal(world.x[1], then + 77);
    assert_int_equal(world.x[1], fake.now);
}

static void console_write_takes_up_to_48_bytes(void **state)
{
    (void)state;
    uint64_t text[8] = {BOOT_CONSOLE, 48};
    memcpy(&text[2], "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL", 48);
    assert_int_equal(world_call(0, SYS_console_write, text), OK);
    assert_string_equal(fake.console, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL");
    fake.console_length = 0;
    text[1] = 3;
    assert_int_equal(world_call(0, SYS_console_write, text), OK);
    assert_string_equal(fake.console, "012");
    text[1] = 0;
    assert_int_equal(world_call(0, SYS_console_write, text), OK);
    assert_string_equal(fake.console, "012");
    REFUSED(0, ERR_INVALID, console_write, BOOT_CONSOLE, 49);
    REFUSED(0, ERR_INVALID, console_write, BOOT_CONSOLE, UINT64_MAX);
    REFUSED(0, ERR_TYPE, console_write, BOOT_POWER, 1);
    REFUSED(0, ERR_RIGHTS, console_write, world_copy(BOOT_CONSOLE, 0, 0), 1);
}

static void the_console_is_off_for_all_but_the_end(void **state)
{
    (void)state;
    SYS_OK(0, console_mode, BOOT_CONSOLE, CONSOLE_OFF);
    SYS_OK(0, console_write, BOOT_CONSOLE, 3, 0x616161);
    console_printf("nothing");
    assert_int_equal(fake.console_length, 0);
    console_force("%s %u", "something", 7u);
    assert_string_equal(fake.console, "something 7");
    SYS_OK(0, console_mode, BOOT_CONSOLE, CONSOLE_ON);
    console_printf(" more");
    assert_string_equal(fake.console, "something 7 more");
    REFUSED(0, ERR_INVALID, console_mode, BOOT_CONSOLE, 2);
    REFUSED(0, ERR_RIGHTS, console_mode, world_copy(BOOT_CONSOLE, RIGHT_WRITE, 0), CONSOLE_OFF);
    REFUSED(0, ERR_NO_CAP, console_mode, world_slot(), CONSOLE_ON);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    console_printf("%s", text);
    assert_int_equal(fake.console_length, 255);
}

static void the_firmware_is_called_by_who_may(void **state)
{
    (void)state;
    SYS_OK(0, smc, BOOT_SMC, 1, 2, 3, 4, 5, 6, 7);
    assert_int_equal(fake.firmware_calls, 1);
    const uint64_t wanted[] = {OK, 0x101, 0x102, 0x103, 0x104, 5, 6, 7};
    assert_memory_equal(world.x, wanted, sizeof(wanted));
    REFUSED(0, ERR_TYPE, smc, BOOT_POWER, 1);
    REFUSED(0, ERR_RIGHTS, smc, world_copy(BOOT_SMC, RIGHT_COPY, 0), 1);
    assert_int_equal(fake.firmware_calls, 1);
}

static void the_system_ends_by_who_may(void **state)
{
    (void)state;
    REFUSED(0, ERR_INVALID, system_off, BOOT_POWER, 256, SYSTEM_OFF);
    REFUSED(0, ERR_INVALID, system_off, BOOT_POWER, 0, SYSTEM_RESET + 1);
    REFUSED(0, ERR_TYPE, system_off, BOOT_CONSOLE, 0, SYSTEM_OFF);
    SYS_OK(0, console_mode, BOOT_CONSOLE, CONSOLE_OFF);
    int how = setjmp(fake.escape);
    if (how == 0) {
        fake.escape_armed = true;
        memcpy(world.init->regs.x, (uint64_t[8]){BOOT_POWER, 42, SYSTEM_RESET}, 64);
        (void)fake_syscall(0, SYS_system_off);
        fail();
    }
    assert_int_equal(how, FAKE_OFF);
    assert_true(fake.reset);
    assert_string_equal(fake.console, "bulkhead: reset, code 42\n");
    fake_cores[0].in_kernel = false;
    fake_cpu = &percpu[0];
    SYS_OK(0, console_mode, BOOT_CONSOLE, CONSOLE_ON);
}

// Whoever finds the lock taken makes the call again, and finds its arguments as they were.
static void a_taken_lock_restarts_the_call(void **state)
{
    (void)state;
    static const unsigned locked[] = {SYS_retype,      SYS_copy,        SYS_move,    SYS_delete,
                                      SYS_revoke,      SYS_identify,    SYS_map,     SYS_unmap,
                                      SYS_thread_stop, SYS_thread_info, SYS_irq_bind};
    for (unsigned i = 0; i < ARRAY_SIZE(locked); i++) {
        const uint64_t args[8] = {1, 2, 3, 4, 5, 6, 7, 8};
        uint64_t pc = world.init->regs.pc;
        memcpy(world.init->regs.x, args, sizeof(args));
        build_lock.taken = 1;
        fake_cores[1].kicked = true; // spinning lets others work
        assert_ptr_equal(fake_syscall(0, locked[i]), world.init);
        build_lock.taken = 0;
        assert_int_equal(world.init->regs.pc, pc);
        assert_memory_equal(world.init->regs.x, args, sizeof(args));
    }
    build_lock.taken = 1; // these do not ask for it
    SYS_OK(0, clock, 0);
    SYS_OK(0, yield, 0);
    assert_int_equal(SYS(0, signal, UNTYPED), ERR_TYPE);
    build_lock.taken = 0;
}

static void every_number_has_a_decoder(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    for (unsigned n = 0; n < SYSCALL_COUNT; n++) {
        if (n == SYS_receive || n == SYS_yield || n == SYS_clock) {
            continue;
        }
        const uint64_t nothing[8] = {0};
        const uint64_t much[8] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                  UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        world_refused(1, ERR_NO_CAP, n, nothing);
        world_refused(1, ERR_NO_CAP, n, much);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(the_clock_tells_ticks),
        world_test(console_write_takes_up_to_48_bytes),
        world_test(the_console_is_off_for_all_but_the_end),
        world_test(long_texts_are_cut),
        world_test(the_firmware_is_called_by_who_may),
        world_test(the_system_ends_by_who_may),
        world_test(a_taken_lock_restarts_the_call),
        world_test(every_number_has_a_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

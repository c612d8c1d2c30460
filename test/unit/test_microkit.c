// The functions of microkit.h against a scripted kernel: which handle, which message, which complaint.
// sources: lib/channel.c lib/deferred.c lib/child.c lib/console.c lib/crash.c lib/sel4.c
// sources: test/unit/fake_kernel.c
// flags: -Itest/unit/fake -Ilib/include
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <microkit.h>

#include "fake_kernel.h"

static int start(void **state)
{
    (void)state;
    fake_reset();
    microkit_have_signal = seL4_False;
    return 0;
}

// Runs one statement that is expected to crash with `error`.
#define assert_crash(statement, error)                                                             \
    do {                                                                                           \
        fake.crash_error = -1;                                                                     \
        if (setjmp(fake.crash) == 0) {                                                             \
            statement;                                                                             \
        }                                                                                          \
        assert_int_equal(fake.crash_error, error);                                                 \
    } while (0)

static void info_words(void **state)
{
    (void)state;
    microkit_msginfo info = microkit_msginfo_new(0x123456789abcd, 64);
    assert_int_equal(microkit_msginfo_get_label(info), 0x123456789abcd);
    assert_int_equal(microkit_msginfo_get_count(info), 64);
    assert_int_equal(info.words[0], INFO(0x123456789abcd, 64));

    info = seL4_MessageInfo_set_label(
        seL4_MessageInfo_set_length(seL4_MessageInfo_new(1, 5, 2, 3), 9), 8);
    assert_int_equal(seL4_MessageInfo_get_label(info), 8);
    assert_int_equal(seL4_MessageInfo_get_length(info), 9);
    assert_int_equal(seL4_MessageInfo_get_capsUnwrapped(info), 5);
    assert_int_equal(seL4_MessageInfo_get_extraCaps(info), 2);
}

static void channels_that_exist(void **state)
{
    (void)state;
    microkit_notify(1);
    microkit_irq_ack(5);
    assert_string_equal(fake.transcript, "signal 9\nirq_ack 137\n");
}

static void channels_that_do_not(void **state)
{
    (void)state;
    microkit_notify(2);
    microkit_irq_ack(61);
    microkit_deferred_notify(62);
    microkit_deferred_irq_ack(64);
    microkit_ppcall(4294967295u, microkit_msginfo_new(0, 0));
    assert_string_equal(fake.console,
                        "tester microkit_notify: invalid channel given '2'\n"
                        "tester microkit_irq_ack: invalid channel given '61'\n"
                        "tester microkit_deferred_notify: invalid channel given '62'\n"
                        "tester microkit_deferred_irq_ack: invalid channel given '64'\n"
                        "tester microkit_ppcall: invalid channel given '4294967295'\n");
    assert_null(strstr(fake.transcript, "signal"));
    assert_null(strstr(fake.transcript, "call"));
    assert_false(microkit_have_signal);
}

static void deferred_operations_are_seen_by_the_program(void **state)
{
    (void)state;
    microkit_deferred_irq_ack(4);
    assert_true(microkit_have_signal);
    assert_int_equal(microkit_signal_cap, BASE_IRQ_CAP + 4);
    microkit_deferred_notify(1);
    assert_string_equal(fake.transcript, "irq_ack 136\n");
    assert_int_equal(microkit_signal_cap, BASE_OUTPUT_NOTIFICATION_CAP + 1);
}

static void a_call_carries_words_both_ways(void **state)
{
    (void)state;
    microkit_mr_set(0, 10);
    microkit_mr_set(3, 13);
    microkit_mr_set(63, 99);
    microkit_msginfo answer = microkit_ppcall(2, microkit_msginfo_new(4, 64));
    assert_string_equal(fake.transcript, "call 72 info 0x4040 words 10 13\n");
    assert_int_equal(microkit_msginfo_get_label(answer), 9);
    assert_int_equal(microkit_msginfo_get_count(answer), 2);
    assert_int_equal(microkit_mr_get(1), 91);
    assert_int_equal(microkit_mr_get(63), 99);
}

static void a_failed_call_crashes(void **state)
{
    (void)state;
    fake.err = ERR_GONE;
    assert_crash(microkit_ppcall(2, microkit_msginfo_new(0, 0)), seL4_FailedLookup);
}

static void children(void **state)
{
    (void)state;
    microkit_pd_restart(2, 0x200000);
    microkit_pd_stop(2);
    microkit_pd_resume(61);
    assert_string_equal(fake.transcript,
                        "thread_stop 196\nthread_write 196 first 32 count 1\nthread_start 196\n"
                        "thread_stop 196\nthread_start 255\n");
    assert_int_equal(fake.registers[REG_PC], 0x200000);

    fake.err = ERR_NO_CAP;
    assert_crash(microkit_pd_restart(2, 0), seL4_InvalidCapability);
    assert_crash(microkit_pd_stop(2), seL4_InvalidCapability);
    assert_crash(microkit_pd_resume(2), seL4_InvalidCapability);
}

static void vcpus_fail(void **state)
{
    (void)state;
    assert_crash(microkit_vcpu_restart(0, 0), seL4_InvalidCapability);
    assert_crash(microkit_vcpu_stop(0), seL4_InvalidCapability);
    assert_crash(microkit_vcpu_arm_inject_irq(0, 27, 0, 1, 0), seL4_InvalidCapability);
    assert_crash(microkit_vcpu_arm_ack_vppi(0, 27), seL4_InvalidCapability);
    assert_crash(microkit_vcpu_arm_read_reg(0, seL4_VCPUReg_SCTLR), seL4_InvalidCapability);
    assert_crash(microkit_vcpu_arm_write_reg(0, seL4_VCPUReg_SCTLR, 0), seL4_InvalidCapability);
    assert_int_equal(strncmp("microkit_vcpu_restart: error writing registers\n"
                             "microkit_vcpu_stop: error suspending TCB\n"
                             "microkit_vcpu_arm_inject_irq: error injecting IRQ\n",
                             fake.console, 130),
                     0);
}

static void firmware_call(void **state)
{
    (void)state;
    seL4_ARM_SMCContext args = {.x0 = 0x84000000, .x5 = 5, .x6 = 6};
    seL4_ARM_SMCContext answer = {0};
    microkit_arm_smc_call(&args, &answer);
    assert_string_equal(fake.transcript, "smc 2 0x84000000 6\n");
    assert_int_equal(answer.x0, 100);
    assert_int_equal(answer.x3, 103);
    assert_int_equal(answer.x5, 5);
}

static void slots(void **state)
{
    (void)state;
    assert_int_equal(microkit_cspace_root_slot_to_cptr(0), seL4_CapNull);
    assert_int_equal(microkit_cspace_root_slot_to_cptr(1), 257);
    assert_int_equal(microkit_cspace_root_slot_to_cptr(63), 319);
    assert_int_equal(microkit_cspace_root_slot_to_cptr(64), seL4_CapNull);
}

static void console(void **state)
{
    (void)state;
    microkit_dbg_puts("");
    microkit_dbg_puts("a line of more than forty-eight characters, sent in pieces\n");
    microkit_dbg_putc('x');
    microkit_dbg_put8(255);
    microkit_dbg_put32(0);
    microkit_dbg_put32(4294967295u);
    assert_string_equal(
        fake.console,
        "a line of more than forty-eight characters, sent in pieces\nx25504294967295");
    assert_int_equal(
        strncmp(fake.transcript, "console_write 1 count 48\nconsole_write 1 count 11\n", 50), 0);
}

static void console_without_the_capability(void **state)
{
    (void)state;
    fake.err = ERR_NO_CAP;
    microkit_dbg_puts("a line of more than forty-eight characters, sent in pieces\n");
    assert_string_equal(fake.transcript, "console_write 1 count 48\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(info_words, start),
        cmocka_unit_test_setup(channels_that_exist, start),
        cmocka_unit_test_setup(channels_that_do_not, start),
        cmocka_unit_test_setup(deferred_operations_are_seen_by_the_program, start),
        cmocka_unit_test_setup(a_call_carries_words_both_ways, start),
        cmocka_unit_test_setup(a_failed_call_crashes, start),
        cmocka_unit_test_setup(children, start),
        cmocka_unit_test_setup(vcpus_fail, start),
        cmocka_unit_test_setup(firmware_call, start),
        cmocka_unit_test_setup(slots, start),
        cmocka_unit_test_setup(console, start),
        cmocka_unit_test_setup(console_without_the_capability, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

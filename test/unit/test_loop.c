// The event loop against a scripted kernel: what is entered, in which order, and what is answered.
// sources: lib/loop.c lib/deferred.c lib/fault.c lib/channel.c lib/crash.c lib/console.c lib/sel4.c
// sources: test/unit/fake_kernel.c
// flags: -Itest/unit/fake -Ilib/include
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <abi/process.h>
#include <base/bits.h>
#include <lib/bulkhead.h>
#include <lib/loop.h>

#include "fake_kernel.h"

static struct loop loop;
static bool fault_answer;
static microkit_channel defer_in_entry; // CHANNEL_MAX: nothing

void notified(microkit_channel ch)
{
    fake_note("notified %u", ch);
    if (defer_in_entry < CHANNEL_MAX) {
        microkit_deferred_notify(defer_in_entry);
    }
}

microkit_msginfo protected(microkit_channel ch, microkit_msginfo msginfo)
{
    fake_note("protected %u label %lu count %lu words %lu %lu", ch,
              microkit_msginfo_get_label(msginfo), microkit_msginfo_get_count(msginfo),
              microkit_mr_get(0), microkit_mr_get(3));
    microkit_mr_set(0, 70);
    microkit_mr_set(3, 73);
    if (defer_in_entry < CHANNEL_MAX) {
        microkit_deferred_notify(defer_in_entry);
    }
    return seL4_MessageInfo_new(7, 3, 3, 4);
}

seL4_Bool fault(microkit_child child, microkit_msginfo msginfo, microkit_msginfo *reply_msginfo)
{
    fake_note("fault %u label %lu address %#lx", child, microkit_msginfo_get_label(msginfo),
              microkit_mr_get(seL4_VMFault_Addr));
    *reply_msginfo = microkit_msginfo_new(0, 0);
    return fault_answer;
}

void deadline(void)
{
    fake_note("deadline");
}

static int start(void **state)
{
    (void)state;
    fake_reset();
    microkit_have_signal = seL4_False;
    bulkhead_loop_init(&loop);
    fault_answer = false;
    defer_in_entry = CHANNEL_MAX;
    return 0;
}

static void run(unsigned rounds)
{
    if (setjmp(fake.crash) != 0) {
        fake_note("crash %d", fake.crash_error);
        return;
    }
    for (unsigned i = 0; i < rounds; i++) {
        bulkhead_loop_once(&loop);
    }
}

static void arrive_bits(uint64_t bits)
{
    fake_arrive((struct fake_arrival){.badge = bits, .info = INFO_NOTIFICATION});
}

static void arrive_call(microkit_channel ch)
{
    fake_arrive((struct fake_arrival){
        .badge = BADGE_CALL | ch, .info = INFO(5, 4), .words = {50, 51, 52, 53}});
}

static void arrive_fault(microkit_child child)
{
    fake_arrive((struct fake_arrival){.badge = BADGE_FAULT | child,
                                      .info = INFO(FAULT_VM, 4),
                                      .words = {0x200000, 0xdead, 0x92000046, 0}});
}

static void every_interrupt_is_acknowledged_once(void **state)
{
    (void)state;
    bulkhead_loop_start();
    assert_string_equal(fake.transcript, "irq_ack 136\nirq_ack 137\n");
}

static void bits_are_entered_low_to_high(void **state)
{
    (void)state;
    arrive_bits(BIT(61) | BIT(0) | BIT(7));
    run(1);
    assert_string_equal(fake.transcript, "receive\nnotified 0\nnotified 7\nnotified 61\n");
}

static void late_wake_up_enters_nothing(void **state)
{
    (void)state;
    arrive_bits(0);
    arrive_bits(2);
    run(2);
    assert_string_equal(fake.transcript, "receive\nreceive\nnotified 1\n");
}

static void call_is_answered_with_the_next_wait(void **state)
{
    (void)state;
    arrive_call(61);
    arrive_bits(1);
    arrive_bits(1);
    run(3);
    // The fields for capabilities are not sent.
    assert_string_equal(fake.transcript, "receive\n"
                                         "protected 61 label 5 count 4 words 50 53\n"
                                         "reply info 0x7004 words 70 73\nreceive\nnotified 0\n"
                                         "receive\nnotified 0\n");
}

static void fault_is_answered_when_it_says_so(void **state)
{
    (void)state;
    arrive_fault(3);
    arrive_fault(3);
    arrive_bits(1);
    run(1);
    fault_answer = true;
    run(2);
    assert_string_equal(fake.transcript,
                        "receive\n"
                        "fault 3 label 6 address 0xdead\n"
                        "receive\n"
                        "fault 3 label 6 address 0xdead\n"
                        "reply info 0 words 2097152 2449473606\nreceive\nnotified 0\n");
}

static void deferred_operation_comes_before_the_wait(void **state)
{
    (void)state;
    arrive_bits(1);
    arrive_bits(0);
    arrive_bits(0);
    defer_in_entry = 1;
    run(3);
    assert_string_equal(fake.transcript, "receive\nnotified 0\nsignal 9\nreceive\nreceive\n");
}

static void deferred_operation_comes_before_the_reply(void **state)
{
    (void)state;
    arrive_call(2);
    arrive_bits(0);
    defer_in_entry = 1;
    run(2);
    assert_string_equal(fake.transcript, "receive\n"
                                         "protected 2 label 5 count 4 words 50 53\n"
                                         "signal 9\n"
                                         "reply info 0x7004 words 70 73\nreceive\n");
}

static void second_deferred_operation_lets_the_first_happen(void **state)
{
    (void)state;
    arrive_bits(3);
    arrive_bits(0);
    defer_in_entry = 1;
    run(2);
    assert_string_equal(fake.transcript,
                        "receive\nnotified 0\nnotified 1\nsignal 9\nsignal 9\nreceive\n");
}

static void deadline_is_entered_once(void **state)
{
    (void)state;
    loop.deadline = 500;
    arrive_bits(1);
    fake_arrive((struct fake_arrival){.err = ERR_TIMEOUT});
    arrive_bits(1);
    run(3);
    assert_string_equal(fake.transcript, "receive until 500\nnotified 0\n"
                                         "receive until 500\ndeadline\n"
                                         "receive\nnotified 0\n");
}

static void deadline_comes_although_there_is_always_something(void **state)
{
    (void)state;
    loop.deadline = 500;
    for (unsigned i = 0; i < 40; i++) {
        arrive_bits(0);
    }
    run(20);
    assert_null(strstr(fake.transcript, "deadline\n"));
    fake.now = 500;
    run(20);
    assert_non_null(strstr(fake.transcript, "deadline\nreceive\n"));
}

static void nothing_more_to_receive_crashes(void **state)
{
    (void)state;
    fake_arrive((struct fake_arrival){.err = ERR_GONE});
    run(1);
    assert_string_equal(fake.console, "tester event loop: error receiving\n");
    assert_non_null(strstr(fake.transcript, "crash 6\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_interrupt_is_acknowledged_once, start),
        cmocka_unit_test_setup(bits_are_entered_low_to_high, start),
        cmocka_unit_test_setup(late_wake_up_enters_nothing, start),
        cmocka_unit_test_setup(call_is_answered_with_the_next_wait, start),
        cmocka_unit_test_setup(fault_is_answered_when_it_says_so, start),
        cmocka_unit_test_setup(deferred_operation_comes_before_the_wait, start),
        cmocka_unit_test_setup(deferred_operation_comes_before_the_reply, start),
        cmocka_unit_test_setup(second_deferred_operation_lets_the_first_happen, start),
        cmocka_unit_test_setup(deadline_is_entered_once, start),
        cmocka_unit_test_setup(deadline_comes_although_there_is_always_something, start),
        cmocka_unit_test_setup(nothing_more_to_receive_crashes, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

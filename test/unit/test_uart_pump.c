// The UART driver's pump with a UART that is only a FIFO: order of bytes, interrupts, what has left, rings that lie.
// sources: drivers/uart/pump.c lib/serial_link.c lib/ring.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "uart_world.h"

static struct pump_wishes run(uint64_t now)
{
    return pump_run(&uart.pump, now);
}

static int begin(void **state)
{
    (void)state;
    uart_reset();
    assert_false(run(0).notify);
    return 0;
}

static void say(const char *text)
{
    uint32_t put;
    assert_int_equal(serial_link_put(&uart.upper, text, (uint32_t)strlen(text), &put), OK);
    assert_int_equal(put, strlen(text));
}

static uint32_t left(void)
{
    uint32_t position;
    assert_int_equal(serial_link_left(&uart.upper, &position), OK);
    return position;
}

static void nothing_to_do_wants_nothing(void **state)
{
    (void)state;
    struct pump_wishes wishes = run(1);
    assert_int_equal(uart.started, 1);
    assert_false(wishes.notify);
    assert_true(wishes.deadline == UINT64_MAX);
}

static void a_short_text_leaves(void **state)
{
    (void)state;
    say("hello");
    struct pump_wishes wishes = run(1);
    assert_int_equal(uart.fifo_length, 5);
    assert_false(uart.wants_room);
    assert_false(wishes.notify); // in the FIFO, not on the wire
    assert_int_equal(left(), 0);
    assert_int_equal(wishes.deadline, 1 + UART_TICKS / 1000);

    uart_send();
    uart.shifting = true;
    assert_false(run(1001).notify);
    assert_int_equal(left(), 0);

    uart.shifting = false;
    wishes = run(2001);
    assert_true(wishes.notify);
    assert_int_equal(left(), 5);
    assert_true(wishes.deadline == UINT64_MAX);
    assert_string_equal(uart.screen, "hello");
}

static void a_long_text_leaves_by_interrupts(void **state)
{
    (void)state;
    char text[1501];
    for (unsigned i = 0; i < 1500; i++) {
        text[i] = (char)('a' + i % 26);
    }
    text[1500] = 0;
    say(text);
    unsigned interrupts = 0, told = 0;
    struct pump_wishes wishes = run(1);
    while (uart.wants_room) {
        assert_true(wishes.deadline == UINT64_MAX); // the interrupt is enough
        uart_send();
        wishes = run(1);
        told += wishes.notify;
        interrupts++;
    }
    assert_int_equal(interrupts, 1500 / UART_FIFO);
    assert_true(told > 0); // the other end learned of some of it on the way
    assert_true(left() < 1500);
    uart_send();
    run(1001);
    assert_int_equal(left(), 1500);
    assert_string_equal(uart.screen, text);
}

static bool put_at_once(uart_regs_t regs, uint8_t byte)
{
    bool room = uart_put(regs, byte);
    uart_send();
    return room;
}

static const struct uart_model fast_model = {
    .put = put_at_once,
    .get = uart_get,
    .idle = uart_idle,
    .want_room = uart_want_room,
};

// Byte for byte, as guests write: all leave at once, but the other end is woken rarely, and hears of the last one.
static void the_other_end_is_told_now_and_then(void **state)
{
    (void)state;
    uart.pump.model = &fast_model;
    unsigned told = 0;
    struct pump_wishes wishes = {0};
    for (uint64_t now = 0; now < 2500; now++) {
        say("x");
        wishes = run(5000 + now);
        told += wishes.notify;
        assert_int_equal(left(), now + 1);
    }
    assert_int_equal(told, 3);
    assert_true(wishes.deadline == 8000);
    assert_true(run(8000).notify);
    assert_true(run(8001).deadline == UINT64_MAX);
}

static void a_ring_does_not_run_full_unheard(void **state)
{
    (void)state;
    uart.pump.model = &fast_model;
    unsigned told = 0;
    for (unsigned i = 0; i < 2 * SERIAL_OUT_SIZE / 32; i++) {
        say("0123456789abcdef0123456789abcdef");
        told += run(5000).notify;
    }
    assert_true(told >= 4);
}

static void what_a_fifo_may_hold_has_not_left(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        say("0123456789abcdef0123456789abcdef");
        run(1);
        assert_true(left() <= uart.screen_length);
        uart_send();
        run(1);
    }
}

// Whatever is said, and wherever the FIFO is full: the beginning of the system's last line is guarded, and all else is
// as it was said.
static void nobody_above_ends_the_system(void **state)
{
    static const struct {
        const char *said;
        const char *screen;
    } cases[] = {
        {"bulkhead: off, code 0\n", "bulkhead: of\1f, code 0\n"},
        {"bulkhead: bulkhead: off", "bulkhead: bulkhead: of\1f"},
        {"bubulkhead: off", "bubulkhead: of\1f"},
        {"bulkhead: obulkhead: of\1f", "bulkhead: obulkhead: of\1\1f"},
        {"bulkhead: of", "bulkhead: of"}, // nothing behind it yet
        {"bulkhead: on, bulkhead:off, ulkhead: off", "bulkhead: on, bulkhead:off, ulkhead: off"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned before = 0; before < UART_FIFO; before++) {
            begin(state);
            say(&"0123456789abcdef"[UART_FIFO - before]);
            for (const char *c = cases[i].said; *c != '\0'; c++) {
                say((const char[2]){*c});
                run(1);
            }
            while (uart.fifo_length > 0) {
                uart_send();
                run(1001);
            }
            assert_string_equal(uart.screen + before, cases[i].screen);
            assert_int_equal(left(), before + strlen(cases[i].said));
        }
    }
}

static void a_run_is_bounded(void **state)
{
    (void)state;
    uart.pump.model = &fast_model;
    for (unsigned i = 0; i < 2 * PUMP_TRANSMIT_BUDGET / 32; i++) {
        say("0123456789abcdef0123456789abcdef");
    }
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(run(7).deadline, 7); // it wants to go on
        assert_int_equal(uart.screen_length, i * PUMP_TRANSMIT_BUDGET);
    }
    assert_int_equal(run(7).deadline, 7 + UART_TICKS / 1000); // to tell what has left
    assert_true(run(7 + UART_TICKS / 1000).deadline == UINT64_MAX);
}

static void typed_bytes_go_up(void **state)
{
    (void)state;
    memcpy(uart.typed, "ls\r", 3);
    uart.typed_length = 3;
    assert_true(run(1).notify);
    char got[8] = "";
    uint32_t count;
    assert_int_equal(serial_link_get(&uart.upper, got, 7, &count), OK);
    assert_string_equal(got, "ls\r");
}

static void much_input_takes_several_runs_and_what_has_no_room_is_lost(void **state)
{
    (void)state;
    memset(uart.typed, 'k', sizeof(uart.typed));
    for (unsigned i = 0; i < 5; i++) {
        uart.typed_first = 0;
        uart.typed_length = sizeof(uart.typed);
        unsigned runs = 1;
        while (run(1).deadline == 1) {
            runs++;
        }
        assert_true(runs > sizeof(uart.typed) / PUMP_RECEIVE_BUDGET);
        assert_int_equal(uart.typed_first, uart.typed_length);
    }
    static char got[2 * SERIAL_IN_SIZE];
    uint32_t count;
    assert_int_equal(serial_link_get(&uart.upper, got, sizeof(got), &count), OK);
    assert_int_equal(count, SERIAL_IN_SIZE);
}

static void a_ring_that_lies_stops_it(void **state)
{
    (void)state;
    atomic_store(&uart.region.out.producer.position, 0x12345678u);
    struct pump_wishes wishes = run(1);
    assert_true(uart.pump.broken);
    assert_false(wishes.notify);
    assert_true(wishes.deadline == UINT64_MAX);
    atomic_store(&uart.region.out.producer.position, 4);
    run(2);
    assert_int_equal(uart.fifo_length, 0);
}

static void a_new_life_goes_on_where_the_old_one_stopped(void **state)
{
    (void)state;
    say("abc");
    run(1);
    uart_send();
    say("def");
    pump_init(&uart.pump, &uart_model, (uart_regs_t){0}, &uart.region, UART_TICKS);
    run(2);
    uart_send();
    run(3);
    assert_string_equal(uart.screen, "abcdef");
    assert_int_equal(left(), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_to_do_wants_nothing, begin),
        cmocka_unit_test_setup(a_short_text_leaves, begin),
        cmocka_unit_test_setup(a_long_text_leaves_by_interrupts, begin),
        cmocka_unit_test_setup(what_a_fifo_may_hold_has_not_left, begin),
        cmocka_unit_test_setup(nobody_above_ends_the_system, begin),
        cmocka_unit_test_setup(a_run_is_bounded, begin),
        cmocka_unit_test_setup(the_other_end_is_told_now_and_then, begin),
        cmocka_unit_test_setup(a_ring_does_not_run_full_unheard, begin),
        cmocka_unit_test_setup(typed_bytes_go_up, begin),
        cmocka_unit_test_setup(much_input_takes_several_runs_and_what_has_no_room_is_lost, begin),
        cmocka_unit_test_setup(a_ring_that_lies_stops_it, begin),
        cmocka_unit_test_setup(a_new_life_goes_on_where_the_old_one_stopped, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

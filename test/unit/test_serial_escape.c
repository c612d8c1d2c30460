// The serial mux's escape key.
// sources: mux/serial/escape.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mux/serial/escape.h>

static void expect(struct escape *e, uint8_t byte, enum escape_action action, uint8_t value)
{
    struct escape_event got = escape_feed(e, byte);
    assert_int_equal(got.action, action);
    assert_int_equal(got.value, value);
}

static void plain_bytes_are_input(void **state)
{
    (void)state;
    struct escape e = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
        if (byte != ESCAPE_KEY) {
            expect(&e, (uint8_t)byte, ESCAPE_INPUT, (uint8_t)byte);
        }
    }
}

static void digits_select(void **state)
{
    (void)state;
    struct escape e = {0};
    for (uint8_t n = 1; n <= 9; n++) {
        expect(&e, ESCAPE_KEY, ESCAPE_NOTHING, 0);
        expect(&e, (uint8_t)('0' + n), ESCAPE_SELECT, n);
        expect(&e, (uint8_t)('0' + n), ESCAPE_INPUT, (uint8_t)('0' + n));
    }
}

static void commands(void **state)
{
    (void)state;
    struct escape e = {0};
    expect(&e, ESCAPE_KEY, ESCAPE_NOTHING, 0);
    expect(&e, '?', ESCAPE_HELP, 0);
    expect(&e, ESCAPE_KEY, ESCAPE_NOTHING, 0);
    expect(&e, 'q', ESCAPE_QUIT, 0);
    expect(&e, 'q', ESCAPE_INPUT, 'q');
}

static void twice_sends_the_key_on(void **state)
{
    (void)state;
    struct escape e = {0};
    expect(&e, ESCAPE_KEY, ESCAPE_NOTHING, 0);
    expect(&e, ESCAPE_KEY, ESCAPE_INPUT, ESCAPE_KEY);
    expect(&e, '1', ESCAPE_INPUT, '1');
}

static void everything_else_is_dropped_once(void **state)
{
    (void)state;
    struct escape e = {0};
    const uint8_t others[] = {'0', 'Q', 'a', 0, 0xff, '\r', ' '};
    for (size_t i = 0; i < sizeof(others); i++) {
        expect(&e, ESCAPE_KEY, ESCAPE_NOTHING, 0);
        expect(&e, others[i], ESCAPE_UNKNOWN, others[i]);
        expect(&e, others[i], ESCAPE_INPUT, others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_bytes_are_input),
        cmocka_unit_test(digits_select),
        cmocka_unit_test(commands),
        cmocka_unit_test(twice_sends_the_key_on),
        cmocka_unit_test(everything_else_is_dropped_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

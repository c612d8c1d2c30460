// The line with which a system ends, found in what it prints however it is cut into pieces.
// sources: tool/verdict.c tool/value.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tool/verdict.h"

// -1: none was found.
static int verdict_of(const char *text, size_t piece)
{
    struct verdict v = {0};
    size_t size = strlen(text);
    for (size_t at = 0; at < size; at += piece) {
        verdict_feed(&v, text + at, size - at < piece ? size - at : piece);
    }
    verdict_end(&v);
    return v.found ? v.code : -1;
}

static void check(const char *text, int code)
{
    for (size_t piece = 1; piece < 8; piece++) {
        assert_int_equal(verdict_of(text, piece), code);
    }
    assert_int_equal(verdict_of(text, strlen(text) + 1), code);
}

static void found(void **state)
{
    (void)state;
    check("bulkhead: off, code 0\n", 0);
    check("hello\r\nbulkhead: off, code 17\r\n", 17);
    check("bulkhead: off, code 1\nbulkhead: off, code 2\nbye\n", 2);
    check("bulkhead: off, code 3", 3);
    check("half a line bulkhead: off, code 4\n", 4);
    check("bulkhead: off, code bulkhead: off, code 5\n", 5);
    check("bulkhead: off, code 1000\n", 255);
    check("bulkhead: off, code 255\n", 255);
}

static void not_found(void **state)
{
    (void)state;
    check("x", -1);
    check("bulkhead: off, code \n", -1);
    check("bulkhead: of\1f, code 1\n", -1); // a driver's client said it
    check("bulkhead: off, code -1\n", -1);
    check("bulkhead: off, code 0x1\n", -1);
    check("bulkhead: off, code 1 \n", -1);
    check("bulkhead: off,\n code 1\n", -1);
    check("Bulkhead: off, code 1\n", -1);
}

static void lines(void **state)
{
    (void)state;
    assert_true(verdict_is("bulkhead: off, code 0"));
    assert_true(verdict_is("bulkhead: off, code 255"));
    assert_false(verdict_is("x bulkhead: off, code 0"));
    assert_false(verdict_is("bulkhead: off, code 0 "));
    assert_false(verdict_is("bulkhead: off, code"));
    assert_false(verdict_is("bulkhead: guest: it is off"));
    assert_false(verdict_is(""));
}

static void long_lines_keep_their_end(void **state)
{
    (void)state;
    char text[5 * VERDICT_LINE_MAX];
    for (size_t length = VERDICT_LINE_MAX - 40; length < sizeof(text) - 40; length += 13) {
        memset(text, 'x', length);
        strcpy(text + length, "bulkhead: off, code 9\n");
        assert_int_equal(verdict_of(text, 100), 9);
    }
}

static void zero_bytes_hide_nothing(void **state)
{
    (void)state;
    struct verdict v = {0};
    verdict_feed(&v, "\0bulkhead: off, code 6\n", 23);
    assert_true(v.found);
    assert_int_equal(v.code, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(found),
        cmocka_unit_test(not_found),
        cmocka_unit_test(long_lines_keep_their_end),
        cmocka_unit_test(zero_bytes_hide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

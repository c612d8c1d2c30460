// format against the C library's snprintf, and what it does where there is no room.
// sources: base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <base/format.h>

// Both ways, same text and same length, whatever the room.
#define assert_same(...)                                                                           \
    do {                                                                                           \
        for (size_t size = 0; size < 80; size++) {                                                 \
            char ours[80], theirs[80];                                                             \
            memset(ours, '#', sizeof(ours));                                                       \
            memset(theirs, '#', sizeof(theirs));                                                   \
            size_t length = format(ours, size, __VA_ARGS__);                                       \
            assert_int_equal(length, snprintf(theirs, size, __VA_ARGS__));                         \
            assert_memory_equal(ours, theirs, sizeof(ours));                                       \
        }                                                                                          \
    } while (0)

static void text(void **state)
{
    (void)state;
    assert_same("%s", "");
    assert_same("plain");
    assert_same("%s and %s, %c%%", "this", "that", 'x');
    assert_same("[%8s] [%2s]", "right", "long");
    assert_same("[%-8s]", "left");
}

static void numbers(void **state)
{
    (void)state;
    assert_same("%d %d %d", 0, 2147483647, -2147483647 - 1);
    assert_same("%u %x", 4294967295u, 0xdeadbeefu);
    assert_same("%ld %lu %lx", INT64_MIN, UINT64_MAX, UINT64_MAX);
    assert_same("%lld %llu", -1ll, 1ull);
    assert_same("%zu", (size_t)123456789012345);
    assert_same("[%5d] [%05d] [%-5d]", -42, -42, -42);
    assert_same("[%08x] [%016lx]", 0xabcu, (uint64_t)0xabc);
    assert_same("[%1u] [%3u]", 12345u, 7u);
    assert_same("%#x", 0x80u);
    assert_same("%p", (void *)0x1234);
}

static void nothing_is_text(void **state)
{
    (void)state;
    char out[16];
    const char *none = NULL;
    assert_int_equal(format(out, sizeof(out), "%s", none), 6);
    assert_string_equal(out, "(null)");
}

static void percent_at_the_end_is_dropped(void **state)
{
    (void)state;
    char out[16];
    const char *broken = "odd %";
    va_list none;
    memset(&none, 0, sizeof(none));
    assert_int_equal(format_v(out, sizeof(out), broken, none), 4);
    assert_string_equal(out, "odd ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(numbers),
        cmocka_unit_test(nothing_is_text),
        cmocka_unit_test(percent_at_the_end_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

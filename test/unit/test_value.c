// Values of attributes, read from their text.
// sources: tool/value.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <abi/syscall.h>
#include <base/bits.h>

#include "tool/value.h"

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        {"0", 0},
        {"4096", 4096},
        {"0x10_00", 4096},
        {"1K", 1024},
        {"256M", 256 << 20},
        {"0x2G", 2ull << 30},
        {"17_179_869_183G", 17179869183ull << 30},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {"",   "K",    "1k",           "1MB", "1 M", "-1M",
                                      "M1", "1.5G", "17179869184G", "1T",  "KK",  "1KK"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t value = 1;
        assert_true(value_size(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t value = 7;
        assert_false(value_size(bad[i], &value));
        assert_int_equal(value, 7);
    }
    char many[200];
    memset(many, '0', sizeof(many));
    many[sizeof(many) - 1] = '\0';
    uint64_t value;
    assert_false(value_size(many, &value)); // longer than a number needs to be
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {
        {"0", 0},
        {"42", 42},
        {"0x2a", 42},
        {"0x2A", 42},
        {"0xABCDEFabcdef", 0xabcdefabcdef},
        {"1_000", 1000},
        {"0x_10_00_", 0x1000},
        {"_1", 1},
        {"007", 7},
        {"18446744073709551615", UINT64_MAX},
        {"0xffff_ffff_ffff_ffff", UINT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t value = 1;
        assert_true(value_number(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
}

static void no_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0x",
                                      "_",
                                      "0x_",
                                      "x10",
                                      "0X10",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.5",
                                      "1e3",
                                      "0b1",
                                      "ten",
                                      "12a",
                                      "0xg",
                                      "0x1 ",
                                      "18446744073709551616",
                                      "0x1_0000_0000_0000_0000"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t value;
        assert_false(value_number(bad[i], &value));
    }
}

static void decimals(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(value_decimal("18446744073709551615", &value));
    assert_int_equal(value, UINT64_MAX);
    assert_true(value_decimal("00", &value));
    assert_int_equal(value, 0);
    static const char *const bad[] = {"", "0x1", "1_0", "a", "-1", "18446744073709551616"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(value_decimal(bad[i], &value));
    }
}

static void perms(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(value_perms("r", &value));
    assert_int_equal(value, MAP_READ);
    assert_true(value_perms("xwr", &value));
    assert_int_equal(value, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    assert_true(value_perms("rr", &value));
    assert_int_equal(value, MAP_READ);
    assert_false(value_perms("", &value));
    assert_false(value_perms("rwu", &value));
    assert_false(value_perms("R", &value));
}

static void choices(void **state)
{
    (void)state;
    uint64_t index;
    assert_true(value_choice("level", "level edge", &index));
    assert_int_equal(index, 0);
    assert_true(value_choice("edge", "level edge", &index));
    assert_int_equal(index, 1);
    static const char *const bad[] = {"", "lev", "levels", "level edge", " edge", "EDGE"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(value_choice(bad[i], "level edge", &index));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),    cmocka_unit_test(numbers), cmocka_unit_test(no_numbers),
        cmocka_unit_test(decimals), cmocka_unit_test(perms),   cmocka_unit_test(choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Ranges up to the end of the address space, and the bits and alignments beside them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/bits.h>
#include <base/range.h>

static const struct range page = {0x1000, 0x1000};
static const struct range last_page = {0xfffffffffffff000, 0x1000};
static const struct range empty = {0x1800, 0};
static const struct range all_but_one = {0, UINT64_MAX};

static void contains(void **state)
{
    (void)state;
    assert_true(range_contains(page, 0x1000, 0x1000));
    assert_true(range_contains(page, 0x1fff, 1));
    assert_true(range_contains(page, 0x2000, 0));
    assert_false(range_contains(page, 0xfff, 1));
    assert_false(range_contains(page, 0x2000, 1));
    assert_false(range_contains(page, 0x1001, 0x1000));
    assert_false(range_contains(page, 0x2001, 0));
}

static void contains_does_not_wrap(void **state)
{
    (void)state;
    assert_false(range_contains(page, 0x1800, UINT64_MAX));
    assert_false(range_contains(page, 0x1800, UINT64_MAX - 0x7ff));
    assert_false(range_contains(page, UINT64_MAX, 0x1002));
    assert_true(range_contains(last_page, UINT64_MAX, 1));
    assert_false(range_contains(last_page, UINT64_MAX, 2));
    assert_true(range_contains(all_but_one, 0, UINT64_MAX));
    assert_false(range_contains(all_but_one, 1, UINT64_MAX));
}

static void overlaps(void **state)
{
    (void)state;
    assert_true(range_overlaps(page, page));
    assert_true(range_overlaps(page, (struct range){0x1fff, 0x1000}));
    assert_true(range_overlaps((struct range){0x1fff, 0x1000}, page));
    assert_true(range_overlaps(page, all_but_one));
    assert_false(range_overlaps(page, (struct range){0x2000, 0x1000}));
    assert_false(range_overlaps((struct range){0x2000, 0x1000}, page));
    assert_true(range_overlaps(last_page, (struct range){UINT64_MAX, 1}));
    assert_false(range_overlaps(last_page, (struct range){0, 0x1000}));
}

static void empty_overlaps_nothing(void **state)
{
    (void)state;
    assert_false(range_overlaps(page, empty));
    assert_false(range_overlaps(empty, page));
    assert_false(range_overlaps(empty, empty));
}

static void validity(void **state)
{
    (void)state;
    assert_true(range_valid(page));
    assert_true(range_valid(all_but_one));
    assert_true(range_valid((struct range){UINT64_MAX, 0}));
    assert_false(range_valid(last_page)); // its end is no 64-bit number
    assert_false(range_valid((struct range){1, UINT64_MAX}));
}

static void fields(void **state)
{
    (void)state;
    assert_int_equal(FIELD(63, 0), UINT64_MAX);
    assert_int_equal(FIELD(0, 0), 1);
    assert_int_equal(FIELD(63, 63), BIT(63));
    assert_int_equal(FIELD(7, 4), 0xf0);
    assert_int_equal(field_get(0x1234, 11, 8), 2);
    assert_int_equal(field_get(UINT64_MAX, 63, 60), 15);
}

static void alignments(void **state)
{
    (void)state;
    assert_int_equal(align_down(0x1fff, 0x1000), 0x1000);
    assert_int_equal(align_up(0x1001, 0x1000), 0x2000);
    assert_int_equal(align_up(0x1000, 0x1000), 0x1000);
    assert_int_equal(align_up(0, 0x1000), 0);
    assert_true(is_aligned(0, 8));
    assert_true(is_aligned(0x200000, 0x200000));
    assert_false(is_aligned(0x201000, 0x200000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contains),   cmocka_unit_test(contains_does_not_wrap),
        cmocka_unit_test(overlaps),   cmocka_unit_test(empty_overlaps_nothing),
        cmocka_unit_test(validity),   cmocka_unit_test(fields),
        cmocka_unit_test(alignments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

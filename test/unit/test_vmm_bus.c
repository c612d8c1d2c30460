// The MMIO bus: order, overlaps, limits, lookups at the edges.
// sources: vmm/bus.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vmm/bus.h>

static struct bus bus;

static int begin(void **state)
{
    (void)state;
    bus = (struct bus){0};
    return 0;
}

static err_t add(uint64_t base, uint64_t size, const char *name)
{
    return bus_add(&bus, (struct bus_range){.where = {base, size}, .name = name});
}

static void expect_at(uint64_t ipa, const char *name)
{
    const struct bus_range *found = bus_find(&bus, ipa);
    if (name == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found->name, name);
}

static void an_empty_bus_answers_nowhere(void **state)
{
    (void)state;
    expect_at(0, NULL);
    expect_at(UINT64_MAX, NULL);
}

static void ranges_are_found_up_to_their_last_byte(void **state)
{
    (void)state;
    assert_int_equal(add(0x3000, 0x1000, "c"), OK);
    assert_int_equal(add(0x1000, 0x1000, "a"), OK);
    assert_int_equal(add(0x2000, 0x800, "b"), OK);
    expect_at(0xfff, NULL);
    expect_at(0x1000, "a");
    expect_at(0x1fff, "a");
    expect_at(0x2000, "b");
    expect_at(0x27ff, "b");
    expect_at(0x2800, NULL);
    expect_at(0x3fff, "c");
    expect_at(0x4000, NULL);
}

static void the_ends_of_the_address_space_can_be_used(void **state)
{
    (void)state;
    assert_int_equal(add(0, 1, "first"), OK);
    assert_int_equal(add(UINT64_MAX - 8, 8, "last"), OK);
    expect_at(0, "first");
    expect_at(1, NULL);
    expect_at(UINT64_MAX - 1, "last");
}

static void an_overlap_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(add(0x1000, 0x1000, "a"), OK);
    assert_int_equal(add(0x1fff, 1, "b"), ERR_OCCUPIED);
    assert_int_equal(add(0x0, 0x1001, "b"), ERR_OCCUPIED);
    assert_int_equal(add(0x1800, 0x10, "b"), ERR_OCCUPIED);
    assert_int_equal(add(0x800, 0x2000, "b"), ERR_OCCUPIED);
    assert_int_equal(bus.count, 1);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_int_equal(add(0x1000, 0, "empty"), ERR_INVALID);
    assert_int_equal(add(UINT64_MAX, 2, "wraps"), ERR_INVALID);
    assert_int_equal(bus.count, 0);
}

static void a_full_bus_takes_no_more(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BUS_RANGES_MAX; i++) {
        unsigned place = i * 29 % BUS_RANGES_MAX; // in no order
        assert_int_equal(add(place * 0x100u, 0x80, "x"), OK);
    }
    assert_int_equal(add(0x100000, 0x80, "x"), ERR_NO_MEMORY);
    for (unsigned i = 0; i < BUS_RANGES_MAX; i++) {
        const struct bus_range *found = bus_find(&bus, i * 0x100u + 0x7f);
        assert_non_null(found);
        assert_int_equal(found->where.base, i * 0x100u);
        assert_null(bus_find(&bus, i * 0x100u + 0x80));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_bus_answers_nowhere, begin),
        cmocka_unit_test_setup(ranges_are_found_up_to_their_last_byte, begin),
        cmocka_unit_test_setup(the_ends_of_the_address_space_can_be_used, begin),
        cmocka_unit_test_setup(an_overlap_is_refused_and_changes_nothing, begin),
        cmocka_unit_test_setup(nonsense_is_refused, begin),
        cmocka_unit_test_setup(a_full_bus_takes_no_more, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

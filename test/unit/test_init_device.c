// Devices by the names that descriptions give them.
// sources: init/device.c init/tree.c test/unit/init_tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <init/device.h>

#include "init_tree.h"

static bool free_all(const void *context, int node)
{
    (void)context;
    (void)node;
    return false;
}

static bool equals(const void *context, int node)
{
    return *(const int *)context == node;
}

static enum device_answer find(const void *fdt, const char *names, struct device *d)
{
    return device_find(fdt, names, free_all, NULL, d);
}

static void by_alias_path_compatible_and_stdout(void **state)
{
    static const char *const names[] = {"serial0", "/pl011@9000000", "arm,pl011", "arm,primecell",
                                        "stdout"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct device d;
        assert_int_equal(find(*state, names[i], &d), DEVICE_FOUND);
        assert_int_equal(d.registers.base, 0x9000000);
        assert_int_equal(d.registers.size, 0x1000);
        assert_string_equal(d.compatible, "arm,pl011");
        assert_int_equal(d.clock_hz, 24000000);
        assert_true(d.has_irq);
        assert_int_equal(d.irq.intid, 33);
    }
}

static void the_first_name_that_is_here(void **state)
{
    struct device d;
    assert_int_equal(find(*state, "  cdns,uart /nowhere bad  vendor,timer stdout", &d),
                     DEVICE_FOUND);
    assert_int_equal(d.registers.base, 0xc0002000);
    assert_false(d.has_irq); // its first goes elsewhere
    assert_string_equal(d.compatible, "vendor,timer");
}

static void disabled_ones_are_not_here(void **state)
{
    struct device d;
    assert_int_equal(find(*state, "virtio,mmio", &d), DEVICE_FOUND);
    assert_int_equal(d.registers.base, 0xa000200);
    assert_int_equal(find(*state, "/virtio@a000000", &d), DEVICE_MISSING);
}

static void taken_ones_are_passed_over(void **state)
{
    struct device first;
    struct device d;
    assert_int_equal(find(*state, "virtio,mmio", &first), DEVICE_FOUND);
    int node = first.path.at[first.path.depth];
    assert_int_equal(device_find(*state, "virtio,mmio", equals, &node, &d), DEVICE_FOUND);
    assert_int_equal(d.registers.base, 0xa001e00);
    assert_int_equal(device_find(*state, "/virtio@a000200", equals, &node, &d), DEVICE_TAKEN);
}

static void says_what_is_missing(void **state)
{
    struct device d;
    assert_int_equal(find(*state, "vendor,none", &d), DEVICE_MISSING);
    assert_int_equal(find(*state, "", &d), DEVICE_MISSING);
    assert_int_equal(find(*state, "   ", &d), DEVICE_MISSING);
    assert_int_equal(find(*state, "bad", &d), DEVICE_MISSING); // an alias of nothing
    assert_int_equal(find(*state, "vendor,lost", &d), DEVICE_NO_REGISTERS);
    assert_int_equal(find(*state, "fixed-clock", &d), DEVICE_NO_REGISTERS);
}

static void very_long_names_match_nothing(void **state)
{
    char name[1000];
    struct device d;
    for (unsigned i = 0; i < sizeof(name); i++) {
        name[i] = 'x';
    }
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(find(*state, name, &d), DEVICE_MISSING);
    name[sizeof(name) - 9] = ' ';
    name[sizeof(name) - 8] = 's';
    name[sizeof(name) - 7] = 't';
    name[sizeof(name) - 6] = 'd';
    name[sizeof(name) - 5] = 'o';
    name[sizeof(name) - 4] = 'u';
    name[sizeof(name) - 3] = 't';
    name[sizeof(name) - 2] = ' ';
    assert_int_equal(find(*state, name, &d), DEVICE_FOUND);
}

static void pages_of_small_devices(void **state)
{
    struct device d;
    assert_int_equal(find(*state, "/virtio@a000200", &d), DEVICE_FOUND);
    assert_int_equal(device_pages(&d).base, 0xa000000);
    assert_int_equal(device_pages(&d).size, 0x1000);
    assert_int_equal(find(*state, "/virtio@a001e00", &d), DEVICE_FOUND);
    assert_int_equal(device_pages(&d).base, 0xa001000);
    assert_int_equal(device_pages(&d).size, 0x2000); // it reaches into the next
}

static int setup(void **state)
{
    *state = world_tree();
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_alias_path_compatible_and_stdout),
        cmocka_unit_test(the_first_name_that_is_here),
        cmocka_unit_test(disabled_ones_are_not_here),
        cmocka_unit_test(taken_ones_are_passed_over),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(very_long_names_match_nothing),
        cmocka_unit_test(pages_of_small_devices),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

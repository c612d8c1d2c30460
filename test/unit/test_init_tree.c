// init's reading of the machine's device tree: addresses through buses, interrupts, clocks, and damaged trees.
// sources: init/tree.c test/unit/init_tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include <init/tree.h>

#include "init_tree.h"

static struct tree_path find(const void *fdt, const char *path)
{
    struct tree_path p;
    assert_true(tree_find_path(fdt, path, &p));
    return p;
}

static void finds_nodes_by_path(void **state)
{
    void *fdt = *state;
    struct tree_path p = find(fdt, "/soc/timer@2000");
    assert_int_equal(p.depth, 2);
    assert_int_equal(p.at[0], 0);
    assert_true(tree_is_compatible(fdt, &p, "vendor,timer"));
    assert_false(tree_find_path(fdt, "/soc/timer@3000", &p));
    assert_false(tree_find_path(fdt, "soc", &p));
    assert_false(tree_find_path(fdt, "", &p));
}

static void walks_every_node_once(void **state)
{
    void *fdt = *state;
    struct tree_path p = {.depth = -1};
    unsigned nodes = 0;
    while (tree_next(fdt, &p)) {
        nodes++;
        assert_true(p.depth >= 0 && p.depth <= 2);
    }
    assert_int_equal(nodes, 17);
}

static void addresses_go_through_the_windows_of_buses(void **state)
{
    void *fdt = *state;
    struct range r;
    struct tree_path p = find(fdt, "/soc/timer@2000");
    assert_true(tree_reg(fdt, &p, 0, &r));
    assert_int_equal(r.base, 0xc0002000);
    assert_int_equal(r.size, 0x100);
    assert_false(tree_reg(fdt, &p, 1, &r));

    p = find(fdt, "/soc/high@800000");
    assert_true(tree_reg(fdt, &p, 0, &r));
    assert_int_equal(r.base, 0x100000000);

    p = find(fdt, "/soc/lost@900000");
    assert_false(tree_reg(fdt, &p, 0, &r));
    p = find(fdt, "/");
    assert_false(tree_reg(fdt, &p, 0, &r));
}

static void knows_memory_from_devices_from_nothing(void **state)
{
    void *fdt = *state;
    assert_true(tree_is_memory(fdt, (struct range){WORLD_RAM, 0x1000}));
    assert_true(tree_is_memory(fdt, (struct range){WORLD_RAM_END - 0x1000, 0x2000}));
    assert_false(tree_is_memory(fdt, (struct range){WORLD_RAM_END, 0x1000}));
    assert_true(tree_is_device(fdt, (struct range){0x9000000, 0x1000}));
    assert_true(tree_is_device(fdt, (struct range){0xc0001000, 0x1000}));
    assert_true(tree_is_device(fdt, (struct range){0x10000000, 0x1000})); // a window of PCI
    // Only the bus calls it that.
    assert_false(tree_is_device(fdt, (struct range){0x800000, 0x1000}));
    assert_false(tree_is_device(fdt, (struct range){0x9001000, 0x1000}));
    assert_false(tree_is_device(fdt, (struct range){WORLD_RAM, 0x1000}));
}

static void interrupts_by_parent(void **state)
{
    void *fdt = *state;
    struct tree_irq irq;
    struct tree_path p = find(fdt, "/pl011@9000000");
    assert_true(tree_irq(fdt, &p, 0, &irq));
    assert_int_equal(irq.intid, 33);
    assert_int_equal(irq.trigger, IRQ_LEVEL);
    assert_false(tree_irq(fdt, &p, 1, &irq));

    p = find(fdt, "/virtio@a001e00");
    assert_true(tree_irq(fdt, &p, 0, &irq));
    assert_int_equal(irq.intid, 50);
    assert_int_equal(irq.trigger, IRQ_EDGE);
    assert_true(tree_irq(fdt, &p, 1, &irq));
    assert_int_equal(irq.intid, 51);
    assert_int_equal(irq.trigger, IRQ_LEVEL);

    p = find(fdt, "/soc/high@800000"); // goes to a GPIO controller
    assert_false(tree_irq(fdt, &p, 0, &irq));
    p = find(fdt, "/virtio@a000000"); // has none
    assert_false(tree_irq(fdt, &p, 0, &irq));
}

static void extended_interrupts(void **state)
{
    void *fdt = *state;
    struct tree_irq irq;
    struct tree_path p = find(fdt, "/soc/timer@2000");
    assert_false(tree_irq(fdt, &p, 0, &irq)); // the GPIO controller's
    assert_true(tree_irq(fdt, &p, 1, &irq));
    assert_int_equal(irq.intid, 72);
    assert_int_equal(irq.trigger, IRQ_EDGE);
    assert_true(tree_irq(fdt, &p, 2, &irq));
    assert_int_equal(irq.intid, 27);
    assert_false(tree_irq(fdt, &p, 3, &irq));
}

static void fixed_clocks_only(void **state)
{
    void *fdt = *state;
    struct tree_path p = find(fdt, "/pl011@9000000");
    assert_int_equal(tree_clock_hz(fdt, &p), 24000000);
    p = find(fdt, "/soc/timer@2000");
    assert_int_equal(tree_clock_hz(fdt, &p), 0);
    p = find(fdt, "/virtio@a000000");
    assert_int_equal(tree_clock_hz(fdt, &p), 0);
}

static void disabled_nodes(void **state)
{
    void *fdt = *state;
    struct tree_path p = find(fdt, "/virtio@a000000");
    assert_false(tree_enabled(fdt, &p));
    p = find(fdt, "/virtio@a000200");
    assert_true(tree_enabled(fdt, &p));
}

static void a_bus_without_ranges_leads_nowhere(void **state)
{
    void *fdt = *state;
    struct range r;
    struct tree_path p = find(fdt, "/soc/timer@2000");
    assert_true(tree_reg(fdt, &p, 0, &r));
    assert_int_equal(fdt_nop_property(fdt, p.at[1], "ranges"), 0);
    assert_false(tree_reg(fdt, &p, 0, &r));
}

static void refuses_what_is_no_tree(void **state)
{
    void *fdt = *state;
    size_t size = fdt_totalsize(fdt);
    assert_true(tree_check(fdt, size));
    assert_false(tree_check(fdt, size - 1));
    assert_false(tree_check(fdt, 7));
    fdt_set_off_dt_struct(fdt, fdt_off_dt_struct(fdt) + 2);
    assert_false(tree_check(fdt, size));
    fdt_set_off_dt_struct(fdt, fdt_off_dt_struct(fdt) + 2);
    assert_false(tree_check(fdt, size));
    memset(fdt, 0, 8);
    assert_false(tree_check(fdt, size));
}

// Asks everything of a tree, damaged as it may be.
static void ask_everything(const void *fdt)
{
    struct tree_path p = {.depth = -1};
    while (tree_next(fdt, &p)) {
        struct range r;
        struct tree_irq irq;
        for (unsigned i = 0; i < 3; i++) {
            (void)tree_reg(fdt, &p, i, &r);
            (void)tree_irq(fdt, &p, i, &irq);
        }
        (void)tree_clock_hz(fdt, &p);
        (void)tree_enabled(fdt, &p);
    }
    (void)tree_is_memory(fdt, (struct range){0x12345000, 0x1000});
    (void)tree_is_device(fdt, (struct range){0x12345000, 0x1000});
}

static void survives_damage(void **state)
{
    const unsigned char *good = *state;
    size_t size = fdt_totalsize(good);
    unsigned char *bad = malloc(size);
    srand(1);
    unsigned passed = 0;
    for (unsigned i = 0; i < 3000; i++) {
        memcpy(bad, good, size);
        for (unsigned n = 0; n < 1 + i % 4; n++) {
            bad[40 + (unsigned)rand() % (size - 40)] = (unsigned char)rand();
        }
        if (tree_check(bad, size)) {
            ask_everything(bad);
            passed++;
        }
    }
    free(bad);
    assert_true(passed > 100);
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
        cmocka_unit_test_setup_teardown(finds_nodes_by_path, setup, teardown),
        cmocka_unit_test_setup_teardown(walks_every_node_once, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_go_through_the_windows_of_buses, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_memory_from_devices_from_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts_by_parent, setup, teardown),
        cmocka_unit_test_setup_teardown(extended_interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_clocks_only, setup, teardown),
        cmocka_unit_test_setup_teardown(disabled_nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bus_without_ranges_leads_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_tree, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_damage, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

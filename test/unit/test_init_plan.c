// What init refuses to build: everything that does not fit the machine, by name, before anything is made.
// sources: init/plan.c init/budget.c init/layout.c init/memory.c init/device.c init/tree.c init/system.c init/print.c
// sources: init/build.c init/region.c init/process.c init/thread.c init/vm.c init/vmplan.c init/wire.c init/make.c
// sources: init/config.c abi/bundle_check.c base/format.c
// sources: test/unit/init_world.c test/unit/init_kernel.c test/unit/init_tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>
#include <init/plan.h>

#include "init_world.h"

#define MIB 0x100000u

// Opens the description and plans it; says what was said if that isn't what was expected.
static bool plan(struct world *w)
{
    assert_true(world_open(w));
    uint64_t objects = w->fake.kernel.objects;
    bool fits = plan_system(w->system);
    assert_int_equal(w->fake.kernel.objects, objects); // it only looks
    return fits;
}

static void assert_refused(struct world *w, const char *line)
{
    assert_false(plan(w));
    if (!fake_said(&w->fake, line)) {
        fail_msg("it said: %s", w->fake.console);
    }
}

static void assert_fits(struct world *w)
{
    if (!plan(w)) {
        fail_msg("it said: %s", w->fake.console);
    }
    assert_int_equal(w->fake.console_length, 0);
}

// ---- What fits --------------------------------------------------------------------------------------------------

static void a_system_of_everything(void **state)
{
    struct world *w = *state;
    world_process(w, "server")->core = 3;
    struct bundle_process *client = world_process(w, "client");
    client->parent = 0;
    client->child_id = 7;
    world_region(w, "ring", 4 * MIB);
    world_region(w, "fixed", MIB)->paddr = 0x44000000;
    world_region(w, "flat", PAGE_SIZE)->paddr = 0x9000000;
    world_device(w, "uart", "stdout");
    world_map(w, 0, 0, 0x10000000);
    world_map(w, 0, 1, 0x10000000);
    world_map(w, 3, 0, 0x20000000);
    world_irq(w, 0, 5, BUNDLE_NONE)->device = 3;
    world_irq(w, 0, 61, 100)->trigger = IRQ_EDGE;
    world_channel(w, 0, 1, 1, 2)->end[1].call = 1;
    w->shares[0] = (struct bundle_share){1, 63, SHARE_TIME, 0};
    w->header.shares.count = 1;
    assert_fits(w);

    const struct process *p = w->system->processes;
    assert_int_equal(p[0].irqs, BIT(5) | BIT(61));
    assert_int_equal(p[0].notifications, BIT(1));
    assert_int_equal(p[0].calls, 0);
    assert_int_equal(p[0].children, BIT(7));
    assert_true(p[0].serves);
    assert_int_equal(p[1].notifications, BIT(2));
    assert_int_equal(p[1].calls, BIT(2));
    assert_false(p[1].serves);
    assert_int_equal(process_handles(&p[0]), PROCESS_CHILD + 8);
    assert_int_equal(process_handles(&p[1]), PROCESS_USER + 64);
    assert_int_equal(w->system->irqs[0].intid, 33);
    assert_int_equal(w->system->irqs[0].trigger, IRQ_LEVEL);
    assert_int_equal(w->system->irqs[1].trigger, IRQ_EDGE);
    assert_int_equal(w->system->regions[3].where.base, 0x9000000);
    assert_int_equal(w->system->regions[3].where.size, 0x1000);
}

static void a_process_with_nothing(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    assert_fits(w);
    assert_int_equal(process_handles(&w->system->processes[0]), PROCESS_NOTIFY);
    assert_int_equal(w->system->processes[0].tables, 5);
}

static void a_device_is_as_large_as_the_tree_says(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "wide", "vendor,high");                // 0x2000 bytes
    world_device(w, "small", "arm,pl011")->size = 0x10000; // 0x1000 in the tree
    world_map(w, 0, 0, 0x10000000);
    world_map(w, 1, 0, 0x20000000);
    assert_fits(w);
    assert_int_equal(w->system->regions[0].where.size, 0x2000);
    assert_int_equal(w->system->regions[1].where.size, 0x1000);
}

static void a_description_may_want_less_of_a_device(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "wide", "vendor,high")->size = 0x1000;
    assert_fits(w);
    assert_int_equal(w->system->regions[0].where.size, 0x1000);
}

static void two_devices_of_one_kind(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "first", "virtio,mmio");
    world_device(w, "second", "virtio,mmio");
    assert_fits(w);
    assert_int_equal(w->system->regions[0].device.registers.base, 0xa000200);
    assert_int_equal(w->system->regions[1].device.registers.base, 0xa001e00);
}

static void memory_just_so(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    world_region(w, "most", WORLD_RAM_END - WORLD_FREE - 4 * MIB);
    assert_fits(w);
}

// ---- What doesn't -----------------------------------------------------------------------------------------------

static void too_much_memory(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    world_region(w, "ring", MIB);
    world_region(w, "lake", 256 * MIB);
    assert_refused(w, "init: memory_region \"lake\" (line 20): its 262144 KiB don't fit");
}

static void regions_that_fit_only_without_the_processes(void **state)
{
    struct world *w = *state;
    world_process(w, "first");
    world_process(w, "second")->stack_size = 4 * MIB;
    world_region(w, "most", WORLD_RAM_END - WORLD_FREE - 4 * MIB);
    assert_refused(w, "init: protection_domain \"second\" (line 20): it doesn't fit");
}

static void a_cpu_beyond_the_cores(void **state)
{
    struct world *w = *state;
    world_process(w, "first");
    world_process(w, "second")->core = 4;
    assert_refused(
        w, "init: protection_domain \"second\" (line 20): there is no cpu 4: this machine runs 4");
}

static void fixed_memory_that_is_taken(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    world_region(w, "kernel", PAGE_SIZE)->paddr = WORLD_RAM;
    assert_refused(
        w, "init: memory_region \"kernel\" (line 10): the 4 KiB at physical address 0x40000000 are "
           "not all there and free");
}

static void fixed_memory_that_ends_too_early(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    world_region(w, "end", 4 * MIB)->paddr = WORLD_RAM_END - 2 * MIB;
    assert_refused(w, "init: memory_region \"end\" (line 10)");
}

static void fixed_memory_of_another_region(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    world_region(w, "one", 2 * PAGE_SIZE)->paddr = 0x44000000;
    world_region(w, "two", PAGE_SIZE)->paddr = 0x44001000;
    world_region(w, "three", PAGE_SIZE)->paddr = 0x44002000;
    assert_refused(w, "init: memory_region \"two\" (line 20): the memory at 0x44001000 belongs to "
                      "region \"one\"");
    assert_false(fake_said(&w->fake, "three"));
}

static void an_address_where_nothing_is(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    world_region(w, "void", PAGE_SIZE)->paddr = 0x7f000000;
    assert_refused(
        w,
        "init: memory_region \"void\" (line 10): at physical address 0x7f000000 this machine has "
        "neither memory nor a device");
}

static void devices_that_are_not_here(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "uart", "cdns,uart serial7");
    world_device(w, "lost", "vendor,lost");
    world_irq(w, 0, 1, BUNDLE_NONE)->device = 0; // said once is enough
    assert_refused(
        w,
        "init: memory_region \"uart\" (line 10): this machine has no device \"cdns,uart serial7\"");
    assert_true(
        fake_said(&w->fake, "\"lost\" (line 20): the device \"vendor,lost\" has no registers"));
    assert_false(fake_said(&w->fake, "irq of"));
}

static void a_device_for_two(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "uart", "stdout");
    world_device(w, "again", "arm,pl011");
    assert_refused(w, "init: memory_region \"again\" (line 20): the device \"arm,pl011\" belongs "
                      "to another region");
}

static void interrupts_that_do_not_exist(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "uart", "stdout");
    world_irq(w, 0, 1, 288);
    world_irq(w, 0, 2, 27);
    world_irq(w, 0, 3, 287);
    struct bundle_irq *second = world_irq(w, 0, 4, BUNDLE_NONE);
    second->device = 0;
    second->index = 1;
    assert_refused(w, "init: irq of \"driver\" (line 10): there is no interrupt 288");
    assert_true(fake_said(&w->fake, "init: irq of \"driver\" (line 20): there is no interrupt 27"));
    assert_false(fake_said(&w->fake, "(line 30)"));
    assert_true(fake_said(&w->fake, "(line 40): the device of region \"uart\" has no interrupt 1"));
}

static void an_interrupt_for_two(void **state)
{
    struct world *w = *state;
    world_process(w, "first");
    world_process(w, "second");
    world_device(w, "uart", "stdout");
    world_irq(w, 0, 1, 33);
    world_irq(w, 1, 1, BUNDLE_NONE)->device = 0;
    assert_refused(
        w, "init: irq of \"second\" (line 20): interrupt 33 belongs to process \"first\" already");
}

static void a_device_that_reaches_into_another_map(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "wide", "vendor,high");
    world_region(w, "ring", PAGE_SIZE);
    world_map(w, 1, 0, 0x10001000);
    world_map(w, 0, 0, 0x10000000);
    assert_refused(w, "init: map of \"wide\" (line 20): at 0x10000000 in \"driver\", 8192 bytes "
                      "long, it overlaps");
}

static void a_device_that_reaches_into_the_stack(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "wide", "vendor,high");
    world_map(w, 0, 0, PROCESS_STACK_TOP - 0x2000 - 2 * PAGE_SIZE);
    assert_refused(w, "init: map of \"wide\" (line 10)");
}

static void more_devices_than_a_config_page_holds(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "uart", "stdout");
    for (unsigned i = 0; i <= PROCESS_DEVICE_MAX; i++) {
        world_map(w, 0, 0, 0x10000000 + i * PAGE_SIZE);
    }
    assert_refused(
        w, "init: protection_domain \"driver\" (line 10): it maps 17 devices; 16 is the limit");
}

static void more_page_tables_than_a_space_may_have(void **state)
{
    struct world *w = *state;
    world_process(w, "wide")->stack_size = 0x2000;
    struct bundle_region *r = world_region(w, "device", 0x10000000);
    r->paddr = 0x10001000; // out of step with 2 MiB: pages only
    for (unsigned i = 0; i < 40; i++) {
        world_map(w, 0, 0, 0x40000000 + i * 0x20000000ull);
    }
    assert_refused(w, "init: protection_domain \"wide\" (line 10): its mappings take");
}

static void all_that_is_wrong_is_said(void **state)
{
    struct world *w = *state;
    world_process(w, "first")->core = 9;
    world_region(w, "lake", 512 * MIB);
    world_region(w, "void", PAGE_SIZE)->paddr = 0x7f000000;
    world_irq(w, 0, 1, 900);
    assert_refused(w, "cpu 9");
    assert_true(fake_said(&w->fake, "lake"));
    assert_true(fake_said(&w->fake, "void"));
    assert_true(fake_said(&w->fake, "interrupt 900"));
}

static void damaged_bundle(void **state)
{
    struct world *w = *state;
    world_process(w, "alone")->priority = 255;
    assert_false(world_open(w));
    assert_true(
        fake_said(&w->fake, "init: the bundle is damaged: one of the processes is wrong\n"));
}

static void damaged_tree(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    memset(w->fdt, 0, 16);
    assert_false(world_open(w));
    assert_true(fake_said(&w->fake, "init: the machine's device tree is malformed\n"));
}

static int setup(void **state)
{
    *state = world_new();
    return 0;
}

static int teardown(void **state)
{
    world_end(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_system_of_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(a_process_with_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_is_as_large_as_the_tree_says, setup, teardown),
        cmocka_unit_test_setup_teardown(a_description_may_want_less_of_a_device, setup, teardown),
        cmocka_unit_test_setup_teardown(two_devices_of_one_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_just_so, setup, teardown),
        cmocka_unit_test_setup_teardown(too_much_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(regions_that_fit_only_without_the_processes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_cpu_beyond_the_cores, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_memory_that_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_memory_that_ends_too_early, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_memory_of_another_region, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_where_nothing_is, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_that_are_not_here, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_for_two, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts_that_do_not_exist, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interrupt_for_two, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_that_reaches_into_another_map, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_that_reaches_into_the_stack, setup, teardown),
        cmocka_unit_test_setup_teardown(more_devices_than_a_config_page_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(more_page_tables_than_a_space_may_have, setup, teardown),
        cmocka_unit_test_setup_teardown(all_that_is_wrong_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_bundle, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_tree, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// What init builds: regions, processes and the wires between them, on a kernel that remembers all of it.
// sources: init/plan.c init/budget.c init/layout.c init/memory.c init/device.c init/tree.c init/system.c init/print.c
// sources: init/build.c init/region.c init/process.c init/thread.c init/vm.c init/vmplan.c init/wire.c init/make.c
// sources: init/config.c abi/bundle_check.c base/format.c
// sources: test/unit/init_world.c test/unit/init_kernel.c test/unit/init_tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>
#include <init/build.h>
#include <init/plan.h>
#include <init/process.h>

#include "init_world.h"

#define MIB 0x100000u

static void build(struct world *w)
{
    bool done = world_open(w) && plan_system(w->system) && system_build(w->system);
    if (!done) {
        fail_msg("it said: %s", w->fake.console);
    }
}

static const struct process *process(struct world *w, uint32_t i)
{
    return &w->system->processes[i];
}

static struct fake_object *thread(struct world *w, uint32_t i)
{
    return fake_slot(&w->fake, process(w, i)->thread)->object;
}

static struct fake_object *object(struct world *w, handle_t handle)
{
    return fake_slot(&w->fake, handle)->object;
}

// A slot of a process's own capability space; its length is checked.
static struct fake_slot *slot(struct world *w, uint32_t i, uint64_t index)
{
    struct fake_object *cspace = object(w, process(w, i)->cspace);
    assert_true(index < cspace->size);
    return &cspace->slots[index];
}

static struct fake_slot *mapping(struct world *w, uint32_t i, uint64_t address)
{
    struct fake_slot *s = fake_mapping(&w->fake, process(w, i)->space, address);
    assert_non_null(s);
    return s;
}

// ---- Processes --------------------------------------------------------------------------------------------------

static void a_process_has_what_it_needs_and_no_more(void **state)
{
    struct world *w = *state;
    world_process(w, "alone")->core = 2;
    w->processes[0].flags = BUNDLE_FPU | BUNDLE_POWER;
    w->processes[0].budget_us = 300;
    build(w);

    const struct fake_object *t = thread(w, 0);
    assert_ptr_equal(t->bound[THREAD_CSPACE], object(w, process(w, 0)->cspace));
    assert_ptr_equal(t->bound[THREAD_SPACE], object(w, process(w, 0)->space));
    assert_ptr_equal(t->bound[THREAD_NOTIFICATION], object(w, process(w, 0)->notification));
    assert_null(t->bound[THREAD_ENDPOINT]);
    assert_ptr_equal(t->bound[THREAD_FAULT], object(w, BOOT_ENDPOINT));
    assert_int_equal(t->fault_badge, BADGE_FAULT | 0);
    assert_ptr_equal(t->bound[THREAD_MESSAGE], mapping(w, 0, PROCESS_MESSAGE)->object);
    assert_int_equal(t->flags, THREAD_FP);
    assert_int_equal(t->time[0], 100);
    assert_int_equal(t->time[1], 2);
    assert_int_equal(t->time[2], 18750);
    assert_int_equal(t->time[3], 62500);
    assert_int_equal(t->regs[REG_X0], PROCESS_CONFIG);
    assert_int_equal(t->regs[REG_SP], PROCESS_STACK_TOP);
    assert_int_equal(t->regs[REG_PC], PROCESS_IMAGE);
    assert_int_equal(t->started, 0);

    assert_int_equal(object(w, process(w, 0)->cspace)->size, PROCESS_NOTIFY);
    assert_int_equal(slot(w, 0, PROCESS_CONSOLE)->rights, RIGHT_WRITE);
    assert_int_equal(slot(w, 0, PROCESS_POWER)->object->type, OBJ_POWER);
    assert_null(slot(w, 0, PROCESS_SMC)->object);
}

// init speaks now and then, and a console that is on takes what anybody says.
static void nobody_has_a_console_that_is_off(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    w->header.flags = BUNDLE_CONSOLE_OFF;
    build(w);
    assert_null(slot(w, 0, PROCESS_CONSOLE)->object);
}

static void its_memory_is_as_the_bundle_says(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    build(w);

    struct fake_slot *text = mapping(w, 0, PROCESS_IMAGE);
    assert_ptr_equal(text->object, object(w, BOOT_BUNDLE)); // not copied
    assert_int_equal(text->flags, MAP_READ | MAP_EXECUTE);
    assert_int_equal(text->rights, RIGHT_READ | RIGHT_EXECUTE);
    assert_int_equal((uint32_t)text->badge, 1);
    assert_int_equal(fake_byte(text, 0x122), 't');

    struct fake_slot *data = mapping(w, 0, WORLD_DATA);
    assert_int_equal(data->flags, MAP_READ | MAP_WRITE);
    assert_int_equal((uint32_t)data->badge, 2);
    assert_int_equal(fake_byte(data, 0), 'd');
    assert_int_equal(fake_byte(data, WORLD_DATA_FILE - 1), 'd');
    assert_int_equal(fake_byte(data, WORLD_DATA_FILE), 0);

    struct fake_slot *stack = mapping(w, 0, PROCESS_STACK_TOP - 1);
    assert_int_equal(stack->address, PROCESS_STACK_TOP - 0x2000);
    assert_int_equal(stack->flags, MAP_READ | MAP_WRITE);
    assert_null(fake_mapping(&w->fake, process(w, 0)->space, PROCESS_STACK_TOP - 0x2001));
    assert_null(fake_mapping(&w->fake, process(w, 0)->space, PROCESS_STACK_TOP));
    assert_int_equal(mapping(w, 0, PROCESS_CONFIG)->flags, MAP_READ);
    assert_int_equal(mapping(w, 0, PROCESS_MESSAGE)->flags, MAP_READ | MAP_WRITE);
}

static void loading_again_restores_data_and_registers(void **state)
{
    struct world *w = *state;
    world_process(w, "alone");
    build(w);
    struct fake_slot *data = mapping(w, 0, WORLD_DATA);
    memset(data->object->bytes, 'X', WORLD_DATA_SIZE);
    thread(w, 0)->regs[REG_PC] = 0;
    assert_int_equal(process_load(w->system, 0), OK);
    assert_int_equal(fake_byte(data, 1), 'd');
    assert_int_equal(fake_byte(data, WORLD_DATA_FILE), 0);
    assert_int_equal(fake_byte(data, WORLD_DATA_SIZE - 1), 0);
    assert_int_equal(thread(w, 0)->regs[REG_PC], PROCESS_IMAGE);
}

static void patches_say_where_regions_are(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_region(w, "ring", 4 * MIB);
    world_device(w, "wide", "vendor,high");
    w->patches[0] = (struct bundle_patch){
        .process = 0, .kind = PATCH_REGION_PADDR, .vaddr = WORLD_DATA + 8, .region = 0};
    w->patches[1] = (struct bundle_patch){
        .process = 0, .kind = PATCH_REGION_SIZE, .vaddr = WORLD_DATA + 0xffc, .region = 1};
    w->header.patches.count = 2;
    build(w);
    uint64_t value;
    const unsigned char *bytes = mapping(w, 0, WORLD_DATA)->object->bytes;
    memcpy(&value, bytes + 8, sizeof(value));
    assert_int_equal(value, object(w, w->system->regions[0].frames[0])->base);
    memcpy(&value, bytes + 0xffc, sizeof(value)); // across two pages
    assert_int_equal(value, 0x2000);
    assert_int_equal(bytes[0xffb], 'd');
}

static void the_config_page_tells_all(void **state)
{
    struct world *w = *state;
    world_process(w, "driver")->flags = BUNDLE_PASSIVE;
    world_process(w, "other");
    world_device(w, "uart", "stdout");
    world_device(w, "slot", "/virtio@a000200");
    world_map(w, 0, 0, 0x10000000);
    world_map(w, 1, 0, 0x20000000);
    world_map(w, 0, 1, 0x10000000);
    world_irq(w, 0, 9, BUNDLE_NONE)->device = 0;
    world_channel(w, 0, 3, 1, 4)->end[1].call = 1;
    build(w);

    struct process_config c;
    memcpy(&c, mapping(w, 0, PROCESS_CONFIG)->object->bytes, sizeof(c));
    assert_int_equal(c.magic, PROCESS_CONFIG_MAGIC);
    assert_int_equal(c.version, 1);
    assert_int_equal(c.cores, 4);
    assert_string_equal(c.name, "driver");
    assert_int_equal(c.ticks_per_second, 62500000);
    assert_int_equal(c.irqs, BIT(9));
    assert_int_equal(c.notifications, BIT(3));
    assert_int_equal(c.calls, 0);
    assert_int_equal(c.passive, 1);
    assert_int_equal(c.serves, 1);
    assert_int_equal(c.device_count, 2);
    assert_string_equal(c.devices[0].region, "uart");
    assert_string_equal(c.devices[0].compatible, "arm,pl011");
    assert_int_equal(c.devices[0].vaddr, 0x10000000);
    assert_int_equal(c.devices[0].paddr, 0x9000000);
    assert_int_equal(c.devices[0].size, 0x1000);
    assert_int_equal(c.devices[0].clock_hz, 24000000);
    assert_int_equal(c.devices[0].irq, 33);
    assert_int_equal(c.devices[0].irq_id, 9);
    assert_int_equal(c.devices[1].vaddr, 0x20000200);
    assert_int_equal(c.devices[1].size, 0x200);
    assert_int_equal(c.devices[1].irq, 49);
    assert_int_equal(c.devices[1].irq_id, UINT32_MAX);

    memcpy(&c, mapping(w, 1, PROCESS_CONFIG)->object->bytes, sizeof(c));
    assert_int_equal(c.calls, BIT(4));
    assert_int_equal(c.devices[0].irq_id, UINT32_MAX); // the interrupt is the other's
}

// ---- Regions ----------------------------------------------------------------------------------------------------

static void regions_are_shared_by_their_maps(void **state)
{
    struct world *w = *state;
    world_process(w, "writer");
    world_process(w, "reader");
    world_region(w, "ring", 0x3000)->prefill = world_prefill();
    world_map(w, 0, 0, 0x10000000);
    world_map(w, 0, 1, 0x20000000)->perms = MAP_READ | MAP_UNCACHED;
    build(w);
    struct fake_slot *a = mapping(w, 0, 0x10002fff);
    struct fake_slot *b = mapping(w, 1, 0x20002fff);
    assert_ptr_equal(a->object, b->object);
    assert_ptr_not_equal(a, b);
    assert_int_equal(a->rights, RIGHT_READ | RIGHT_WRITE);
    assert_int_equal(b->rights, RIGHT_READ);
    assert_int_equal(b->flags, MAP_READ | MAP_UNCACHED);
    assert_memory_equal(a->object->bytes, WORLD_PREFILL, sizeof(WORLD_PREFILL));
    assert_int_equal(fake_byte(a, sizeof(WORLD_PREFILL)), 0);
    assert_false(a->object->device);
}

static void devices_are_mapped_by_page(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_device(w, "uart", "stdout");
    world_region(w, "flat", 0x2000)->paddr = 0xc0001000;
    world_map(w, 0, 0, 0x10000000);
    world_map(w, 1, 0, 0x20000000);
    build(w);
    assert_true(mapping(w, 0, 0x10000000)->object->device);
    assert_int_equal(fake_physical(mapping(w, 0, 0x10000000)), 0x9000000);
    assert_true(mapping(w, 0, 0x20000000)->object->device);
    assert_int_equal(fake_physical(mapping(w, 0, 0x20000000)), 0xc0001000);
}

static void what_the_kernel_keeps_is_named(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_region(w, "gic", PAGE_SIZE)->paddr = 0x8000000;
    assert_true(world_open(w) && plan_system(w->system));
    assert_false(system_build(w->system));
    assert_true(fake_said(
        &w->fake, "init: memory_region \"gic\" (line 10): at 0x8000000, 4 KiB: the kernel keeps "
                  "what is there for itself\n"));
}

// Is every page of a region that is mapped at vaddr of process 0 at its fixed place?
static void assert_at(struct world *w, uint64_t vaddr, uint64_t size, uint64_t physical)
{
    for (uint64_t i = 0; i < size; i += PAGE_SIZE) {
        struct fake_slot *s = mapping(w, 0, vaddr + i);
        assert_int_equal(fake_physical(s) + (vaddr + i - s->address), physical + i);
    }
}

static void fixed_regions_lie_where_they_should(void **state)
{
    static const struct {
        uint64_t at;
        uint64_t size;
    } places[] = {
        {0x44001000, 0x1000},
        {0x44002000, 0x2000},             // neighbours
        {0x45100000, 0x300000},           // crosses a boundary of 2 MiB
        {0x42000000, 0x400000},           // on one
        {0x43ff0000, 0x10000},            // ends where the next begins
        {WORLD_RAM_END - 0x6000, 0x4000}, // ends below init's own pages at the top
        {0x40600000, 0x1000},
    };
    struct world *w = *state;
    world_process(w, "alone");
    for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
        world_region(w, "fixed", places[i].size)->paddr = places[i].at;
        world_map(w, i, 0, 0x10000000 + i * 0x1000000ull);
    }
    world_region(w, "anywhere", 16 * MIB);
    w->regions[2].prefill = world_prefill();
    build(w);
    for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
        assert_at(w, 0x10000000 + i * 0x1000000ull, places[i].size, places[i].at);
    }
    assert_int_equal(fake_byte(mapping(w, 0, 0x12000000), 2), WORLD_PREFILL[2]);
}

static void memory_in_several_pieces_is_all_used(void **state)
{
    struct world *w = *state;
    w->boot.untyped[1] = (struct boot_untyped){0x80000000, 8 * MIB};
    // No room for a page and its header.
    w->boot.untyped[2] = (struct boot_untyped){0x90000000, PAGE_SIZE};
    w->boot.untyped_count = 3;
    world_process(w, "alone");
    world_region(w, "first", 118 * MIB);
    world_region(w, "second", 5 * MIB);
    build(w);
    assert_true(w->system->regions[1].where.base >= 0x80000000);
}

// ---- Wires ------------------------------------------------------------------------------------------------------

static void channels_carry_what_they_may(void **state)
{
    struct world *w = *state;
    world_process(w, "client");
    world_process(w, "server");
    struct bundle_channel *c = world_channel(w, 0, 5, 1, 61);
    c->end[0].call = 1;
    c->end[1].notify = 0;
    build(w);

    struct fake_slot *notify = slot(w, 0, PROCESS_NOTIFY + 5);
    assert_ptr_equal(notify->object, object(w, process(w, 1)->notification));
    assert_int_equal(notify->badge, BIT(61));
    assert_int_equal(notify->rights, RIGHT_WRITE);
    struct fake_slot *call = slot(w, 0, PROCESS_CALL + 5);
    assert_ptr_equal(call->object, object(w, process(w, 1)->endpoint));
    assert_int_equal(call->badge, BADGE_CALL | 61);
    assert_int_equal(call->rights, RIGHT_WRITE);
    assert_ptr_equal(thread(w, 1)->bound[THREAD_ENDPOINT], call->object);
    assert_int_equal(object(w, process(w, 1)->cspace)->size, PROCESS_NOTIFY); // it may do nothing
    assert_int_equal(process(w, 0)->endpoint, 0);
}

static void interrupts_signal_their_process(void **state)
{
    struct world *w = *state;
    world_process(w, "driver");
    world_irq(w, 0, 12, 80)->trigger = IRQ_EDGE;
    build(w);
    struct fake_slot *irq = slot(w, 0, PROCESS_IRQ + 12);
    assert_int_equal(irq->object->type, OBJ_IRQ);
    assert_int_equal(irq->rights, RIGHT_WRITE);
    assert_int_equal(irq->object->intid, 80);
    assert_int_equal(irq->object->trigger, IRQ_EDGE);
    assert_ptr_equal(irq->object->target, object(w, process(w, 0)->notification));
    assert_int_equal(irq->object->target_badge, BIT(12));
}

static void parents_hold_their_children(void **state)
{
    struct world *w = *state;
    world_process(w, "parent");
    struct bundle_process *child = world_process(w, "child");
    child->parent = 0;
    child->child_id = 4;
    build(w);
    struct fake_slot *s = slot(w, 0, PROCESS_CHILD + 4);
    assert_ptr_equal(s->object, thread(w, 1));
    assert_int_equal(s->rights, RIGHT_READ | RIGHT_WRITE);
    assert_ptr_equal(thread(w, 1)->bound[THREAD_FAULT], object(w, process(w, 0)->endpoint));
    assert_int_equal(thread(w, 1)->fault_badge, BADGE_FAULT | 4);
    assert_ptr_equal(thread(w, 0)->bound[THREAD_FAULT], object(w, BOOT_ENDPOINT));
}

static void shares_give_what_they_name(void **state)
{
    struct world *w = *state;
    world_process(w, "holder");
    world_process(w, "other")->core = 1;
    w->shares[0] = (struct bundle_share){0, 1, SHARE_THREAD, 1};
    w->shares[1] = (struct bundle_share){0, 2, SHARE_SPACE, 1};
    w->shares[2] = (struct bundle_share){0, 63, SHARE_TIME, 1};
    w->header.shares.count = 3;
    build(w);
    assert_ptr_equal(slot(w, 0, PROCESS_USER + 1)->object, thread(w, 1));
    assert_ptr_equal(slot(w, 0, PROCESS_USER + 2)->object, object(w, process(w, 1)->space));
    assert_int_equal(slot(w, 0, PROCESS_USER + 63)->object->type, OBJ_TIME);
    assert_int_equal(slot(w, 0, PROCESS_USER + 63)->badge, TIME_BADGE(100, BIT(1)));
}

// ---- Starting and failing ---------------------------------------------------------------------------------------

static void the_urgent_start_first_and_children_before_parents(void **state)
{
    struct world *w = *state;
    world_process(w, "parent")->priority = 200;
    world_process(w, "low")->priority = 1;
    world_process(w, "high")->priority = 250;
    struct bundle_process *child = world_process(w, "child");
    child->parent = 0;
    child->priority = 50;
    build(w);
    assert_true(processes_start(w->system));
    assert_int_equal(thread(w, 2)->started, 1);
    assert_int_equal(thread(w, 3)->started, 2);
    assert_int_equal(thread(w, 0)->started, 3);
    assert_int_equal(thread(w, 1)->started, 4);
}

static void a_full_house(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < PROCESS_MAX; i++) {
        world_process(w, "one of many");
        world_region(w, "its own", PAGE_SIZE);
        world_map(w, i, i, 0x10000000);
    }
    build(w);
    assert_true(processes_start(w->system));
    assert_int_equal(w->fake.starts, PROCESS_MAX);
}

// Whichever system call fails, init says so and nothing runs.
static void every_failure_is_named(void **state)
{
    (void)state;
    for (int calls = 0;; calls++) {
        struct world *w = world_new();
        world_process(w, "parent");
        world_process(w, "child")->parent = 0;
        world_region(w, "ring", PAGE_SIZE)->prefill = world_prefill();
        world_region(w, "fixed", PAGE_SIZE)->paddr = 0x44000000;
        world_device(w, "uart", "stdout");
        world_map(w, 0, 0, 0x10000000);
        world_map(w, 2, 0, 0x20000000);
        world_irq(w, 0, 1, BUNDLE_NONE)->device = 2;
        world_channel(w, 0, 3, 1, 4)->end[1].call = 1;
        w->shares[0] = (struct bundle_share){0, 1, SHARE_SPACE, 1};
        w->header.shares.count = 1;
        assert_true(world_open(w) && plan_system(w->system));
        w->fake.fail_after = calls;
        bool done = system_build(w->system) && processes_start(w->system);
        bool failed = w->fake.fail_after < 0;
        assert_int_equal(done, !failed);
        if (failed) {
            assert_true(fake_said(&w->fake, "init: ") &&
                        fake_said(&w->fake, "the handle names no capability\n"));
            assert_true(w->fake.starts < 2);
        }
        world_end(w);
        if (!failed) {
            assert_true(calls > 60);
            return;
        }
    }
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
        cmocka_unit_test_setup_teardown(a_process_has_what_it_needs_and_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_has_a_console_that_is_off, setup, teardown),
        cmocka_unit_test_setup_teardown(its_memory_is_as_the_bundle_says, setup, teardown),
        cmocka_unit_test_setup_teardown(loading_again_restores_data_and_registers, setup, teardown),
        cmocka_unit_test_setup_teardown(patches_say_where_regions_are, setup, teardown),
        cmocka_unit_test_setup_teardown(the_config_page_tells_all, setup, teardown),
        cmocka_unit_test_setup_teardown(regions_are_shared_by_their_maps, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_are_mapped_by_page, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_kernel_keeps_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_regions_lie_where_they_should, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_in_several_pieces_is_all_used, setup, teardown),
        cmocka_unit_test_setup_teardown(channels_carry_what_they_may, setup, teardown),
        cmocka_unit_test_setup_teardown(interrupts_signal_their_process, setup, teardown),
        cmocka_unit_test_setup_teardown(parents_hold_their_children, setup, teardown),
        cmocka_unit_test_setup_teardown(shares_give_what_they_name, setup, teardown),
        cmocka_unit_test_setup_teardown(the_urgent_start_first_and_children_before_parents, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_full_house, setup, teardown),
        cmocka_unit_test(every_failure_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

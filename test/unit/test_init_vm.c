// Virtual machines as init plans and builds them: guest spaces, vcpus, what a VMM gets, and what is refused.
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
#include <init/life.h>
#include <init/plan.h>
#include <init/process.h>
#include <init/thread.h>
#include <init/vmplan.h>

#include "init_world.h"

#define MIB  0x100000u
#define GICV 0x8040000u

static void build(struct world *w)
{
    bool done = world_open(w) && plan_system(w->system) && system_build(w->system);
    if (!done) {
        fail_msg("it said: %s", w->fake.console);
    }
}

static void assert_refused(struct world *w, const char *text)
{
    assert_true(world_open(w));
    assert_false(plan_system(w->system));
    if (!fake_said(&w->fake, text)) {
        fail_msg("it said: %s", w->fake.console);
    }
}

static const struct vm *vm(struct world *w, uint32_t i)
{
    return &w->system->vms[i];
}

static struct fake_object *object(struct world *w, handle_t handle)
{
    return fake_slot(&w->fake, handle)->object;
}

static const struct process *vmm(struct world *w, uint32_t i)
{
    return &w->system->processes[w->vms[i].process];
}

static struct fake_slot *slot(struct world *w, uint32_t i, uint64_t index)
{
    struct fake_object *cspace = object(w, vmm(w, i)->cspace);
    assert_true(index < cspace->size);
    return &cspace->slots[index];
}

static struct fake_slot *vmm_mapping(struct world *w, uint32_t i, uint64_t address)
{
    struct fake_slot *s = fake_mapping(&w->fake, vmm(w, i)->space, address);
    assert_non_null(s);
    return s;
}

static struct fake_slot *guest_mapping(struct world *w, uint32_t i, uint64_t address)
{
    return fake_mapping(&w->fake, vm(w, i)->space, address);
}

// ---- What is built ----------------------------------------------------------------------------------------------

static void a_guest_has_its_memory_and_nothing_else(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    build(w);

    const struct fake_object *space = object(w, vm(w, 0)->space);
    assert_int_equal(space->size, vm(w, 0)->tables | SPACE_GUEST);
    const struct fake_slot *ram = guest_mapping(w, 0, WORLD_GUEST_RAM);
    assert_int_equal(ram->flags, MAP_READ | MAP_WRITE | MAP_EXECUTE);
    assert_ptr_equal(ram->object, vmm_mapping(w, 0, VM_MEMORY)->object);
    assert_int_equal(vmm_mapping(w, 0, VM_MEMORY)->flags, MAP_READ | MAP_WRITE);
    assert_null(guest_mapping(w, 0, WORLD_GUEST_RAM + WORLD_GUEST_SIZE));
    assert_null(guest_mapping(w, 0, GUEST_GICC));
    assert_int_equal(vm(w, 0)->tables, 2); // 16 MiB are blocks
}

static void the_cpu_interface_of_a_gicv2_is_mapped(void **state)
{
    struct world *w = *state;
    w->boot.gic_version = 2;
    w->boot.gicv_base = GICV;
    world_vm(w, "web", 1);
    world_vm(w, "db", 1);
    build(w);
    for (uint32_t i = 0; i < 2; i++) {
        const struct fake_slot *gicc = guest_mapping(w, i, GUEST_GICC + PAGE_SIZE);
        assert_non_null(gicc);
        assert_int_equal(gicc->address, GUEST_GICC);
        assert_int_equal(gicc->flags, MAP_READ | MAP_WRITE);
        assert_true(gicc->object->device);
        assert_int_equal(gicc->object->base, GICV);
        assert_int_equal(gicc->object->size, 2 * PAGE_SIZE);
        assert_int_equal(vm(w, i)->tables, 4);
    }
    assert_ptr_equal(guest_mapping(w, 0, GUEST_GICC)->object,
                     guest_mapping(w, 1, GUEST_GICC)->object);
}

static void a_description_may_map_the_cpu_interface_itself(void **state)
{
    struct world *w = *state;
    w->boot.gic_version = 2;
    w->boot.gicv_base = GICV;
    world_vm(w, "web", 1);
    world_region(w, "gic_vcpu", PAGE_SIZE)->paddr = 0x9000000; // some device
    w->guest_maps[1] = w->guest_maps[0];
    w->guest_maps[0] = (struct bundle_guest_map){0, 2, GUEST_GICC, MAP_READ | MAP_WRITE, 7};
    w->header.guest_maps.count = 2;
    build(w);
    assert_int_equal(guest_mapping(w, 0, GUEST_GICC)->object->base, 0x9000000);
    assert_null(guest_mapping(w, 0, GUEST_GICC + PAGE_SIZE));
}

static void images_are_mapped_where_they_lie_in_the_bundle(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    build(w);
    const struct fake_slot *kernel = vmm_mapping(w, 0, w->vms[0].kernel_vaddr);
    assert_ptr_equal(kernel->object, object(w, BOOT_BUNDLE));
    assert_int_equal(kernel->rights, RIGHT_READ);
    assert_int_equal(kernel->flags, MAP_READ);
    assert_int_equal((uint32_t)kernel->badge, 1);
    assert_int_equal(kernel->badge >> 32, world_prefill().offset / PAGE_SIZE);
    assert_int_equal(fake_byte(kernel, 3), WORLD_PREFILL[3]);
    assert_int_equal(w->system->regions[1].where.base,
                     object(w, BOOT_BUNDLE)->base + world_prefill().offset);
}

static void assert_vcpu(struct world *w, uint32_t v, uint32_t i)
{
    const struct vcpu *handles = &vm(w, v)->vcpus[i];
    const struct fake_object *vcpu = object(w, handles->vcpu);
    const struct fake_slot *page = vmm_mapping(w, v, VM_VCPU_PAGE + i * 0x1000ull);
    assert_int_equal(vcpu->type, OBJ_VCPU);
    assert_ptr_equal(vcpu->held[VCPU_SPACE], object(w, vm(w, v)->space));
    assert_ptr_equal(vcpu->held[VCPU_PAGE], page->object);
    assert_int_equal(page->object->size, PAGE_SIZE);
    assert_int_equal(page->flags, MAP_READ | MAP_WRITE);
    assert_ptr_equal(slot(w, v, VM_VCPU + i)->object, vcpu);
    assert_int_equal(slot(w, v, VM_VCPU + i)->rights, RIGHT_ALL);
}

static void assert_thread(struct world *w, uint32_t v, uint32_t i)
{
    const struct vcpu *handles = &vm(w, v)->vcpus[i];
    const struct fake_object *t = object(w, handles->thread);
    uint64_t top = VM_STACK_TOP + (i + 1) * (uint64_t)VM_STACK_STRIDE;
    assert_ptr_equal(t->bound[THREAD_CSPACE], object(w, vmm(w, v)->cspace));
    assert_ptr_equal(t->bound[THREAD_SPACE], object(w, vmm(w, v)->space));
    assert_ptr_equal(t->bound[THREAD_NOTIFICATION], object(w, handles->notification));
    assert_ptr_equal(t->bound[THREAD_VCPU], object(w, handles->vcpu));
    assert_ptr_equal(t->bound[THREAD_FAULT], object(w, BOOT_ENDPOINT));
    assert_int_equal(t->fault_badge, FAULT_BADGE(w->vms[v].process, i + 1));
    assert_null(t->bound[THREAD_ENDPOINT]);
    assert_int_equal(t->regs[REG_X0], PROCESS_CONFIG);
    assert_int_equal(t->regs[REG_SP], top);
    assert_int_equal(t->regs[REG_PC], PROCESS_IMAGE);
    assert_int_equal(t->regs[REG_TPIDRRO], i + 1);
    assert_int_equal(t->time[0], 90);
    assert_int_equal(t->time[1], i);
    assert_int_equal(t->time[2], 31250);
    assert_int_equal(t->time[3], 62500);
    assert_int_equal(t->flags, 0);
    const struct fake_slot *stack = vmm_mapping(w, v, top - 1);
    assert_int_equal(stack->address, top - VM_STACK_SIZE);
    assert_int_equal(stack->flags, MAP_READ | MAP_WRITE);

    const struct fake_slot *wake = slot(w, v, VM_THREAD + i + 1);
    assert_ptr_equal(wake->object, object(w, handles->notification));
    assert_int_equal(wake->rights, RIGHT_WRITE);
    assert_int_equal(wake->badge, VM_WAKE);
}

static void every_vcpu_has_a_page_and_a_thread(void **state)
{
    struct world *w = *state;
    world_process(w, "other");
    world_vm(w, "web", 4);
    world_vm(w, "db", 1);
    build(w);
    for (uint32_t i = 0; i < 4; i++) {
        assert_vcpu(w, 0, i);
        assert_thread(w, 0, i);
    }
    assert_vcpu(w, 1, 0);
    assert_thread(w, 1, 0);
    assert_null(fake_mapping(&w->fake, vmm(w, 1)->space, VM_VCPU_PAGE + PAGE_SIZE));
    assert_null(slot(w, 1, VM_VCPU + 1)->object);
}

static void a_vmm_can_call_for_life_and_wake_its_first_thread(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    world_vm(w, "db", 1);
    build(w);
    const struct fake_slot *life = slot(w, 1, VM_LIFE);
    assert_ptr_equal(life->object, object(w, BOOT_ENDPOINT));
    assert_int_equal(life->rights, RIGHT_WRITE);
    assert_int_equal(life->badge, LIFE_BADGE(1));
    const struct fake_slot *wake = slot(w, 1, VM_THREAD);
    assert_ptr_equal(wake->object, object(w, vmm(w, 1)->notification));
    assert_int_equal(wake->badge, VM_WAKE_MAIN);
    assert_int_equal(object(w, vmm(w, 1)->cspace)->size, VM_HANDLES);
}

static void the_config_says_what_to_make_of_it(void **state)
{
    struct world *w = *state;
    struct bundle_vm *record = world_vm(w, "web", 2);
    record->flags = VM_TRACE_EXITS;
    record->on_crash = VM_RESTART;
    build(w);
    const struct fake_slot *page = vmm_mapping(w, 0, VM_CONFIG);
    assert_int_equal(page->flags, MAP_READ);
    struct vm_config c;
    memcpy(&c, page->object->bytes, sizeof(c));
    assert_int_equal(c.magic, VM_CONFIG_MAGIC);
    assert_int_equal(c.version, 1);
    assert_int_equal(c.flags, VM_TRACE_EXITS);
    assert_string_equal(c.name, "web");
    assert_int_equal(c.vcpus, 2);
    assert_int_equal(c.gic_version, 3);
    assert_int_equal(c.ram_ipa, WORLD_GUEST_RAM);
    assert_int_equal(c.ram_size, WORLD_GUEST_SIZE);
    assert_int_equal(c.ram_vaddr, VM_MEMORY);
    assert_int_equal(c.kernel.vaddr, record->kernel_vaddr);
    assert_int_equal(c.kernel.size, sizeof(WORLD_PREFILL));
    assert_int_equal(c.initrd.size, 0);
    assert_int_equal(c.on_reset, VM_RESTART);
    assert_int_equal(c.on_poweroff, VM_STOP);
    assert_int_equal(c.on_crash, VM_RESTART);
    assert_int_equal(c.console, UINT32_MAX);
    assert_int_equal(c.starts, 0);
    assert_string_equal(c.cmdline, "console=ttyAMA0");
}

static void a_program_may_know_better_than_a_config(void **state)
{
    struct world *w = *state;
    struct bundle_vm *record = world_vm(w, "web", 1);
    record->ram = record->kernel = BUNDLE_NONE;
    record->cmdline = 0;
    build(w);
    struct vm_config c;
    memcpy(&c, vmm_mapping(w, 0, VM_CONFIG)->object->bytes, sizeof(c));
    assert_int_equal(c.ram_size, 0);
    assert_int_equal(c.kernel.size, 0);
    assert_non_null(guest_mapping(w, 0, WORLD_GUEST_RAM)); // as a map of the description
}

static void faults_of_all_threads_go_to_the_parent(void **state)
{
    struct world *w = *state;
    world_process(w, "parent");
    world_vm(w, "web", 1);
    w->processes[1].parent = 0;
    w->processes[1].child_id = 9;
    build(w);
    const struct fake_object *t = object(w, vm(w, 0)->vcpus[0].thread);
    assert_ptr_equal(t->bound[THREAD_FAULT], object(w, w->system->processes[0].endpoint));
    assert_int_equal(t->fault_badge, BADGE_FAULT | 9);
}

static void floating_point_is_the_process_s(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    w->processes[0].flags = BUNDLE_FPU;
    build(w);
    assert_int_equal(object(w, vm(w, 0)->vcpus[0].thread)->flags, THREAD_FP);
}

static void all_threads_start_with_the_process(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 2);
    world_process(w, "urgent")->priority = 200;
    build(w);
    assert_true(processes_start(w->system));
    assert_int_equal(object(w, w->system->processes[1].thread)->started, 1);
    assert_int_equal(object(w, vmm(w, 0)->thread)->started, 2);
    assert_int_equal(object(w, vm(w, 0)->vcpus[0].thread)->started, 3);
    assert_int_equal(object(w, vm(w, 0)->vcpus[1].thread)->started, 4);
}

static void one_linux_is_built_with_few_objects_and_calls(void **state)
{
    struct world *w = *state;
    world_process(w, "uart_driver");
    world_process(w, "serial_mux");
    world_vm(w, "linux", 4);
    world_device(w, "uart", "stdout");
    world_map(w, 2, 0, 0x10000000);
    world_irq(w, 0, 0, BUNDLE_NONE)->device = 2;
    for (uint32_t i = 0; i < 2; i++) {
        world_region(w, "ring", 2 * PAGE_SIZE);
        world_map(w, 3 + i, i, 0x20000000);
        world_map(w, 3 + i, i + 1, 0x30000000);
        world_channel(w, i, 1, i + 1, 2);
    }
    build(w);
    assert_true(processes_start(w->system));
    assert_true(w->fake.kernel.objects <= 100);
    assert_true(w->fake.kernel.calls <= 300);
}

// Whichever system call fails, init says so and nothing runs.
static void every_failure_is_named(void **state)
{
    (void)state;
    for (int calls = 0;; calls++) {
        struct world *w = world_new();
        w->boot.gic_version = 2;
        w->boot.gicv_base = GICV;
        world_vm(w, "web", 2);
        assert_true(world_open(w) && plan_system(w->system));
        w->fake.fail_after = calls;
        bool done = system_build(w->system);
        bool failed = w->fake.fail_after < 0;
        assert_int_equal(done, !failed);
        if (failed) {
            assert_true(fake_said(&w->fake, "init: ") &&
                        fake_said(&w->fake, "the handle names no capability\n"));
        }
        world_end(w);
        if (!failed) {
            assert_true(calls > 60);
            return;
        }
    }
}

// ---- What doesn't fit -------------------------------------------------------------------------------------------

static void a_vcpu_on_a_cpu_beyond_the_cores(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 2);
    w->vcpus[1].core = 4;
    assert_refused(w, "init: vcpu of \"web\" (line 10): vcpu 1: there is no cpu 4: this machine "
                      "runs 4 cores\n");
}

static void an_interrupt_controller_without_a_part_for_guests(void **state)
{
    struct world *w = *state;
    w->boot.gic_version = 2;
    world_vm(w, "web", 1);
    assert_refused(w, "init: virtual_machine \"web\" (line 10): the interrupt controller of this "
                      "machine (GICv2) has no part for guests\n");
}

static void memory_where_the_cpu_interface_belongs(void **state)
{
    struct world *w = *state;
    w->boot.gic_version = 2;
    w->boot.gicv_base = GICV;
    world_vm(w, "web", 1);
    world_region(w, "low", MIB);
    w->guest_maps[1] = w->guest_maps[0];
    w->guest_maps[0] = (struct bundle_guest_map){0, 2, 0x8000000, MAP_READ, 7};
    w->header.guest_maps.count = 2;
    assert_refused(w, "init: virtual_machine \"web\" (line 10): its maps leave no room at "
                      "0x8010000, where its GICv2 has the CPU interface\n");
}

static void a_device_that_reaches_into_guest_memory(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    world_device(w, "wide", "vendor,high");
    w->guest_maps[1] = w->guest_maps[0];
    w->guest_maps[0] = (struct bundle_guest_map){0, 2, WORLD_GUEST_RAM - 0x1000, MAP_READ, 7};
    w->guest_maps[1].line = 8;
    w->header.guest_maps.count = 2;
    assert_refused(w, "init: map of \"ram\" (line 8): at 0x40000000 in the guest \"web\", 16777216 "
                      "bytes long, it overlaps something else\n");
}

static void guest_memory_beyond_the_address_space(void **state)
{
    struct world *w = *state;
    struct bundle_vm *record = world_vm(w, "web", 1);
    w->guest_maps[0].ipa = record->ram_ipa = PROCESS_TOP;
    assert_refused(w, "init: map of \"ram\" (line 10): at 0x8000000000 in the guest \"web\", "
                      "16777216 bytes long, it leaves the address space\n");
}

static void a_device_of_the_vmm_that_reaches_its_config(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    world_device(w, "wide", "vendor,high");
    world_map(w, 2, 0, VM_CONFIG - 0x1000);
    assert_refused(w, "init: map of \"wide\" (line 30): at 0x7f7ffff000 in \"web\", 8192 bytes "
                      "long, it overlaps");
}

static void more_guest_memory_than_there_is(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    w->regions[0].size = 256 * MIB;
    w->maps[1].vaddr = w->vms[0].kernel_vaddr = VM_MEMORY + 512ull * MIB;
    assert_refused(w, "init: memory_region \"ram\" (line 10): its 262144 KiB don't fit");
}

static void page_tables_that_do_not_fit(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 1);
    world_region(w, "flat", 0x10000000)->paddr = 0x10001000; // out of step: pages only
    for (uint32_t i = 0; i < 40; i++) {
        (void)world_guest_map(w, 0, 2, 0x80000000 + i * 0x20000000ull);
    }
    assert_refused(w, "init: virtual_machine \"web\" (line 10): its maps take ");
}

static void a_vm_that_fits_only_without_its_vcpus(void **state)
{
    struct world *w = *state;
    world_vm(w, "web", 4);
    // Regions leave room for the process, hardly more.
    world_region(w, "most", WORLD_RAM_END - WORLD_FREE - WORLD_GUEST_SIZE - 4 * MIB);
    world_region(w, "rest", 2 * MIB - 80 * PAGE_SIZE - 0x100000);
    assert_true(world_open(w));
    bool fits = plan_system(w->system);
    while (fits) { // a page more each time
        struct world *next = world_new();
        next->boot.gic_version = 3;
        world_vm(next, "web", 4);
        world_region(next, "most", w->regions[2].size);
        world_region(next, "rest", w->regions[3].size + PAGE_SIZE);
        *state = next;
        world_end(w);
        w = next;
        assert_true(world_open(w));
        fits = plan_system(w->system);
    }
    assert_true(fake_said(&w->fake, "init: virtual_machine \"web\" (line 10): it doesn't fit: "));
}

static int setup(void **state)
{
    struct world *w = world_new();
    w->boot.gic_version = 3;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_end(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guest_has_its_memory_and_nothing_else),
        TEST(the_cpu_interface_of_a_gicv2_is_mapped),
        TEST(a_description_may_map_the_cpu_interface_itself),
        TEST(images_are_mapped_where_they_lie_in_the_bundle),
        TEST(every_vcpu_has_a_page_and_a_thread),
        TEST(a_vmm_can_call_for_life_and_wake_its_first_thread),
        TEST(the_config_says_what_to_make_of_it),
        TEST(a_program_may_know_better_than_a_config),
        TEST(faults_of_all_threads_go_to_the_parent),
        TEST(floating_point_is_the_process_s),
        TEST(all_threads_start_with_the_process),
        TEST(one_linux_is_built_with_few_objects_and_calls),
        cmocka_unit_test(every_failure_is_named),
        TEST(a_vcpu_on_a_cpu_beyond_the_cores),
        TEST(an_interrupt_controller_without_a_part_for_guests),
        TEST(memory_where_the_cpu_interface_belongs),
        TEST(a_device_that_reaches_into_guest_memory),
        TEST(guest_memory_beyond_the_address_space),
        TEST(a_device_of_the_vmm_that_reaches_its_config),
        TEST(more_guest_memory_than_there_is),
        TEST(page_tables_that_do_not_fit),
        TEST(a_vm_that_fits_only_without_its_vcpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

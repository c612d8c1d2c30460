// The life of a vcpu's thread: asleep while off, reset when it starts, the guest, what ends a run.
// sources: vmm/loop.c vmm/life.c vmm/vm.c vmm/trace.c vmm/unhandled.c vmm/board.c vmm/fdt_address.c vmm/inject.c
// sources: vmm/log.c vmm/port/sim.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm_machine.h"

static int64_t exits[8]; // what the guest's runs end with
static unsigned exit_count;
static unsigned traps;

static int64_t guest(struct port *p, unsigned vcpu)
{
    (void)p;
    (void)vcpu;
    return exits[exit_count++];
}

static void count_trap(struct vcpu *v)
{
    (void)v;
    traps++;
}

static int begin(void **state)
{
    (void)state;
    machine_make(2);
    machine.trap = count_trap;
    world.port.guest = guest;
    memset(exits, 0, sizeof(exits));
    exit_count = traps = 0;
    return 0;
}

static void turns(unsigned vcpu, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        vcpu_turn(&world.vm.vcpu[vcpu]);
    }
}

static void before_the_start_threads_sleep(void **state)
{
    (void)state;
    turns(0, 2);
    assert_int_equal(machine_power(0), VCPU_HALTED);
    assert_int_equal(world.port.waits[0], 2);
    assert_int_equal(world.port.runs[0], 0);
}

static void the_boot_vcpu_starts_as_a_core_does(void **state)
{
    (void)state;
    assert_int_equal(vm_start(&world.vm), OK);
    assert_true(world.port.woken[0]);
    assert_int_equal(machine_power(0), VCPU_STARTING);
    assert_int_equal(machine_power(1), VCPU_OFF);
    struct vcpu_regs *regs = &world.vm.vcpu[0].page->regs;
    regs->x[7] = 7;
    *world_register(0, VCPU_REG_VBAR_EL1) = 5;
    turns(0, 1);
    assert_int_equal(machine_power(0), VCPU_ON);
    assert_int_equal(regs->pc, ENTRY);
    assert_int_equal(regs->x[0], FDT_IPA);
    assert_int_equal(regs->x[7], 0);
    assert_int_equal(regs->pstate, SPSR_EL1H | SPSR_DAIF);
    assert_int_equal(*world_register(0, VCPU_REG_VBAR_EL1), 0);
    assert_int_equal(*world_register(0, VCPU_REG_VMPIDR_EL2), 0x80000000);
    assert_int_equal(*world_register(0, VCPU_REG_VPIDR_EL2), MIDR);
    assert_int_equal(machine.sysreg_resets[0], 1);
    assert_int_equal(world.port.runs[0], 0);
}

static void another_vcpu_sleeps_until_it_is_switched_on(void **state)
{
    (void)state;
    assert_int_equal(vm_start(&world.vm), OK);
    turns(1, 2);
    assert_int_equal(world.port.waits[1], 2);
    assert_true(machine_cpu_on(1, RAM_IPA, 42));
    turns(1, 2);
    assert_int_equal(machine_power(1), VCPU_ON);
    assert_int_equal(world.vm.vcpu[1].page->regs.pc, RAM_IPA);
    assert_int_equal(world.vm.vcpu[1].page->regs.x[0], 42);
    assert_int_equal(*world_register(1, VCPU_REG_VMPIDR_EL2), 0x80000001);
    assert_int_equal(world.port.runs[1], 1);
}

static void a_vcpu_that_resumes_waits_and_keeps_its_timers(void **state)
{
    (void)state;
    struct vcpu *v = &world.vm.vcpu[0];
    assert_int_equal(vm_start(&world.vm), OK);
    turns(0, 2);
    atomic_store(&v->page->attention, 0);
    *world_register(0, VCPU_REG_CNTV_CTL_EL0) = 1;
    *world_register(0, VCPU_REG_CNTV_CVAL_EL0) = 1234;
    *world_register(0, VCPU_REG_VBAR_EL1) = 5;
    v->cntp = (struct cntp){.ctl = 1, .cval = 4321};
    v->entry = RAM_IPA;
    v->context = 42;
    v->resumes = true;
    atomic_store(&v->power, VCPU_STARTING);
    turns(0, 1);
    assert_int_equal(machine_power(0), VCPU_ON);
    assert_int_equal(v->page->regs.pc, RAM_IPA);
    assert_int_equal(v->page->regs.x[0], 42);
    assert_int_equal(*world_register(0, VCPU_REG_VBAR_EL1), 0);
    assert_int_equal(*world_register(0, VCPU_REG_CNTV_CTL_EL0), 1);
    assert_int_equal(*world_register(0, VCPU_REG_CNTV_CVAL_EL0), 1234);
    assert_int_equal(v->cntp.cval, 4321);
    assert_int_equal(machine.cntp_deadlines, 1);
    assert_int_equal(atomic_load(&v->page->attention), VCPU_ATTENTION_WAIT);
    assert_false(v->resumes);
}

static void start(void)
{
    assert_int_equal(vm_start(&world.vm), OK);
    turns(0, 2); // starts, and takes note of its wake-up
    assert_int_equal(world.port.runs[0], 1);
}

static void traps_are_handled_one_by_one(void **state)
{
    (void)state;
    start();
    turns(0, 3);
    assert_int_equal(traps, 3);
    assert_int_equal(world.port.runs[0], 4);
}

static void a_deadline_is_the_timer_s(void **state)
{
    (void)state;
    start();
    world.vm.vcpu[0].deadline = 100;
    world.port.now = 100;
    turns(0, 1);
    assert_int_equal(world.port.deadline[0], 100);
    assert_int_equal(machine.cntp_deadlines, 1);
    turns(0, 1);
    assert_true(world.port.deadline[0] == UINT64_MAX);
    assert_int_equal(world.vm.vcpu[0].exits[TRACE_DEADLINE], 1);
}

static uint64_t serve_until_50(struct vcpu *v)
{
    atomic_store(&v->vm->gic.request[v->index], 0);
    return 50;
}

static void the_interrupt_controller_may_shorten_a_run(void **state)
{
    (void)state;
    start();
    machine.serve = serve_until_50;
    atomic_store(&world.vm.gic.request[0], 1);
    world.vm.vcpu[0].deadline = 100;
    turns(0, 1);
    assert_int_equal(world.port.deadline[0], 50);
    turns(0, 1);
    assert_int_equal(world.port.deadline[0], 100);
    atomic_store(&world.vm.gic.request[0], 1);
    world.vm.vcpu[0].deadline = 20;
    turns(0, 1);
    assert_int_equal(world.port.deadline[0], 20);
}

static uint64_t serve_during_a_stop(struct vcpu *v)
{
    vm_stop(&v->vm->vcpu[1], VM_EVENT_RESET);
    world.port.woken[0] = false; // the wake-up is gone
    return UINT64_MAX;
}

static void a_stop_that_crosses_it_is_seen(void **state)
{
    (void)state;
    start();
    machine.serve = serve_during_a_stop;
    atomic_store(&world.vm.gic.request[0], 1);
    turns(0, 1);
    assert_int_equal(world.port.runs[0], 1);
    turns(0, 1);
    assert_int_equal(machine_power(0), VCPU_HALTED);
}

static void a_vcpu_that_switches_itself_off_sleeps(void **state)
{
    (void)state;
    start();
    atomic_store(&world.vm.vcpu[0].power, VCPU_OFF);
    turns(0, 1);
    assert_int_equal(world.port.waits[0], 1);
    assert_int_equal(traps, 0);
}

static void being_stopped_and_woken_is_nothing(void **state)
{
    (void)state;
    start();
    exits[0] = VCPU_STOPPED;
    exits[1] = VCPU_NOTIFIED;
    turns(0, 3);
    assert_int_equal(traps, 1);
    assert_int_equal(machine_power(0), VCPU_ON);
}

static void what_the_kernel_refuses_is_a_crash(void **state)
{
    (void)state;
    start();
    exits[0] = ERR_INVALID;
    turns(0, 2);
    turns(1, 1);
    assert_int_equal(world.port.event_count, 1);
    assert_int_equal(world.port.events[0], VM_EVENT_CRASH);
    assert_non_null(strstr(world.port.log, "error -1"));
}

static void a_system_error_is_a_crash(void **state)
{
    (void)state;
    start();
    exits[0] = VCPU_SERROR;
    world.vm.vcpu[0].page->syndrome = 0xbe000011;
    turns(0, 2);
    turns(1, 1);
    assert_int_equal(world.port.events[0], VM_EVENT_CRASH);
    assert_non_null(strstr(world.port.log, "ESR 0xbe000011"));
    assert_non_null(strstr(world.port.log, "vcpu 0 at pc 0x40002000"));
}

static void a_config_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct port *p = &world.port;
    world.config.vcpus = 0;
    assert_int_equal(vm_create(&world.vm, &world.config, p), ERR_INVALID);
    world.config.vcpus = VCPU_MAX + 1;
    assert_int_equal(vm_create(&world.vm, &world.config, p), ERR_INVALID);
    world.config.vcpus = 1;
    world.config.gic_version = 4;
    assert_int_equal(vm_create(&world.vm, &world.config, p), ERR_INVALID);
    world.config.gic_version = 2;
    world.config.ram_ipa = UINT64_MAX;
    assert_int_equal(vm_create(&world.vm, &world.config, p), ERR_INVALID);
}

static void memory_is_ram_and_nothing_else(void **state)
{
    (void)state;
    assert_ptr_equal(vm_memory(&world.vm, RAM_IPA, RAM_SIZE), world.ram);
    assert_ptr_equal(vm_memory(&world.vm, RAM_IPA + RAM_SIZE - 1, 1), world.ram + RAM_SIZE - 1);
    assert_null(vm_memory(&world.vm, RAM_IPA + RAM_SIZE - 1, 2));
    assert_null(vm_memory(&world.vm, RAM_IPA - 1, 2));
    assert_null(vm_memory(&world.vm, UINT64_MAX, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(before_the_start_threads_sleep, begin),
        cmocka_unit_test_setup(the_boot_vcpu_starts_as_a_core_does, begin),
        cmocka_unit_test_setup(another_vcpu_sleeps_until_it_is_switched_on, begin),
        cmocka_unit_test_setup(a_vcpu_that_resumes_waits_and_keeps_its_timers, begin),
        cmocka_unit_test_setup(traps_are_handled_one_by_one, begin),
        cmocka_unit_test_setup(a_deadline_is_the_timer_s, begin),
        cmocka_unit_test_setup(the_interrupt_controller_may_shorten_a_run, begin),
        cmocka_unit_test_setup(a_stop_that_crosses_it_is_seen, begin),
        cmocka_unit_test_setup(a_vcpu_that_switches_itself_off_sleeps, begin),
        cmocka_unit_test_setup(being_stopped_and_woken_is_nothing, begin),
        cmocka_unit_test_setup(what_the_kernel_refuses_is_a_crash, begin),
        cmocka_unit_test_setup(a_system_error_is_a_crash, begin),
        cmocka_unit_test_setup(a_config_that_contradicts_itself_is_refused, begin),
        cmocka_unit_test_setup(memory_is_ram_and_nothing_else, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

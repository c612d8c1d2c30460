// How a VM stops and starts again, and everything that may cross: the protocol at the head of vmm/life.c.
// sources: vmm/life.c vmm/loop.c vmm/vm.c vmm/trace.c vmm/unhandled.c vmm/board.c vmm/fdt_address.c vmm/inject.c
// sources: vmm/log.c vmm/port/sim.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm_machine.h"

#define VCPUS 3u

static enum vm_action action;

static enum vm_action life(struct port *p, enum vm_event event)
{
    (void)p;
    (void)event;
    for (unsigned i = 0; i < world.vm.vcpus; i++) {
        assert_int_equal(machine_power(i), VCPU_HALTED);
    }
    return action;
}

static int64_t guest(struct port *p, unsigned vcpu)
{
    (void)p;
    assert_int_equal(machine_power(vcpu), VCPU_ON);
    assert_int_equal(atomic_load(&world.vm.stopping), 0);
    return VCPU_TRAP;
}

static void do_nothing(struct vcpu *v)
{
    (void)v;
}

static void power_off(struct vcpu *v)
{
    vm_stop(v, VM_EVENT_POWEROFF);
}

static void reset(struct vcpu *v)
{
    vm_stop(v, VM_EVENT_RESET);
}

static void crash(struct vcpu *v)
{
    vm_crash(v, "it divided by %d", 0);
}

static void turn(unsigned vcpu)
{
    vcpu_turn(&world.vm.vcpu[vcpu]);
}

static void turn_with(unsigned vcpu, void (*trap)(struct vcpu *v))
{
    machine.trap = trap;
    world.port.woken[vcpu] = false;
    turn(vcpu);
    machine.trap = do_nothing;
}

// vcpus 0 and 1 run, 2 is off.
static int begin(void **state)
{
    (void)state;
    machine_make(VCPUS);
    machine.trap = do_nothing;
    action = VM_ACTION_STOP;
    world.port.life = life;
    world.port.guest = guest;
    assert_int_equal(vm_start(&world.vm), OK);
    assert_true(machine_cpu_on(1, ENTRY, 0));
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
        turn(i);
    }
    assert_int_equal(machine_power(0), VCPU_ON);
    assert_int_equal(machine_power(1), VCPU_ON);
    assert_int_equal(machine_power(2), VCPU_OFF);
    return 0;
}

static void the_last_to_halt_asks_once(void **state)
{
    (void)state;
    turn_with(0, power_off);
    assert_false(world.port.woken[0]);
    assert_true(world.port.woken[1] && world.port.woken[2]);
    turn(0);
    turn(1);
    assert_int_equal(world.port.event_count, 0);
    turn(2);
    assert_int_equal(world.port.event_count, 1);
    assert_int_equal(world.port.events[0], VM_EVENT_POWEROFF);
}

static void a_vm_that_stays_off_sleeps_for_ever(void **state)
{
    (void)state;
    turn_with(0, power_off);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < VCPUS; i++) {
            turn(i);
        }
    }
    assert_int_equal(world.port.event_count, 1);
    assert_int_equal(machine.loads, 1);
    for (unsigned i = 0; i < VCPUS; i++) {
        assert_int_equal(machine_power(i), VCPU_HALTED);
        assert_true(world.port.waits[i] >= 4);
    }
}

static void a_restart_begins_anew(void **state)
{
    (void)state;
    action = VM_ACTION_RESTART;
    world.vm.vcpu[1].exits[TRACE_OTHER] = 5;
    world.vm.vcpu[1].page->kernel_exits = 6;
    world.vm.accesses[1][3][true] = 7;
    turn_with(1, reset);
    turn(0);
    turn(2);
    turn(1);
    assert_int_equal(world.port.events[0], VM_EVENT_RESET);
    assert_int_equal(machine.loads, 2);
    assert_int_equal(machine.gic_resets, 2);
    assert_int_equal(machine.device_resets, 4);
    assert_int_equal(machine_power(0), VCPU_STARTING);
    assert_int_equal(machine_power(1), VCPU_OFF);
    assert_int_equal(machine_power(2), VCPU_OFF);
    assert_int_equal(world.vm.vcpu[1].exits[TRACE_OTHER], 0);
    assert_int_equal(world.vm.vcpu[1].page->kernel_exits, 0);
    assert_int_equal(world.vm.accesses[1][3][true], 0);
    turn(0);
    assert_int_equal(machine_power(0), VCPU_ON);
    assert_int_equal(world.vm.vcpu[0].page->regs.pc, ENTRY);
    assert_int_equal(machine.sysreg_resets[0], 2);
    turn(1);
    assert_int_equal(machine_power(1), VCPU_OFF);
}

// Whoever owns the VM allows two more attempts.
static enum vm_action life_of_limited_patience(struct port *p, enum vm_event event)
{
    (void)life(p, event);
    return p->event_count < 4 ? VM_ACTION_RESTART : VM_ACTION_STOP;
}

static void a_start_that_fails_is_a_crash(void **state)
{
    (void)state;
    world.port.life = life_of_limited_patience;
    turn_with(0, reset);
    machine.load_error = ERR_NO_MEMORY;
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
    }
    turn(0);
    assert_int_equal(machine_power(0), VCPU_HALTED);
    assert_int_equal(world.port.event_count, 4);
    assert_int_equal(world.port.events[0], VM_EVENT_RESET);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(world.port.events[i], VM_EVENT_CRASH);
    }
    assert_int_equal(machine.loads, 4);
}

static unsigned own_resets;

static void reset_own_devices(struct vm *vm)
{
    assert_ptr_equal(vm, &world.vm);
    assert_int_equal(machine.device_resets, 2 * machine.loads);
    own_resets++;
}

static void devices_of_a_program_are_reset_too(void **state)
{
    (void)state;
    static const struct vm_extension extension = {reset_own_devices, NULL};
    world.vm.extension = &extension;
    action = VM_ACTION_RESTART;
    turn_with(0, reset);
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
    }
    assert_int_equal(own_resets, 1);
}

static void of_two_that_stop_it_the_first_counts(void **state)
{
    (void)state;
    turn_with(0, reset);
    vm_stop(&world.vm.vcpu[1], VM_EVENT_POWEROFF); // it was handling an exit
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
    }
    assert_int_equal(world.port.event_count, 1);
    assert_int_equal(world.port.events[0], VM_EVENT_RESET);
}

static void cpu_on_during_a_stop_starts_nothing(void **state)
{
    (void)state;
    turn_with(0, power_off);
    assert_true(machine_cpu_on(2, ENTRY, 0)); // vcpu 1 has not noticed yet
    turn(2);
    assert_int_equal(machine_power(2), VCPU_HALTED);
    assert_false(machine_cpu_on(2, ENTRY, 0));
    turn(1);
    turn(0);
    assert_int_equal(world.port.event_count, 1);
}

static void a_thread_that_is_late_at_the_lock_does_no_harm(void **state)
{
    (void)state;
    action = VM_ACTION_RESTART;
    turn_with(0, reset);
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
    }
    assert_int_equal(machine_power(0), VCPU_STARTING);
    life_halt(&world.vm.vcpu[0]); // it saw the stop before the restart
    assert_int_equal(machine_power(0), VCPU_STARTING);
    assert_int_equal(world.port.event_count, 1);
}

static void a_crash_says_why(void **state)
{
    (void)state;
    turn_with(1, crash);
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
    }
    assert_int_equal(world.port.events[0], VM_EVENT_CRASH);
    assert_non_null(strstr(world.port.log, "guest: vcpu 1 at pc 0x40002000: it divided by 0"));
}

static void the_table_of_exits_is_printed_if_wanted(void **state)
{
    (void)state;
    world.config.flags = VM_TRACE_EXITS;
    world.vm.bus.count = 2;
    world.vm.bus.ranges[0].name = "interrupt redistributors";
    world.vm.bus.ranges[1].name = "pl031";
    world.vm.vcpu[0].page->kernel_exits = 12;
    world.vm.vcpu[0].exits[EC_HVC64] = 3;
    world.vm.vcpu[1].exits[EC_HVC64] = 4;
    world.vm.vcpu[1].exits[EC_DATA_ABORT_LOWER] = 9;
    world.vm.vcpu[1].exits[TRACE_MMIO_DECODED] = 1;
    world.vm.accesses[1][0][true] = 2;
    world.vm.accesses[1][1][false] = 6;
    world.vm.accesses[2][1][true] = 1;
    world.vm.vcpu[2].exits[0x3a] = 1;
    world.vm.vcpu[2].exits[TRACE_SGI] = 8;
    turn_with(1, power_off);
    for (unsigned i = 0; i < VCPUS; i++) {
        turn(i);
    }
    assert_non_null(strstr(
        world.port.log,
        "guest: exits, all vcpus and each:\n"
        "guest: kernel alone                               12         12          0          0\n"
        "guest: HVC                                         7          3          4          0\n"
        "guest: MMIO                                        9          0          9          0\n"
        "guest:   decoded                                   1          0          1          0\n"
        "guest:   interrupt redistributors, writes          2          0          2          0\n"
        "guest:   pl031, reads                              6          0          6          0\n"
        "guest:   pl031, writes                             1          0          0          1\n"
        "guest: exception class 0x3a                        1          0          0          1\n"
        "guest: SGIs sent                                   8          0          0          8\n"));
}

// ---- Any order --------------------------------------------------------------------------------------------------

static uint32_t seed;

static uint32_t number(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static struct {
    unsigned stops; // asked for while none was under way
    enum vm_event event;
} model;

static enum vm_action check_life(struct port *p, enum vm_event event)
{
    life(p, event);
    assert_int_equal(event, model.event);
    model.stops--;
    assert_int_equal(model.stops, 0);
    p->event_count = 0;
    return VM_ACTION_RESTART;
}

static void act(struct vcpu *v)
{
    uint32_t what = number(20);
    if (what == 0) {
        enum vm_event event = (enum vm_event)(VM_EVENT_POWEROFF + number(3));
        if (atomic_load(&world.vm.stopping) == 0) {
            model.stops++;
            model.event = event;
        }
        vm_stop(v, event);
    } else if (what < 4) {
        machine_cpu_on(number(VCPUS), ENTRY, what);
    } else if (what < 6 && v->index != 0) {
        port_lock(&world.port, &world.vm.lock);
        atomic_store(&v->power, VCPU_OFF);
        port_unlock(&world.port, &world.vm.lock);
    }
}

static void any_order_of_turns_keeps_the_rules(void **state)
{
    (void)state;
    world.port.life = check_life;
    machine.trap = act;
    unsigned loads = machine.loads;
    for (unsigned i = 0; i < 100000; i++) {
        turn(number(VCPUS));
    }
    assert_true(machine.loads > loads + 100);
    assert_true(world.port.runs[2] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_to_halt_asks_once, begin),
        cmocka_unit_test_setup(a_vm_that_stays_off_sleeps_for_ever, begin),
        cmocka_unit_test_setup(a_restart_begins_anew, begin),
        cmocka_unit_test_setup(a_start_that_fails_is_a_crash, begin),
        cmocka_unit_test_setup(devices_of_a_program_are_reset_too, begin),
        cmocka_unit_test_setup(of_two_that_stop_it_the_first_counts, begin),
        cmocka_unit_test_setup(cpu_on_during_a_stop_starts_nothing, begin),
        cmocka_unit_test_setup(a_thread_that_is_late_at_the_lock_does_no_harm, begin),
        cmocka_unit_test_setup(a_crash_says_why, begin),
        cmocka_unit_test_setup(the_table_of_exits_is_printed_if_wanted, begin),
        cmocka_unit_test_setup(any_order_of_turns_keeps_the_rules, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The life of VMs: what init answers when a guest ends, restarts and crashes, what it does when a VMM crashes, and when
// the system ends.
// sources: init/server.c init/fault.c init/life.c
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
#include <init/server.h>
#include <init/thread.h>
#include <spec/esr.h>

#include "init_world.h"

#define SECOND   62500000ull // in ticks of the world
#define NO_END   (-1)
#define SYNDROME ((uint64_t)EC_DATA_ABORT_LOWER << ESR_EC_SHIFT | FSC_TRANSLATION)

// Two VMs behind a process, "web" with two vcpus and "db" with one, running.
struct life {
    struct world *world;
    struct answer last;
};

static void start(struct life *l)
{
    struct world *w = l->world;
    bool done = world_open(w) && plan_system(w->system) && system_build(w->system) &&
                processes_start(w->system);
    if (!done) {
        fail_msg("it said: %s", w->fake.console);
    }
    w->fake.now = 1000 * SECOND;
    memset(w->fake.console, 0, sizeof(w->fake.console));
    w->fake.console_length = 0;
}

static const char *said(struct life *l)
{
    return l->world->fake.console;
}

// A round of the server with a message, or without: time passes until its deadline. Returns the code with which the
// system ended, or NO_END.
static int serve_with(struct life *l, const struct message *m)
{
    int off = setjmp(l->world->fake.off);
    if (off == 0) {
        l->world->fake.message = m;
        serve_one(l->world->system, &l->last);
        return NO_END;
    }
    return off - 1;
}

static int event(struct life *l, uint32_t vm, enum vm_event event)
{
    struct message m = {.badge = LIFE_BADGE(vm), .info = INFO(event, 0)};
    return serve_with(l, &m);
}

static int vmm_fault(struct life *l, uint32_t process, unsigned thread)
{
    struct message m = {.badge = FAULT_BADGE(process, thread),
                        .info = INFO(FAULT_VM, 4),
                        .word = {0x200104, 0x10, SYNDROME, 0}};
    return serve_with(l, &m);
}

static void assert_answer(struct life *l, enum vm_action action)
{
    assert_true(l->last.due);
    assert_int_equal(l->last.action, action);
}

static struct fake_object *object(struct life *l, handle_t handle)
{
    return fake_slot(&l->world->fake, handle)->object;
}

static struct fake_object *vcpu_thread(struct life *l, uint32_t vm, uint32_t i)
{
    return object(l, l->world->system->vms[vm].vcpus[i].thread);
}

static struct fake_object *main_thread(struct life *l, uint32_t vm)
{
    return object(l, l->world->system->processes[l->world->vms[vm].process].thread);
}

// ---- Guests -----------------------------------------------------------------------------------------------------

static void a_reset_restarts_the_guest_silently(void **state)
{
    struct life *l = *state;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_RESET), NO_END);
    assert_answer(l, VM_ACTION_RESTART);
    assert_string_equal(said(l), "");
    assert_int_equal(event(l, 1, VM_EVENT_RESET), NO_END);
    assert_true(l->world->fake.answered); // with the message that followed
    assert_int_equal(l->world->fake.answer, VM_ACTION_RESTART);
    assert_int_equal(l->world->system->vms[0].starts, 0); // the VMM lives on
    assert_int_equal(vcpu_thread(l, 0, 0)->starts, 1);
}

static void the_system_ends_with_its_last_vm(void **state)
{
    struct life *l = *state;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_answer(l, VM_ACTION_STOP);
    assert_string_equal(said(l), "");
    assert_int_equal(l->world->system->end_at, DEADLINE_NEVER);
    assert_int_equal(event(l, 1, VM_EVENT_POWEROFF), NO_END);
    assert_answer(l, VM_ACTION_STOP);
    assert_string_equal(said(l), "");
    // Drivers write what the guests said last.
    assert_int_equal(l->world->system->end_at, 1000 * SECOND + SECOND / 5);
    assert_int_equal(serve_with(l, NULL), 0);
    assert_int_equal(l->world->fake.answer, VM_ACTION_STOP);
    assert_string_equal(said(l), "bulkhead: vm web: powered off\nbulkhead: vm db: powered off\n");
}

static void it_ends_though_messages_keep_coming(void **state)
{
    struct life *l = *state;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(event(l, 1, VM_EVENT_POWEROFF), NO_END);
    l->world->fake.now += SECOND / 10;
    assert_int_equal(vmm_fault(l, 0, 0), NO_END);
    l->world->fake.now += SECOND / 10;
    assert_int_equal(vmm_fault(l, 0, 0), 0);
}

static void a_vm_that_crashed_fails_the_system(void **state)
{
    struct life *l = *state;
    start(l);
    assert_int_equal(event(l, 1, VM_EVENT_CRASH), NO_END);
    assert_answer(l, VM_ACTION_STOP);
    assert_string_equal(said(l), "bulkhead: vm db: crashed\n");
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(serve_with(l, NULL), 1);
    assert_string_equal(said(l), "bulkhead: vm db: crashed\nbulkhead: vm web: powered off\n");
}

static void a_crash_may_restart(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_crash = VM_RESTART;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_CRASH), NO_END);
    assert_answer(l, VM_ACTION_RESTART);
    assert_int_equal(event(l, 0, VM_EVENT_CRASH), NO_END);
    assert_answer(l, VM_ACTION_RESTART);
    assert_string_equal(said(l), "bulkhead: vm web: crashed\n"
                                 "bulkhead: vm web: restarts for the 1st time\n"
                                 "bulkhead: vm web: crashed\n"
                                 "bulkhead: vm web: restarts for the 2nd time\n");
}

static void too_many_restarts_are_refused(void **state)
{
    struct life *l = *state;
    start(l);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(event(l, 0, VM_EVENT_RESET), NO_END);
        assert_answer(l, VM_ACTION_RESTART);
        l->world->fake.now += 29 * SECOND;
    }
    assert_int_equal(event(l, 0, VM_EVENT_RESET), NO_END);
    assert_answer(l, VM_ACTION_STOP);
    assert_string_equal(said(l),
                        "bulkhead: vm web: stays off: it may restart 2 times in 60 seconds\n");
    assert_int_equal(event(l, 1, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(serve_with(l, NULL), 1);
}

static void restarts_are_forgiven_with_time(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_crash = VM_RESTART;
    l->world->vms[0].restarts = 1;
    start(l);
    for (unsigned i = 0; i < 23; i++) {
        assert_int_equal(event(l, 0, VM_EVENT_CRASH), NO_END);
        assert_answer(l, VM_ACTION_RESTART);
        l->world->fake.now += 60 * SECOND;
    }
    static const char *const times[] = {"the 3rd",  "the 4th",  "the 11th", "the 12th",
                                        "the 13th", "the 21st", "the 22nd", "the 23rd"};
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
        assert_true(fake_said(&l->world->fake, times[i]));
    }
}

static void without_a_window_restarts_are_counted_for_ever(void **state)
{
    struct life *l = *state;
    l->world->vms[0].window_s = 0;
    start(l);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(event(l, 0, VM_EVENT_RESET), NO_END);
        assert_answer(l, i < 2 ? VM_ACTION_RESTART : VM_ACTION_STOP);
        l->world->fake.now += 100000 * SECOND;
    }
    assert_string_equal(said(l), "bulkhead: vm web: stays off: it may restart 2 times\n");
}

static void policies_are_those_of_the_event(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_poweroff = VM_RESTART;
    l->world->vms[0].on_reset = VM_STOP;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_answer(l, VM_ACTION_RESTART);
    assert_int_equal(event(l, 0, VM_EVENT_RESET), NO_END);
    assert_answer(l, VM_ACTION_STOP);
    assert_int_equal(event(l, 1, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(serve_with(l, NULL), 0);
    assert_true(fake_said(&l->world->fake, "bulkhead: vm web: off after a reset\n"));
}

static void one_vm_may_end_the_system(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_poweroff = VM_SHUTDOWN;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_answer(l, VM_ACTION_STOP);
    assert_int_equal(serve_with(l, NULL), 0);
    assert_string_equal(said(l), "bulkhead: vm web: powered off\n");
}

static void its_crash_may_do_so_too(void **state)
{
    struct life *l = *state;
    l->world->vms[1].on_crash = VM_SHUTDOWN;
    start(l);
    assert_int_equal(event(l, 1, VM_EVENT_CRASH), NO_END);
    assert_int_equal(serve_with(l, NULL), 1);
}

static void who_is_off_or_talks_nonsense_is_not_answered(void **state)
{
    struct life *l = *state;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(event(l, 0, VM_EVENT_RESET), NO_END);
    assert_false(l->last.due);
    assert_int_equal(event(l, 1, (enum vm_event)99), NO_END);
    assert_false(l->last.due);
    assert_int_equal(event(l, 2, VM_EVENT_RESET), NO_END);
    assert_false(l->last.due);
    struct message bits = {.badge = LIFE_BADGE(1), .info = INFO_NOTIFICATION};
    assert_int_equal(serve_with(l, &bits), NO_END);
    assert_false(l->last.due);
    assert_false(l->world->fake.answered);
    assert_int_equal(l->world->system->vms[1].state, VM_RUNS);
    assert_string_equal(said(l), "");
}

// ---- VMMs -------------------------------------------------------------------------------------------------------

static void a_vmm_that_crashes_is_started_anew(void **state)
{
    struct life *l = *state;
    struct world *w = l->world;
    w->vms[0].on_crash = VM_RESTART;
    start(l);
    struct fake_slot *data =
        fake_mapping(&w->fake, w->system->processes[1].space, WORLD_DATA); // of web's VMM
    memset(data->object->bytes, 'X', WORLD_DATA_SIZE);
    vcpu_thread(l, 0, 1)->regs[REG_PC] = 0x1234;
    assert_int_equal(vmm_fault(l, 1, 2), NO_END);
    assert_false(l->last.due);
    assert_string_equal(said(l),
                        "bulkhead: vm web: crashed: process \"web\", thread 2: it read at 0x10, "
                        "where nothing is mapped\n"
                        "init:     pc 0x200104, syndrome 0x90000004; the others run on\n"
                        "bulkhead: vm web: restarts for the 1st time\n");

    assert_int_equal(fake_byte(data, 1), 'd');
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(object(l, w->system->vms[0].vcpus[i].vcpu)->resets, 1);
        assert_int_equal(vcpu_thread(l, 0, i)->starts, 2);
        assert_true(vcpu_thread(l, 0, i)->started > 0);
        assert_int_equal(vcpu_thread(l, 0, i)->regs[REG_PC], PROCESS_IMAGE);
        assert_int_equal(vcpu_thread(l, 0, i)->regs[REG_TPIDRRO], i + 1);
    }
    assert_int_equal(main_thread(l, 0)->starts, 2);
    struct vm_config c;
    memcpy(&c, fake_mapping(&w->fake, w->system->processes[1].space, VM_CONFIG)->object->bytes,
           sizeof(c));
    assert_int_equal(c.starts, 1);
    assert_string_equal(c.name, "web");
    // Nobody else noticed.
    assert_int_equal(main_thread(l, 1)->starts, 1);
    assert_int_equal(vcpu_thread(l, 1, 0)->starts, 1);
    assert_int_equal(object(l, w->system->vms[1].vcpus[0].vcpu)->resets, 0);
}

static void a_vmm_that_crashes_may_stay_off(void **state)
{
    struct life *l = *state;
    start(l);
    assert_int_equal(vmm_fault(l, 1, 0), NO_END);
    assert_int_equal(main_thread(l, 0)->started, 0);
    assert_int_equal(vcpu_thread(l, 0, 0)->started, 0);
    assert_int_equal(vcpu_thread(l, 0, 1)->started, 0);
    assert_true(main_thread(l, 1)->started > 0);
    assert_int_equal(event(l, 1, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(serve_with(l, NULL), 1);
}

static void a_vmm_that_keeps_crashing_stays_off(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_crash = VM_RESTART;
    start(l);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(main_thread(l, 0)->started > 0);
        assert_int_equal(vmm_fault(l, 1, 1), NO_END);
    }
    assert_int_equal(main_thread(l, 0)->started, 0);
    assert_int_equal(vcpu_thread(l, 0, 1)->started, 0);
    assert_int_equal(l->world->system->vms[0].state, VM_FAILED);
    assert_true(fake_said(&l->world->fake, "vm web: stays off"));
}

static void a_vmm_that_crashes_after_its_vm_is_stopped(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_crash = VM_RESTART;
    start(l);
    assert_int_equal(event(l, 0, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(vmm_fault(l, 1, 0), NO_END);
    assert_int_equal(main_thread(l, 0)->started, 0);
    assert_int_equal(l->world->system->vms[0].state, VM_OFF);
}

static void a_vmm_that_cannot_be_restarted(void **state)
{
    struct life *l = *state;
    l->world->vms[0].on_crash = VM_RESTART;
    start(l);
    l->world->fake.fail_after = 1; // its second thread_stop
    assert_int_equal(vmm_fault(l, 1, 0), NO_END);
    assert_true(fake_said(&l->world->fake, "bulkhead: vm web: its VMM cannot be restarted: the "
                                           "handle names no capability\n"));
    assert_int_equal(l->world->system->vms[0].state, VM_FAILED);
    assert_int_equal(vcpu_thread(l, 0, 1)->started, 0);
}

static void speaks_up_though_the_console_is_off(void **state)
{
    struct life *l = *state;
    l->world->header.flags = BUNDLE_CONSOLE_OFF;
    start(l);
    l->world->fake.mode = CONSOLE_OFF;
    assert_int_equal(event(l, 0, VM_EVENT_CRASH), NO_END);
    assert_string_equal(said(l), "bulkhead: vm web: crashed\n");
    assert_int_equal(l->world->fake.mode, CONSOLE_OFF);
    assert_int_equal(event(l, 1, VM_EVENT_POWEROFF), NO_END);
    assert_int_equal(serve_with(l, NULL), 1);
    assert_true(fake_said(&l->world->fake, "vm db: powered off\n"));
}

static void without_vms_nothing_ends(void **state)
{
    struct life *l = *state;
    world_end(l->world);
    l->world = world_new();
    world_process(l->world, "alone");
    start(l);
    assert_int_equal(vmm_fault(l, 0, 0), NO_END);
    assert_true(fake_said(&l->world->fake, "init: process \"alone\" is stopped"));
    assert_int_equal(l->world->system->end_at, DEADLINE_NEVER);
}

static struct life life;

static int setup(void **state)
{
    struct world *w = world_new();
    w->boot.gic_version = 3;
    world_process(w, "driver");
    world_vm(w, "web", 2);
    world_vm(w, "db", 1);
    life = (struct life){.world = w};
    *state = &life;
    return 0;
}

static int teardown(void **state)
{
    struct life *l = *state;
    world_end(l->world);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reset_restarts_the_guest_silently),
        TEST(the_system_ends_with_its_last_vm),
        TEST(it_ends_though_messages_keep_coming),
        TEST(a_vm_that_crashed_fails_the_system),
        TEST(a_crash_may_restart),
        TEST(too_many_restarts_are_refused),
        TEST(restarts_are_forgiven_with_time),
        TEST(without_a_window_restarts_are_counted_for_ever),
        TEST(policies_are_those_of_the_event),
        TEST(one_vm_may_end_the_system),
        TEST(its_crash_may_do_so_too),
        TEST(who_is_off_or_talks_nonsense_is_not_answered),
        TEST(a_vmm_that_crashes_is_started_anew),
        TEST(a_vmm_that_crashes_may_stay_off),
        TEST(a_vmm_that_keeps_crashing_stays_off),
        TEST(a_vmm_that_crashes_after_its_vm_is_stopped),
        TEST(a_vmm_that_cannot_be_restarted),
        TEST(speaks_up_though_the_console_is_off),
        TEST(without_vms_nothing_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

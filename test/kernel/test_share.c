// Virtual machines that share a core: by priority, by budget, in turns, and asleep. In virtual time: what is said of time
// holds to a hundredth. On a machine of one core: QEMU lets another one wait for up to 100 ms of it. The tests, more urgent
// than all, sleep meanwhile.
#include "../harness/report.h"
#include "../harness/vm.h"

#include <lib/syscall.h>

#define WINDOW_MS 300u

struct vm {
    struct guest guest;
    struct vmm *vmm;
    struct child child;
    uint64_t used; // ticks
};

static struct vm vm_new(enum guest_choice choice, const struct child_options *options)
{
    struct vm vm = {.guest = guest_new()};
    vm.child = vmm_new_with(&vm.guest, &vm.vmm, options);
    guest_begin(&vm.guest, choice);
    return vm;
}

// How much of the core's time each has from now on while a window passes. (What a thread has used since it came to run is
// added when it stops running.)
static void observe(struct vm *const vms[], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        child_start(&vms[i]->child);
    }
    sleep_us(WINDOW_MS * 1000u);
    for (unsigned i = 0; i < count; i++) {
        child_stop(&vms[i]->child);
    }
    for (unsigned i = 0; i < count; i++) {
        vms[i]->used = child_used(&vms[i]->child);
    }
}

static void expect(const struct vm *vm, uint64_t percent, const char *what)
{
    uint64_t window = ticks_of_ms(WINDOW_MS);
    uint64_t wanted = window * percent / 100;
    uint64_t slack = window / 100 + ticks_of_us(CHILD_SLICE_US);
    report(vm->used + slack >= wanted && vm->used <= wanted + slack, "%s: %lu.%lu of %lu percent",
           what, vm->used * 100 / window, vm->used * 1000 / window % 10, percent);
}

static void test_budget(void)
{
    struct vm urgent = vm_new(DO_COUNT, &(struct child_options){.priority = CHILD_PRIORITY + 1,
                                                                .budget_us = 3000,
                                                                .period_us = 10000});
    struct vm rest = vm_new(DO_COUNT, &(struct child_options){.priority = CHILD_PRIORITY});
    observe((struct vm *[]){&urgent, &rest}, 2);
    expect(&urgent, 30, "an urgent guest that never stops has its budget");
    expect(&rest, 70, "and a less urgent one the rest");
}

// An exit is its guest's time, the VMM's part of it as well.
static void test_budget_of_exits(void)
{
    struct vm urgent =
        vm_new(DO_HVC, &(struct child_options){
                           .priority = CHILD_PRIORITY + 1, .budget_us = 2000, .period_us = 10000});
    struct vm slow =
        vm_new(DO_HVC, &(struct child_options){
                           .priority = CHILD_PRIORITY + 1, .budget_us = 1000, .period_us = 10000});
    slow.vmm->spin = ticks_of_us(50);
    struct vm rest = vm_new(DO_COUNT, &(struct child_options){.priority = CHILD_PRIORITY});
    observe((struct vm *[]){&urgent, &slow, &rest}, 3);
    expect(&urgent, 20, "one that does nothing but leave has its budget, too");
    expect(&slow, 10, "and one whose VMM takes its time");
    expect(&rest, 70, "and others the rest");
}

static void test_turns(void)
{
    struct vm vms[3];
    for (unsigned i = 0; i < 3; i++) {
        vms[i] = vm_new(i == 1 ? DO_HVC : DO_COUNT, &(struct child_options){0});
    }
    observe((struct vm *[]){&vms[0], &vms[1], &vms[2]}, 3);
    for (unsigned i = 0; i < 3; i++) {
        expect(&vms[i], 33, "one of three equals has its third");
    }
}

static void test_priority(void)
{
    struct vm urgent = vm_new(DO_COUNT, &(struct child_options){.priority = CHILD_PRIORITY + 1});
    struct vm other = vm_new(DO_COUNT, &(struct child_options){.priority = CHILD_PRIORITY});
    observe((struct vm *[]){&urgent, &other}, 2);
    expect(&urgent, 100, "the more urgent of two without budgets has the core");
    expect(&other, 0, "and the other nothing");
}

static void test_asleep(void)
{
    struct vm asleep = vm_new(DO_SLEEP, &(struct child_options){.priority = CHILD_PRIORITY + 1});
    struct vm other = vm_new(DO_COUNT, &(struct child_options){.priority = CHILD_PRIORITY});
    observe((struct vm *[]){&asleep, &other}, 2);
    report(asleep.used < ticks_of_us(100), "a guest in WFI uses nothing (%lu ticks)", asleep.used);
    report(asleep.guest.page->regs.x[19] <= 3, "and is not woken (%lu)",
           asleep.guest.page->regs.x[19]);
    expect(&other, 100, "the other one has the core");
}

static const struct test_case cases[] = {
    {"budget", test_budget}, {"budget of exits", test_budget_of_exits},
    {"turns", test_turns},   {"priority", test_priority},
    {"asleep", test_asleep},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

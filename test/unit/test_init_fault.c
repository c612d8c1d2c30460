// What init says of the faults of processes that have no parent.
// sources: init/fault.c init/life.c
// sources: init/plan.c init/budget.c init/layout.c init/memory.c init/device.c init/tree.c init/system.c init/print.c
// sources: init/build.c init/region.c init/process.c init/thread.c init/vm.c init/vmplan.c init/wire.c init/make.c
// sources: init/config.c abi/bundle_check.c base/format.c
// sources: test/unit/init_world.c test/unit/init_kernel.c test/unit/init_tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <init/fault.h>
#include <init/plan.h>
#include <init/thread.h>
#include <spec/esr.h>

#include "init_world.h"

#define ESR(class, iss) ((uint64_t)(class) << ESR_EC_SHIFT | (iss))

static const char *report(struct world *w, struct message m)
{
    memset(w->fake.console, 0, sizeof(w->fake.console));
    w->fake.console_length = 0;
    fault_handle(w->system, &m);
    return w->fake.console;
}

static const char *report_of(struct world *w, enum fault_label label, uint64_t address,
                             uint64_t syndrome, uint64_t fetch)
{
    return report(w, (struct message){.badge = BADGE_FAULT | 1,
                                      .info = INFO(label, 4),
                                      .word = {0x200104, address, syndrome, fetch}});
}

static void aborts_say_what_where_and_why(void **state)
{
    struct world *w = *state;
    assert_string_equal(
        report_of(w, FAULT_VM, 0x10, ESR(EC_DATA_ABORT_LOWER, ESR_ABORT_WNR | FSC_TRANSLATION | 3),
                  0),
        "init: process \"second\" is stopped: it wrote to 0x10, where nothing is mapped\n"
        "init:     pc 0x200104, syndrome 0x90000047; the others run on\n");
    assert_non_null(
        strstr(report_of(w, FAULT_VM, 0x200000, ESR(EC_DATA_ABORT_LOWER, FSC_PERMISSION), 0),
               "it read at 0x200000, which its rights do not allow"));
    assert_non_null(
        strstr(report_of(w, FAULT_VM, 0x0, ESR(EC_INSTRUCTION_ABORT_LOWER, FSC_TRANSLATION), 1),
               "it executed at 0x0, where nothing is mapped"));
    assert_non_null(strstr(report_of(w, FAULT_VM, 0x1, ESR(EC_DATA_ABORT_LOWER, FSC_ALIGNMENT), 0),
                           "not aligned"));
    assert_non_null(
        strstr(report_of(w, FAULT_VM, 0x1, ESR(EC_DATA_ABORT_LOWER, FSC_EXTERNAL), 0), "refused"));
}

static void stacks_that_are_too_small(void **state)
{
    struct world *w = *state;
    uint64_t guard = PROCESS_STACK_TOP - 0x2000 - 8;
    uint64_t syndrome = ESR(EC_DATA_ABORT_LOWER, ESR_ABORT_WNR | FSC_TRANSLATION);
    assert_non_null(strstr(report_of(w, FAULT_VM, guard, syndrome, 0), "(just below its stack)"));
    assert_null(strstr(report_of(w, FAULT_VM, guard - 0x1000, syndrome, 0), "stack"));
}

static void stacks_of_vcpu_threads(void **state)
{
    struct world *w = *state;
    uint64_t below = VM_STACK_TOP + 3 * VM_STACK_STRIDE - VM_STACK_SIZE - 8;
    struct message m = {.badge = FAULT_BADGE(1, 3),
                        .info = INFO(FAULT_VM, 4),
                        .word = {0x200104, below, ESR(EC_DATA_ABORT_LOWER, FSC_TRANSLATION), 0}};
    assert_non_null(strstr(report(w, m), "(just below its stack)"));
    m.word[1] += VM_STACK_STRIDE;
    assert_null(strstr(report(w, m), "stack)"));
}

static void instructions_it_may_not_use(void **state)
{
    struct world *w = *state;
    static const struct {
        unsigned class;
        const char *text;
    } cases[] = {
        {EC_UNKNOWN, "an undefined instruction"},
        {EC_FP, "floating-point"},
        {EC_SYSREG, "system register"},
        {EC_BRK, "brk"},
        {EC_PC_ALIGNMENT, "a jump"},
        {EC_SP_ALIGNMENT, "stack pointer"},
        {EC_STEP_LOWER, "a debug event"},
        {0x3f, "a forbidden instruction"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_non_null(
            strstr(report_of(w, FAULT_USER, 0, ESR(cases[i].class, 0), 0), cases[i].text));
    }
    assert_non_null(strstr(report_of(w, FAULT_SYSCALL, 77, 0, 0), "there is no system call 77"));
    assert_non_null(strstr(report_of(w, 40, 0, 0, 0), "an unknown fault (40)"));
}

static void only_faults_of_processes_it_knows(void **state)
{
    struct world *w = *state;
    assert_string_equal(
        report(w, (struct message){.badge = BADGE_FAULT | 2, .info = INFO(FAULT_VM, 4)}), "");
    assert_string_equal(report(w, (struct message){.badge = 1, .info = INFO(FAULT_VM, 4)}), "");
}

static void speaks_up_though_the_console_is_off(void **state)
{
    struct world *w = *state;
    w->fake.mode = CONSOLE_OFF;
    // The description has not turned it off.
    assert_string_equal(report_of(w, FAULT_USER, 0, 0, 0), "");
    struct bundle_header *h = (struct bundle_header *)w->bundle;
    h->flags = BUNDLE_CONSOLE_OFF;
    assert_non_null(strstr(report_of(w, FAULT_USER, 0, 0, 0), "second"));
    assert_int_equal(w->fake.mode, CONSOLE_OFF);
}

static int setup(void **state)
{
    struct world *w = world_new();
    world_process(w, "first");
    world_process(w, "second");
    *state = w;
    return world_open(w) && plan_system(w->system) ? 0 : -1;
}

static int teardown(void **state)
{
    world_end(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(aborts_say_what_where_and_why, setup, teardown),
        cmocka_unit_test_setup_teardown(stacks_that_are_too_small, setup, teardown),
        cmocka_unit_test_setup_teardown(stacks_of_vcpu_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(instructions_it_may_not_use, setup, teardown),
        cmocka_unit_test_setup_teardown(only_faults_of_processes_it_knows, setup, teardown),
        cmocka_unit_test_setup_teardown(speaks_up_though_the_console_is_off, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

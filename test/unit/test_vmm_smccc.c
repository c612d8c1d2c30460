// Calls by HVC and SMC: the Arm Architecture Service, and that unknown functions are answered.
// sources: test/unit/vmm_call_world.c vmm/cpu.c vmm/sysreg.c vmm/debug.c vmm/setway.c vmm/cntp.c vmm/smccc.c vmm/psci.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>
#include <spec/psci.h>
#include <spec/smccc.h>
#include <vmm/smccc.h>

#include "vmm_call_world.h"

#define NOT_SUPPORTED ((uint64_t)SMCCC_NOT_SUPPORTED)

static struct world w;

static int begin(void **state)
{
    (void)state;
    world_init(&w, 3);
    return 0;
}

static uint64_t call(uint64_t function, uint64_t x1)
{
    return world_call(&w, function, x1, 0, 0);
}

static void it_is_version_1_1(void **state)
{
    (void)state;
    assert_int_equal(call(SMCCC_VERSION, 0), 0x10001);
    assert_int_equal(call(0xabcd00000000 | SMCCC_VERSION, 0),
                     0x10001); // the upper half does not count
}

static void features_are_what_there_is(void **state)
{
    (void)state;
    assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_VERSION), SMCCC_SUCCESS);
    assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES), SMCCC_SUCCESS);
    assert_int_equal(call(SMCCC_ARCH_FEATURES, 0x80000002), NOT_SUPPORTED);
    assert_int_equal(call(SMCCC_ARCH_FEATURES, 0), NOT_SUPPORTED);
}

static void workarounds_where_they_are_not_needed(void **state)
{
    (void)state;
    assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1), SMCCC_UNAFFECTED);
    assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_2),
                     (uint64_t)SMCCC_NOT_REQUIRED);
    assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_3), SMCCC_UNAFFECTED);
    assert_int_equal(call(SMCCC_ARCH_WORKAROUND_1, 0), SMCCC_SUCCESS);
    assert_int_equal(call(SMCCC_ARCH_WORKAROUND_2, 1), NOT_SUPPORTED);
    assert_int_equal(call(SMCCC_ARCH_WORKAROUND_3, 0), SMCCC_SUCCESS);
}

static void workarounds_that_only_firmware_has(void **state)
{
    (void)state;
    static const uint32_t all[] = {SMCCC_ARCH_WORKAROUND_1, SMCCC_ARCH_WORKAROUND_2,
                                   SMCCC_ARCH_WORKAROUND_3};
    world_set_id(&w, CPU_MIDR, 0x410fd083); // Cortex-A72
    world_model(&w, 3);
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        assert_int_equal(call(SMCCC_ARCH_FEATURES, all[i]), NOT_SUPPORTED);
        assert_int_equal(call(all[i], 0), NOT_SUPPORTED);
    }
}

static void unknown_functions_are_answered(void **state)
{
    (void)state;
    static const uint64_t all[] = {
        0,          1,          0x80000002, 0xc0000000, 0x8400ff01, // secure services
        0x84000050, 0xc4000053,                                     // random numbers
        0x8500ff01, 0xc5000020,                                     // hypervisor, stolen time
        0x8600ff01, 0x8600ff03,                                     // a vendor's hypervisor
        0x82000000, 0xbf00ff01, 0xffffffff, UINT64_MAX, 0x04000000, // yielding
        0x84000020, 0x84010000,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        assert_int_equal(call(all[i], 0), NOT_SUPPORTED);
    }
    assert_int_equal(w.stopped, 0);
}

static void only_x0_changes(void **state)
{
    (void)state;
    struct vcpu *v = &w.vm.vcpu[0];
    struct vcpu_regs before = v->page->regs;
    before.x[0] = SMCCC_VERSION;
    v->page->regs = before;
    smccc_call(v);
    assert_int_equal(v->page->regs.x[0], SMCCC_1_1);
    v->page->regs.x[0] = before.x[0];
    assert_memory_equal(&v->page->regs, &before, sizeof(before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_version_1_1, begin),
        cmocka_unit_test_setup(features_are_what_there_is, begin),
        cmocka_unit_test_setup(workarounds_where_they_are_not_needed, begin),
        cmocka_unit_test_setup(workarounds_that_only_firmware_has, begin),
        cmocka_unit_test_setup(unknown_functions_are_answered, begin),
        cmocka_unit_test_setup(only_x0_changes, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

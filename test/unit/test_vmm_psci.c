// PSCI: every function, by both conventions.
// sources: test/unit/vmm_call_world.c vmm/cpu.c vmm/sysreg.c vmm/debug.c vmm/setway.c vmm/cntp.c vmm/smccc.c vmm/psci.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/bits.h>
#include <spec/psci.h>
#include <spec/smccc.h>

#include "vmm_call_world.h"

#define ENTRY   (WORLD_RAM_IPA + 0x100u)
#define CONTEXT 0x1122334455667788u

static struct world w;

static int begin(void **state)
{
    (void)state;
    world_init(&w, 2);
    return 0;
}

static int64_t call(uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
    return (int64_t)world_call(&w, function, x1, x2, x3);
}

static uint32_t smc32(uint32_t function)
{
    return function & ~(uint32_t)PSCI_SMC64;
}

static void expect_power(unsigned vcpu, enum vcpu_power wanted)
{
    assert_int_equal(atomic_load(&w.vm.vcpu[vcpu].power), wanted);
}

static void set_power(unsigned vcpu, enum vcpu_power power)
{
    atomic_store(&w.vm.vcpu[vcpu].power, power);
}

static void it_is_version_1_1(void **state)
{
    (void)state;
    assert_int_equal(call(PSCI_VERSION, 0, 0, 0), 0x10001);
    assert_int_equal(call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
}

static void cores_are_switched_on(void **state)
{
    (void)state;
    assert_int_equal(call(PSCI_CPU_ON, 1, ENTRY, CONTEXT), PSCI_SUCCESS);
    expect_power(1, VCPU_STARTING);
    assert_int_equal(w.vm.vcpu[1].entry, ENTRY);
    assert_int_equal(w.vm.vcpu[1].context, CONTEXT);
    assert_int_equal(w.port.woken, 1 << 1);
    assert_int_equal(call(smc32(PSCI_CPU_ON), 0xf00000002, 0xf00000000 | ENTRY, CONTEXT),
                     PSCI_SUCCESS);
    expect_power(2, VCPU_STARTING);
    assert_int_equal(w.vm.vcpu[2].entry, ENTRY);
    assert_int_equal(w.vm.vcpu[2].context, (uint32_t)CONTEXT);
}

static void a_core_is_switched_on_once(void **state)
{
    (void)state;
    assert_int_equal(call(PSCI_CPU_ON, 0, ENTRY, 0), PSCI_ALREADY_ON);
    assert_int_equal(call(PSCI_CPU_ON, 1, ENTRY, 1), PSCI_SUCCESS);
    w.port.woken = 0;
    assert_int_equal(call(PSCI_CPU_ON, 1, ENTRY + 4, 2), PSCI_ON_PENDING);
    assert_int_equal(w.vm.vcpu[1].entry, ENTRY);
    assert_int_equal(w.vm.vcpu[1].context, 1);
    set_power(1, VCPU_ON);
    assert_int_equal(call(PSCI_CPU_ON, 1, ENTRY + 4, 2), PSCI_ALREADY_ON);
    set_power(1, VCPU_HALTED);
    assert_int_equal(call(PSCI_CPU_ON, 1, ENTRY + 4, 2), PSCI_INTERNAL_FAILURE);
    expect_power(1, VCPU_HALTED);
    assert_int_equal(w.port.woken, 0);
    assert_false(w.port.locked);
}

static void cores_that_are_not_there_and_bad_entries(void **state)
{
    (void)state;
    static const uint64_t nobody[] = {3,       8,       0x100,       0x10000,
                                      BIT(31), BIT(32), BIT(31) | 1, UINT64_MAX};
    for (unsigned i = 0; i < ARRAY_SIZE(nobody); i++) {
        assert_int_equal(call(PSCI_CPU_ON, nobody[i], ENTRY, 0), PSCI_INVALID_PARAMETERS);
        assert_int_equal(call(PSCI_AFFINITY_INFO, nobody[i], 0, 0), PSCI_INVALID_PARAMETERS);
    }
    static const uint64_t nowhere[] = {
        0, ENTRY + 1, ENTRY + 2, WORLD_RAM_IPA - 4, WORLD_RAM_IPA + WORLD_RAM_SIZE, UINT64_MAX - 3};
    for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++) {
        assert_int_equal(call(PSCI_CPU_ON, 1, nowhere[i], 0), PSCI_INVALID_ADDRESS);
        assert_int_equal(call(PSCI_CPU_SUSPEND, PSCI_POWER_DOWN, nowhere[i], 0),
                         PSCI_INVALID_ADDRESS);
    }
    expect_power(0, VCPU_ON);
    expect_power(1, VCPU_OFF);
}

static void a_core_switches_itself_off(void **state)
{
    (void)state;
    (void)call(PSCI_CPU_OFF, 0, 0, 0);
    expect_power(0, VCPU_OFF);
    expect_power(1, VCPU_OFF);
    assert_int_equal(w.port.woken, 0);
}

static void affinity_info_tells_states(void **state)
{
    (void)state;
    assert_int_equal(call(PSCI_AFFINITY_INFO, 0, 0, 0), PSCI_AFFINITY_ON);
    assert_int_equal(call(PSCI_AFFINITY_INFO, 1, 0, 0), PSCI_AFFINITY_OFF);
    set_power(1, VCPU_STARTING);
    assert_int_equal(call(smc32(PSCI_AFFINITY_INFO), 1, 0, 0), PSCI_AFFINITY_ON_PENDING);
    set_power(1, VCPU_HALTED);
    assert_int_equal(call(PSCI_AFFINITY_INFO, 1, 0, 0), PSCI_AFFINITY_OFF);
    assert_int_equal(call(PSCI_AFFINITY_INFO, 1, 1, 0), PSCI_INVALID_PARAMETERS);
}

static bool waits(void)
{
    uint64_t attention = atomic_exchange(&w.vm.vcpu[0].page->attention, 0);
    return (attention & VCPU_ATTENTION_WAIT) != 0;
}

static void standby_waits_for_an_interrupt(void **state)
{
    (void)state;
    assert_int_equal(call(PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS);
    assert_true(waits());
    assert_int_equal(call(smc32(PSCI_CPU_SUSPEND), 0x0300ffff, 0, 0), PSCI_SUCCESS);
    assert_true(waits());
    expect_power(0, VCPU_ON);
    assert_int_equal(call(PSCI_CPU_SUSPEND, BIT(17), 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(call(PSCI_CPU_SUSPEND, BIT(31), 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(call(PSCI_CPU_SUSPEND, BIT(32), 0, 0), PSCI_INVALID_PARAMETERS);
    assert_false(waits());
}

static void power_down_begins_at_its_entry(void **state)
{
    (void)state;
    (void)call(PSCI_CPU_SUSPEND, PSCI_POWER_DOWN | 7, ENTRY, CONTEXT);
    expect_power(0, VCPU_STARTING);
    assert_int_equal(w.vm.vcpu[0].entry, ENTRY);
    assert_int_equal(w.vm.vcpu[0].context, CONTEXT);
    assert_true(w.vm.vcpu[0].resumes);
    (void)call(PSCI_CPU_ON, 1, ENTRY, CONTEXT);
    assert_false(w.vm.vcpu[1].resumes);
}

static void the_system_ends_and_begins_again(void **state)
{
    (void)state;
    (void)call(PSCI_SYSTEM_OFF, 0, 0, 0);
    assert_int_equal(w.stopped, VM_EVENT_POWEROFF);
    (void)call(PSCI_SYSTEM_RESET, 0, 0, 0);
    assert_int_equal(w.stopped, VM_EVENT_RESET);
    w.stopped = 0;
    assert_int_equal(call(PSCI_SYSTEM_RESET2, 1, 0, 0), PSCI_INVALID_PARAMETERS);
    assert_int_equal(w.stopped, 0);
    (void)call(smc32(PSCI_SYSTEM_RESET2), PSCI_RESET_WARM, 0, 0);
    assert_int_equal(w.stopped, VM_EVENT_RESET);
    w.stopped = 0;
    (void)call(PSCI_SYSTEM_RESET2, PSCI_RESET_VENDOR | 5, 0, 0);
    assert_int_equal(w.stopped, VM_EVENT_RESET);
}

// Features and calls must agree: what is said not to be there is not, by the convention that was asked about.
static void features_tell_what_there_is(void **state)
{
    (void)state;
    static const uint32_t there[] = {
        PSCI_VERSION,       PSCI_CPU_SUSPEND,       PSCI_CPU_OFF,    PSCI_CPU_ON,
        PSCI_AFFINITY_INFO, PSCI_MIGRATE_INFO_TYPE, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,
        PSCI_FEATURES,      PSCI_SYSTEM_RESET2,
    };
    static const uint32_t missing[] = {
        PSCI_MIGRATE,           PSCI_MIGRATE_INFO_UP_CPU,
        PSCI_CPU_FREEZE,        PSCI_CPU_DEFAULT_SUSPEND,
        PSCI_NODE_HW_STATE,     PSCI_SYSTEM_SUSPEND,
        PSCI_SET_SUSPEND_MODE,  PSCI_STAT_RESIDENCY,
        PSCI_STAT_COUNT,        PSCI_MEM_PROTECT,
        PSCI_MEM_PROTECT_CHECK,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(there); i++) {
        assert_int_equal(call(PSCI_FEATURES, there[i], 0, 0), 0);
        assert_int_equal(call(PSCI_FEATURES, smc32(there[i]), 0, 0), 0);
        bool only32 = there[i] == smc32(there[i]);
        int64_t wide = call(PSCI_FEATURES, there[i] | PSCI_SMC64, 0, 0);
        assert_int_equal(wide, only32 ? PSCI_NOT_SUPPORTED : 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(missing); i++) {
        assert_int_equal(call(PSCI_FEATURES, missing[i], 0, 0), PSCI_NOT_SUPPORTED);
        assert_int_equal(call(missing[i], 0, 0, 0), PSCI_NOT_SUPPORTED);
        assert_int_equal(call(smc32(missing[i]), 0, 0, 0), PSCI_NOT_SUPPORTED);
    }
    assert_int_equal(call(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0);
    assert_int_equal(call(PSCI_FEATURES, SMCCC_ARCH_FEATURES, 0, 0), PSCI_NOT_SUPPORTED);
    assert_int_equal(call(PSCI_SYSTEM_OFF | PSCI_SMC64, 0, 0, 0), PSCI_NOT_SUPPORTED);
    assert_int_equal(call(0x8400001f, 0, 0, 0), PSCI_NOT_SUPPORTED);
    assert_int_equal(w.stopped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_version_1_1, begin),
        cmocka_unit_test_setup(cores_are_switched_on, begin),
        cmocka_unit_test_setup(a_core_is_switched_on_once, begin),
        cmocka_unit_test_setup(cores_that_are_not_there_and_bad_entries, begin),
        cmocka_unit_test_setup(a_core_switches_itself_off, begin),
        cmocka_unit_test_setup(affinity_info_tells_states, begin),
        cmocka_unit_test_setup(standby_waits_for_an_interrupt, begin),
        cmocka_unit_test_setup(power_down_begins_at_its_entry, begin),
        cmocka_unit_test_setup(the_system_ends_and_begins_again, begin),
        cmocka_unit_test_setup(features_tell_what_there_is, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

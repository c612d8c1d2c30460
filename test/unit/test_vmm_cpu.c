// The CPU model: ID registers out of the machine's, names, what SMCCC is told of workarounds.
// sources: test/unit/vmm_call_world.c vmm/cpu.c vmm/sysreg.c vmm/debug.c vmm/setway.c vmm/cntp.c vmm/smccc.c vmm/psci.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/bits.h>
#include <spec/smccc.h>

#include "vmm_call_world.h"

#define GIC_FIELD BIT(24)

static struct world w;

static int begin(void **state)
{
    (void)state;
    world_init(&w, 2);
    return 0;
}

static void all_ones(void)
{
    for (unsigned i = 0; i < CPU_ID_REGISTERS; i++) {
        world_set_id(&w, i, UINT64_MAX);
    }
}

static void expect_id(unsigned id, uint64_t wanted)
{
    assert_int_equal(w.vm.cpu.id[id], wanted);
}

static void a_cortex_a53_loses_little(void **state)
{
    (void)state;
    expect_id(CPU_AA64PFR0, 0x12);
    expect_id(CPU_AA64PFR1, 0);
    expect_id(CPU_AA64DFR0, 0x10305006);
    expect_id(CPU_AA64ISAR0, 0x11120);
    expect_id(CPU_AA64MMFR0, 0x122);
    expect_id(CPU_ID_PFR0, 0x131);
    expect_id(CPU_ID_PFR1, 0x00010011);
    expect_id(CPU_ID_DFR0, 0x66);
    assert_int_equal(cpu_model_midr(&w.vm), 0x410fd034);
    assert_string_equal(w.vm.cpu.compatible, "arm,cortex-a53");
}

// A machine with everything that is and will be: what is not known is hidden, what is known keeps to what is.
static void everything_else_is_hidden(void **state)
{
    (void)state;
    all_ones();
    world_model(&w, 2);
    expect_id(CPU_AA64PFR0, 0x1101000000ff0012);
    expect_id(CPU_AA64PFR1, 0x100000021);
    expect_id(CPU_AA64DFR0, 0x000000f0f0f0f00f);
    expect_id(CPU_AA64ISAR0, 0x1221111110212120);
    expect_id(CPU_AA64ISAR1, 0x0011111100211002);
    expect_id(CPU_AA64ISAR2, 0x0011000010100010);
    expect_id(CPU_AA64MMFR0, 0x00000000ff110125);
    expect_id(CPU_AA64MMFR1, 0x1001102001302002);
    expect_id(CPU_AA64MMFR2, 0x1000001110110111);
    static const unsigned known[] = {
        CPU_AA64PFR0,  CPU_AA64PFR1,  CPU_AA64DFR0,  CPU_AA64ISAR0, CPU_AA64ISAR1,
        CPU_AA64ISAR2, CPU_AA64MMFR0, CPU_AA64MMFR1, CPU_AA64MMFR2,
    };
    for (unsigned i = CPU_ID(4, 0); i < CPU_ID_REGISTERS; i++) {
        bool is_known = false;
        for (unsigned k = 0; k < ARRAY_SIZE(known); k++) {
            is_known = is_known || known[k] == i;
        }
        assert_true(is_known || w.vm.cpu.id[i] == 0);
    }
}

static void what_is_absent_stays_absent(void **state)
{
    (void)state;
    world_set_id(&w, CPU_AA64MMFR0, 0xff000005); // neither 4 KiB nor 64 KiB granules
    world_set_id(&w, CPU_AA64PFR0, 0x00ff0011);  // no floating point
    world_model(&w, 2);
    expect_id(CPU_AA64MMFR0, 0xff000005);
    expect_id(CPU_AA64PFR0, 0x00ff0011);
}

static void granules_lose_52_bit_addresses(void **state)
{
    (void)state;
    world_set_id(&w, CPU_AA64MMFR0, 0x10200006);
    world_model(&w, 2);
    expect_id(CPU_AA64MMFR0, 0x00100005);
}

static void only_version_3_has_registers(void **state)
{
    (void)state;
    assert_int_equal(w.vm.cpu.id[CPU_AA64PFR0] & GIC_FIELD, 0);
    world_model(&w, 3);
    assert_int_equal(w.vm.cpu.id[CPU_AA64PFR0] & FIELD(27, 24), GIC_FIELD);
    expect_id(CPU_ID_PFR1, 0x10010011);
}

static void aarch32_shows_where_el0_has_it(void **state)
{
    (void)state;
    all_ones();
    world_model(&w, 2);
    expect_id(CPU_ID(2, 0), UINT64_MAX);
    world_set_id(&w, CPU_AA64PFR0, 0x11);
    world_model(&w, 3);
    for (unsigned i = CPU_ID(1, 0); i < CPU_ID(4, 0); i++) {
        expect_id(i, 0);
    }
}

static void expect_processor(uint64_t midr, uint64_t csv2, const char *name, int one, int two,
                             int three)
{
    world_set_id(&w, CPU_MIDR, midr);
    world_set_id(&w, CPU_AA64PFR0, WORLD_A53_AA64PFR0 | csv2 << 56);
    world_model(&w, 2);
    assert_string_equal(w.vm.cpu.compatible, name);
    assert_int_equal(w.vm.cpu.workaround[0], one);
    assert_int_equal(w.vm.cpu.workaround[1], two);
    assert_int_equal(w.vm.cpu.workaround[2], three);
}

static void processors_have_names_and_weaknesses(void **state)
{
    (void)state;
    const int no = SMCCC_NOT_SUPPORTED;
    const int safe = SMCCC_UNAFFECTED;
    expect_processor(0x410fd034, 0, "arm,cortex-a53", safe, SMCCC_NOT_REQUIRED, safe);
    expect_processor(0x410fd040, 0, "arm,cortex-a35", safe, SMCCC_NOT_REQUIRED, safe);
    expect_processor(0x412fd050, 0, "arm,cortex-a55", safe, SMCCC_NOT_REQUIRED, safe);
    expect_processor(0x411fd070, 0, "arm,cortex-a57", no, no, no);
    expect_processor(0x410fd083, 0, "arm,cortex-a72", no, no, no);
    expect_processor(0x413fd0b1, 1, "arm,cortex-a76", safe, no, no);
    expect_processor(0x414fd0c1, 1, "arm,neoverse-n1", safe, no, no);
    expect_processor(0x000f0510, 3, "arm,armv8", safe, no, safe);
}

static void vcpus_are_numbered_by_affinity_0(void **state)
{
    (void)state;
    assert_int_equal(vcpu_mpidr(0), 0x80000000);
    assert_int_equal(vcpu_mpidr(7), 0x80000007);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cortex_a53_loses_little, begin),
        cmocka_unit_test_setup(everything_else_is_hidden, begin),
        cmocka_unit_test_setup(what_is_absent_stays_absent, begin),
        cmocka_unit_test_setup(granules_lose_52_bit_addresses, begin),
        cmocka_unit_test_setup(only_version_3_has_registers, begin),
        cmocka_unit_test_setup(aarch32_shows_where_el0_has_it, begin),
        cmocka_unit_test_setup(processors_have_names_and_weaknesses, begin),
        cmocka_unit_test_setup(vcpus_are_numbered_by_affinity_0, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

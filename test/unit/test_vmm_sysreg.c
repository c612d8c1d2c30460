// Trapped system registers: which there are, what they read as, debug registers, cache operations by set and way.
// sources: test/unit/vmm_call_world.c vmm/cpu.c vmm/sysreg.c vmm/debug.c vmm/setway.c vmm/cntp.c vmm/smccc.c vmm/psci.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <base/bits.h>
#include <vmm/sysreg.h>

#include "vmm_call_world.h"

#define MDSCR  SYSREG_ISS(2, 0, 0, 2, 2)
#define OSLAR  SYSREG_ISS(2, 0, 1, 0, 4)
#define OSLSR  SYSREG_ISS(2, 0, 1, 1, 4)
#define OSDLR  SYSREG_ISS(2, 0, 1, 3, 4)
#define DC_ISW SYSREG_ISS(1, 0, 7, 6, 2)
#define DC_CSW SYSREG_ISS(1, 0, 7, 10, 2)

#define BREAKPOINTS 6u // of a Cortex-A53
#define WATCHPOINTS 4u

static struct world w;

static int begin(void **state)
{
    (void)state;
    world_init(&w, 3);
    return 0;
}

static uint64_t read_register(uint32_t iss)
{
    uint64_t value;
    assert_true(world_read(&w, iss, &value));
    return value;
}

static void write_register(uint32_t iss, uint64_t value)
{
    assert_true(world_write(&w, iss, value));
}

static bool can_read(uint32_t iss)
{
    uint64_t value;
    return world_read(&w, iss, &value);
}

static void id_registers_are_the_models(void **state)
{
    (void)state;
    for (unsigned crm = 1; crm < 8; crm++) {
        for (unsigned op2 = 0; op2 < 8; op2++) {
            uint32_t iss = SYSREG_ISS(3, 0, 0, crm, op2);
            assert_int_equal(read_register(iss), w.vm.cpu.id[CPU_ID(crm, op2)]);
            assert_false(world_write(&w, iss, 1));
        }
    }
    assert_int_equal(read_register(SYSREG_ISS(3, 0, 0, 4, 0)), 0x1000012);
    assert_int_equal(read_register(SYSREG_ISS(3, 0, 0, 0, 0)), 0x410fd034); // MIDR_EL1
    assert_int_equal(read_register(SYSREG_ISS(3, 0, 0, 0, 5)), 0x80000000); // MPIDR_EL1
    assert_int_equal(read_register(SYSREG_ISS(3, 0, 0, 0, 6)), 0);          // REVIDR_EL1
    assert_int_equal(read_register(SYSREG_ISS(3, 0, 12, 12, 5)), 7);        // ICC_SRE_EL1
    assert_false(can_read(SYSREG_ISS(3, 0, 0, 8, 0)));
}

static void register_31_is_zero(void **state)
{
    (void)state;
    struct vcpu *v = &w.vm.vcpu[0];
    uint64_t stack = v->page->regs.sp_el0;
    uint32_t iss = SYSREG_ISS(3, 0, 0, 4, 0) | SYSREG_RT(31) | SYSREG_READ;
    assert_int_equal(sysreg_access(v, iss), HANDLED);
    assert_int_equal(v->page->regs.sp_el0, stack);
    v->debug.mdscr = 1;
    assert_int_equal(sysreg_access(v, MDSCR | SYSREG_RT(31)), HANDLED);
    assert_int_equal(v->debug.mdscr, 0);
}

static void some_read_as_zero_and_ignore_writes(void **state)
{
    (void)state;
    static const uint32_t names[] = {
        SYSREG_ISS(3, 0, 1, 0, 1),  // ACTLR_EL1
        SYSREG_ISS(3, 1, 11, 0, 2), // L2CTLR_EL1
        SYSREG_ISS(3, 1, 15, 2, 1), // CPUECTLR_EL1
        SYSREG_ISS(1, 0, 15, 0, 0), // implementation defined instructions
        SYSREG_ISS(2, 0, 0, 2, 0),  // MDCCINT_EL1
        SYSREG_ISS(2, 0, 0, 0, 2),  // OSDTRRX_EL1
        SYSREG_ISS(2, 0, 0, 3, 2),  // OSDTRTX_EL1
        SYSREG_ISS(2, 0, 0, 6, 2),  // OSECCR_EL1
        SYSREG_ISS(2, 0, 1, 4, 4),  // DBGPRCR_EL1
        SYSREG_ISS(2, 3, 0, 4, 0),  // DBGDTR_EL0
        SYSREG_ISS(2, 3, 0, 5, 0),  // DBGDTRTX_EL0
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        write_register(names[i], UINT64_MAX);
        assert_int_equal(read_register(names[i]), 0);
    }
}

static void some_are_read_only_zeroes(void **state)
{
    (void)state;
    static const uint32_t names[] = {
        SYSREG_ISS(2, 0, 1, 0, 0),  // MDRAR_EL1
        SYSREG_ISS(2, 3, 0, 1, 0),  // MDCCSR_EL0
        SYSREG_ISS(2, 0, 7, 14, 6), // DBGAUTHSTATUS_EL1
        SYSREG_ISS(3, 1, 0, 0, 7),  // AIDR_EL1
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(read_register(names[i]), 0);
        assert_false(world_write(&w, names[i], 1));
    }
}

static void what_is_hidden_is_undefined(void **state)
{
    (void)state;
    static const uint32_t names[] = {
        SYSREG_ISS(3, 3, 9, 12, 0),  // PMCR_EL0
        SYSREG_ISS(3, 3, 9, 13, 0),  // PMCCNTR_EL0
        SYSREG_ISS(3, 0, 9, 14, 1),  // PMINTENSET_EL1
        SYSREG_ISS(3, 3, 14, 15, 7), // PMCCFILTR_EL0
        SYSREG_ISS(3, 0, 9, 9, 0),   // PMSCR_EL1
        SYSREG_ISS(3, 0, 10, 4, 7),  // LORID_EL1
        SYSREG_ISS(3, 0, 5, 3, 0),   // ERRIDR_EL1
        SYSREG_ISS(3, 0, 2, 1, 0),   // APIAKeyLo_EL1
        SYSREG_ISS(3, 0, 1, 2, 0),   // ZCR_EL1
        SYSREG_ISS(3, 0, 1, 0, 5),   // RGSR_EL1
        SYSREG_ISS(3, 0, 13, 0, 7),  // SCXTNUM_EL1
        SYSREG_ISS(2, 1, 0, 0, 1),   // TRCTRACEIDR
        SYSREG_ISS(2, 4, 0, 7, 0),   // DBGVCR32_EL2
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        assert_false(can_read(names[i]));
        assert_false(world_write(&w, names[i], 1));
    }
}

static void implementation_defined_is_not_for_el0(void **state)
{
    (void)state;
    w.vm.vcpu[0].page->regs.pstate = 0;
    assert_false(can_read(SYSREG_ISS(3, 1, 11, 0, 2)));
    assert_false(world_write(&w, SYSREG_ISS(3, 1, 11, 0, 2), 1));
}

static void sgis_go_to_the_interrupt_controller(void **state)
{
    (void)state;
    for (unsigned op2 = 5; op2 <= 7; op2++) {
        uint32_t iss = SYSREG_ISS(3, 0, 12, 11, op2);
        write_register(iss, 0x100 + op2);
        assert_int_equal(w.sgi_op2, op2);
        assert_int_equal(w.sgi_value, 0x100 + op2);
        assert_false(can_read(iss));
    }
    assert_false(world_write(&w, SYSREG_ISS(3, 0, 12, 11, 4), 1));
    world_model(&w, 2);
    assert_false(world_write(&w, SYSREG_ISS(3, 0, 12, 11, 5), 1));
}

// ---- Debug registers --------------------------------------------------------------------------------------------

static uint64_t port_value(unsigned reg)
{
    return w.port.registers[0][reg];
}

static void expect_pair(unsigned op2, unsigned count, unsigned reg, uint64_t all)
{
    for (unsigned n = 0; n < 16; n++) {
        uint32_t iss = SYSREG_ISS(2, 0, 0, n, op2);
        assert_int_equal(world_write(&w, iss, UINT64_MAX), n < count);
        assert_int_equal(port_value(reg + n), n < count ? all : 0);
        assert_int_equal(can_read(iss), n < count);
        if (n < count) {
            assert_int_equal(read_register(iss), all);
        }
    }
}

static void breakpoints_and_watchpoints_are_the_machines(void **state)
{
    (void)state;
    expect_pair(4, BREAKPOINTS, VCPU_REG_DBGBVR, UINT64_MAX);
    expect_pair(5, BREAKPOINTS, VCPU_REG_DBGBCR, 0x00ffe1e7);
    expect_pair(6, WATCHPOINTS, VCPU_REG_DBGWVR, UINT64_MAX);
    expect_pair(7, WATCHPOINTS, VCPU_REG_DBGWCR, 0x1f1fffff);
}

static void debug_is_locked_after_a_reset(void **state)
{
    (void)state;
    const uint64_t all = BIT(0) | BIT(12) | BIT(13) | BIT(15);
    assert_int_equal(read_register(OSLSR), 0xa);
    write_register(MDSCR, UINT64_MAX);
    assert_int_equal(read_register(MDSCR), all);
    assert_int_equal(port_value(VCPU_REG_MDSCR_EL1), BIT(12));
    write_register(OSLAR, 0);
    assert_int_equal(read_register(OSLSR), 0x8);
    assert_int_equal(port_value(VCPU_REG_MDSCR_EL1), all);
    write_register(OSLAR, 1);
    assert_int_equal(port_value(VCPU_REG_MDSCR_EL1), BIT(12));
    assert_false(can_read(OSLAR));
    assert_false(world_write(&w, OSLSR, 0));
}

static void the_double_lock_locks_where_it_is(void **state)
{
    (void)state;
    write_register(OSLAR, 0);
    write_register(MDSCR, 1);
    write_register(OSDLR, 1);
    assert_int_equal(read_register(OSDLR), 1);
    assert_int_equal(port_value(VCPU_REG_MDSCR_EL1), 0);
    write_register(OSDLR, 0);
    assert_int_equal(port_value(VCPU_REG_MDSCR_EL1), 1);
    w.vm.cpu.id[CPU_AA64DFR0] |= FIELD(39, 36); // no such lock
    write_register(OSDLR, 1);
    assert_int_equal(read_register(OSDLR), 0);
    assert_int_equal(port_value(VCPU_REG_MDSCR_EL1), 1);
}

static void claim_tags_are_set_and_cleared(void **state)
{
    (void)state;
    const uint32_t set = SYSREG_ISS(2, 0, 7, 8, 6);
    const uint32_t clear = SYSREG_ISS(2, 0, 7, 9, 6);
    assert_int_equal(read_register(set), 0xff);
    assert_int_equal(read_register(clear), 0);
    write_register(set, 0xf05);
    write_register(set, 0x80);
    assert_int_equal(read_register(clear), 0x85);
    write_register(clear, 0x84);
    assert_int_equal(read_register(clear), 0x01);
}

// ---- Set and way ------------------------------------------------------------------------------------------------

// As guests do: level by level, way by way, set by set; from the last to the first if `down`.
static void walk(uint32_t iss, unsigned levels, bool down)
{
    for (unsigned level = 0; level < levels; level++) {
        for (unsigned i = 0; i < 64; i++) {
            unsigned line = down ? 63 - i : i;
            write_register(iss, (line % 4) << 30 | (line / 4) << 6 | level << 1);
        }
    }
}

static void a_sequence_publishes_memory_once(void **state)
{
    (void)state;
    walk(DC_ISW, 2, false);
    assert_int_equal(w.port.published, 1);
    assert_false(can_read(DC_ISW));
}

static void each_sequence_publishes_memory(void **state)
{
    (void)state;
    walk(DC_ISW, 2, false);
    walk(SYSREG_ISS(1, 0, 7, 14, 2), 2, false);
    assert_int_equal(w.port.published, 2);
    walk(DC_CSW, 1, false);
    assert_int_equal(w.port.published, 3);
    walk(DC_CSW, 1, false);
    assert_int_equal(w.port.published, 4);
    walk(DC_CSW, 2, true); // it meets the first line of the one before in the end
    assert_int_equal(w.port.published, 5);
}

static void a_vcpus_sequence_is_its_own(void **state)
{
    (void)state;
    walk(DC_CSW, 1, false);
    assert_int_equal(sysreg_access(&w.vm.vcpu[1], DC_CSW | SYSREG_RT(31)), HANDLED);
    assert_int_equal(w.port.published, 2);
    walk(DC_CSW, 1, false);
    assert_int_equal(w.port.published, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(id_registers_are_the_models, begin),
        cmocka_unit_test_setup(register_31_is_zero, begin),
        cmocka_unit_test_setup(some_read_as_zero_and_ignore_writes, begin),
        cmocka_unit_test_setup(some_are_read_only_zeroes, begin),
        cmocka_unit_test_setup(what_is_hidden_is_undefined, begin),
        cmocka_unit_test_setup(implementation_defined_is_not_for_el0, begin),
        cmocka_unit_test_setup(sgis_go_to_the_interrupt_controller, begin),
        cmocka_unit_test_setup(breakpoints_and_watchpoints_are_the_machines, begin),
        cmocka_unit_test_setup(debug_is_locked_after_a_reset, begin),
        cmocka_unit_test_setup(the_double_lock_locks_where_it_is, begin),
        cmocka_unit_test_setup(claim_tags_are_set_and_cleared, begin),
        cmocka_unit_test_setup(a_sequence_publishes_memory_once, begin),
        cmocka_unit_test_setup(each_sequence_publishes_memory, begin),
        cmocka_unit_test_setup(a_vcpus_sequence_is_its_own, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

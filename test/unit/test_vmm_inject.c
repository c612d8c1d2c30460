// Exceptions into the guest's EL1: vector, saved state, new state, syndrome.
// sources: vmm/inject.c vmm/port/sim.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vmm/inject.h>

#include "vmm_guest.h"

#define VBAR    0xffff800008010800ull
#define PC      0x40001000u
#define PAN     (1u << 20) // ID_AA64MMFR1_EL1
#define SSBS    (1u << 4)  // ID_AA64PFR1_EL1
#define MTE2    (2u << 8)
#define AARCH32 0x10u

static struct vcpu *v;

static int begin(void **state)
{
    (void)state;
    world_make(2);
    v = &world.vm.vcpu[0];
    v->page->regs.pc = PC;
    *world_register(0, VCPU_REG_VBAR_EL1) = VBAR;
    *world_register(0, VCPU_REG_SCTLR_EL1) = SCTLR_SPAN;
    return 0;
}

static void set_id(unsigned crm, unsigned op2, uint64_t value)
{
    world.port.registers[0][VCPU_REG_ID_OF(crm, op2)] = value;
}

static void undefined_from(uint64_t pstate, uint64_t vector)
{
    begin(NULL);
    v->page->regs.pstate = pstate;
    inject_undefined(v);
    assert_int_equal(v->page->regs.pc, VBAR + vector);
    assert_int_equal(*world_register(0, VCPU_REG_SPSR_EL1), pstate);
    assert_int_equal(*world_register(0, VCPU_REG_ELR_EL1), PC);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), ESR_IL);
}

static void the_vector_is_that_of_where_it_comes_from(void **state)
{
    (void)state;
    undefined_from(SPSR_EL1H, 0x200);
    undefined_from(SPSR_EL1T, 0x000);
    undefined_from(SPSR_EL0T, 0x400);
    undefined_from(AARCH32, 0x600);
    undefined_from(AARCH32 | BIT(5), 0x600); // T32
}

static void the_handler_runs_masked_and_keeps_flags_only(void **state)
{
    (void)state;
    v->page->regs.pstate = SPSR_EL0T | SPSR_NZCV | SPSR_SS | SPSR_IL | SPSR_BTYPE | SPSR_SSBS |
                           SPSR_PAN | SPSR_DIT | SPSR_TCO | BIT(23);
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate, SPSR_EL1H | SPSR_DAIF | SPSR_NZCV | SPSR_DIT);
}

static void pan_is_set_unless_the_guest_says_otherwise(void **state)
{
    (void)state;
    set_id(7, 1, PAN);
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate & SPSR_PAN, 0);
    v->page->regs.pstate |= SPSR_PAN;
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate & SPSR_PAN, SPSR_PAN);
    *world_register(0, VCPU_REG_SCTLR_EL1) = 0;
    v->page->regs.pstate = SPSR_EL0T;
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate & SPSR_PAN, SPSR_PAN);
}

static void what_the_cpu_lacks_stays_zero(void **state)
{
    (void)state;
    *world_register(0, VCPU_REG_SCTLR_EL1) = SCTLR_DSSBS;
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate, SPSR_EL1H | SPSR_DAIF);
    set_id(4, 1, SSBS | MTE2);
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate, SPSR_EL1H | SPSR_DAIF | SPSR_SSBS | SPSR_TCO);
    *world_register(0, VCPU_REG_SCTLR_EL1) = 0;
    inject_undefined(v);
    assert_int_equal(v->page->regs.pstate, SPSR_EL1H | SPSR_DAIF | SPSR_TCO);
}

static void abort_with(uint64_t syndrome, uint64_t pstate)
{
    v->page->regs.pstate = pstate;
    v->page->regs.pc = PC;
    sim_trap(&world.port, 0, syndrome, 0x1234, 0x09000000);
    inject_external_abort(v);
}

static void aborts_say_what_it_was(void **state)
{
    (void)state;
    const uint64_t data = (uint64_t)EC_DATA_ABORT_LOWER << 26;
    const uint64_t fetch = (uint64_t)EC_INSTRUCTION_ABORT_LOWER << 26;

    abort_with(data | ESR_ABORT_ISV | ESR_ABORT_WNR | FSC_TRANSLATION | 3, SPSR_EL1H);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1),
                     (uint64_t)EC_DATA_ABORT << 26 | ESR_IL | ESR_ABORT_WNR | FSC_EXTERNAL);
    assert_int_equal(*world_register(0, VCPU_REG_FAR_EL1), 0x1234);

    abort_with(data | FSC_TRANSLATION, SPSR_EL0T);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), data | ESR_IL | FSC_EXTERNAL);

    abort_with(data | FSC_TRANSLATION, AARCH32);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), data | ESR_IL | FSC_EXTERNAL);

    abort_with(data | ESR_ABORT_S1PTW | FSC_TRANSLATION | 2, SPSR_EL1H);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1),
                     (uint64_t)EC_DATA_ABORT << 26 | ESR_IL | FSC_EXTERNAL_WALK);

    abort_with(data | ESR_ABORT_FNV | FSC_EXTERNAL, SPSR_EL1H);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1),
                     (uint64_t)EC_DATA_ABORT << 26 | ESR_IL | ESR_ABORT_FNV | FSC_EXTERNAL);

    abort_with(fetch | FSC_TRANSLATION | 1, SPSR_EL1H);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1),
                     (uint64_t)EC_INSTRUCTION_ABORT << 26 | ESR_IL | FSC_EXTERNAL);

    abort_with(fetch | FSC_TRANSLATION | 1, SPSR_EL0T);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), fetch | ESR_IL | FSC_EXTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_is_that_of_where_it_comes_from),
        cmocka_unit_test_setup(the_handler_runs_masked_and_keeps_flags_only, begin),
        cmocka_unit_test_setup(pan_is_set_unless_the_guest_says_otherwise, begin),
        cmocka_unit_test_setup(what_the_cpu_lacks_stays_zero, begin),
        cmocka_unit_test_setup(aborts_say_what_it_was, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

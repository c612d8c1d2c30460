// Exceptions into the guest's EL1: vector, saved state, new state, syndrome; and what is told about accesses to nothing.
// sources: vmm/inject.c vmm/unhandled.c vmm/log.c vmm/port/sim.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

static unsigned lines_with(const char *text)
{
    unsigned count = 0;
    for (const char *at = world.port.log; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

static void a_page_is_told_of_once(void **state)
{
    (void)state;
    world.vm.bus.count = 1;
    world.vm.bus.ranges[0] = (struct bus_range){.where = {0x09010000, 0x1000}, .name = "pl031"};
    sim_trap(&world.port, 0, (uint64_t)EC_DATA_ABORT_LOWER << 26 | FSC_TRANSLATION, 0x1234, 0);
    unhandled_access(v, UNHANDLED_READ, 0x0a000004, 4);
    assert_int_equal(lines_with("reads 4 bytes at 0xa000004,"), 1);
    assert_int_equal(lines_with("pc 0x40001000"), 1);
    assert_int_equal(lines_with("pl031 0x9010000-0x9010fff at or below"), 1);
    assert_int_equal(lines_with("RAM 0x40000000-0x40003fff above"), 1);
    assert_int_equal(lines_with("  - "), 3);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1) & ESR_FSC_MASK, FSC_EXTERNAL);

    sim_forget_log(&world.port);
    unhandled_access(v, UNHANDLED_WRITE, 0x0a000ff8, 8);
    assert_string_equal(world.port.log, "");
    unhandled_access(v, UNHANDLED_WRITE, 0x0a001000, 8);
    assert_int_equal(lines_with("writes 8 bytes at 0xa001000,"), 1);
}

static void a_guest_that_probes_is_not_told_of_for_ever(void **state)
{
    (void)state;
    sim_trap(&world.port, 0, (uint64_t)EC_DATA_ABORT_LOWER << 26 | FSC_TRANSLATION, 0, 0);
    for (unsigned i = 0; i < 3 * UNHANDLED_PAGES; i++) {
        sim_forget_log(&world.port);
        unhandled_access(v, UNHANDLED_READ, 0x10000000u + i * 0x1000u, 4);
        assert_int_equal(lines_with("reads"), i < UNHANDLED_PAGES);
        assert_int_equal(lines_with("no more"), i == UNHANDLED_PAGES);
    }
    unhandled_summary(&world.vm);
    assert_int_equal(lines_with("96 accesses"), 1);
    assert_int_equal(lines_with("more than 32 pages"), 1);
}

static void no_line_is_longer_than_a_log_line(void **state)
{
    (void)state;
    memset(world.config.name, 'n', PROCESS_NAME_MAX - 1);
    sim_trap(&world.port, 0, (uint64_t)EC_DATA_ABORT_LOWER << 26 | FSC_TRANSLATION, 0, 0);
    v->page->regs.pc = UINT64_MAX;
    unhandled_access(v, UNHANDLED_INSTRUCTION, UINT64_MAX, UINT32_MAX);
    char *line = strtok(world.port.log, "\n");
    for (; line != NULL; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) < 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_is_that_of_where_it_comes_from),
        cmocka_unit_test_setup(the_handler_runs_masked_and_keeps_flags_only, begin),
        cmocka_unit_test_setup(pan_is_set_unless_the_guest_says_otherwise, begin),
        cmocka_unit_test_setup(what_the_cpu_lacks_stays_zero, begin),
        cmocka_unit_test_setup(aborts_say_what_it_was, begin),
        cmocka_unit_test_setup(a_page_is_told_of_once, begin),
        cmocka_unit_test_setup(a_guest_that_probes_is_not_told_of_for_ever, begin),
        cmocka_unit_test_setup(no_line_is_longer_than_a_log_line, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

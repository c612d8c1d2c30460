// What becomes of an exit: devices by syndrome and by instruction, calls, registers, everything that nobody offers.
// sources: vmm/exit.c vmm/decode.c vmm/inject.c vmm/unhandled.c vmm/board.c vmm/fdt_address.c vmm/log.c vmm/bus.c
// sources: vmm/port/sim.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vmm/exit.h>
#include <vmm/smccc.h>
#include <vmm/sysreg.h>

#include "vmm_guest.h"

#define PC        (RAM_IPA + 0x1000u)
#define DEVICE    0x09000000u
#define DEVICE_VA 0xffff000009000000ull
#define AARCH32   0x10u

#define EC(ec)           ((uint64_t)(ec) << ESR_EC_SHIFT)
#define DATA             (EC(EC_DATA_ABORT_LOWER) | ESR_IL | FSC_TRANSLATION | 3)
#define LOAD(size, reg)  (DATA | ESR_ABORT_ISV | (uint64_t)(size) << 22 | (uint64_t)(reg) << 16)
#define STORE(size, reg) (LOAD(size, reg) | ESR_ABORT_WNR)

// The device: remembers its last accesses, reads from a counter's bytes.
static struct {
    struct bus_access last[4];
    unsigned count;
    uint64_t reads;
    enum handled answer;
} device;

static struct {
    enum handled answer;
    unsigned calls;
    uint32_t iss;
} door;

static struct vcpu *v;

static enum handled device_access(void *context, struct bus_access *a)
{
    assert_ptr_equal(context, &device);
    assert_ptr_equal(a->vcpu, v);
    device.last[device.count++ % 4] = *a;
    if (!a->write) {
        a->value = device.reads & FIELD(8 * a->size - 1, 0);
    }
    return device.answer;
}

void smccc_call(struct vcpu *vcpu)
{
    assert_ptr_equal(vcpu, v);
    door.calls++;
}

enum handled sysreg_access(struct vcpu *vcpu, uint32_t iss)
{
    assert_ptr_equal(vcpu, v);
    door.calls++;
    door.iss = iss;
    return door.answer;
}

void *vm_memory(const struct vm *vm, uint64_t ipa, uint64_t size)
{
    struct range ram = {vm->config->ram_ipa, vm->config->ram_size};
    return range_contains(ram, ipa, size) ? world.ram + (ipa - RAM_IPA) : NULL;
}

static int begin(void **state)
{
    (void)state;
    memset(&device, 0, sizeof(device));
    memset(&door, 0, sizeof(door));
    world_make(1);
    v = &world.vm.vcpu[0];
    for (unsigned i = 0; i < 31; i++) {
        v->page->regs.x[i] = 0x0101010101010101u * i;
    }
    struct bus_range range = {{DEVICE, 0x1000}, device_access, &device, "device"};
    assert_int_equal(bus_add(&world.vm.bus, range), OK);
    return 0;
}

static void trap(uint64_t syndrome, uint64_t offset)
{
    sim_trap(&world.port, 0, syndrome, DEVICE_VA + offset, DEVICE + offset);
    exit_trap(v);
}

static void expect_exception(uint64_t ec, uint64_t pc)
{
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1) >> ESR_EC_SHIFT, ec);
    assert_int_equal(*world_register(0, VCPU_REG_ELR_EL1), pc);
    assert_int_equal(v->page->regs.pc, 0x200);
}

static void expect_done(void)
{
    assert_int_equal(v->page->regs.pc, PC + 4);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), 0);
}

// ---- By syndrome ------------------------------------------------------------------------------------------------

static void a_load_gets_what_the_device_says(void **state)
{
    (void)state;
    device.reads = 0x8877665544332211;
    trap(LOAD(2, 7), 0x18);
    assert_int_equal(v->page->regs.x[7], 0x44332211);
    assert_int_equal(device.last[0].offset, 0x18);
    assert_int_equal(device.last[0].size, 4);
    assert_false(device.last[0].write);
    expect_done();
    assert_int_equal(v->exits[EC_DATA_ABORT_LOWER], 1);
    assert_int_equal(world.vm.accesses[0][0][false], 1);
    assert_int_equal(world.vm.accesses[0][0][true], 0);
}

static void check_load(uint64_t bits, uint64_t value)
{
    begin(NULL);
    device.reads = 0x8887868584838281;
    trap(bits, 0);
    assert_int_equal(v->page->regs.x[7], value);
    expect_done();
}

static void loads_of_every_kind(void **state)
{
    (void)state;
    check_load(LOAD(0, 7), 0x81);
    check_load(LOAD(1, 7), 0x8281);
    check_load(LOAD(2, 7), 0x84838281);
    check_load(LOAD(3, 7) | ESR_ABORT_SF, 0x8887868584838281);
    check_load(LOAD(0, 7) | ESR_ABORT_SSE, 0xffffff81);
    check_load(LOAD(1, 7) | ESR_ABORT_SSE, 0xffff8281);
    check_load(LOAD(0, 7) | ESR_ABORT_SSE | ESR_ABORT_SF, 0xffffffffffffff81);
    check_load(LOAD(2, 7) | ESR_ABORT_SSE | ESR_ABORT_SF, 0xffffffff84838281);
}

static void stores_carry_their_bytes(void **state)
{
    (void)state;
    v->page->regs.x[7] = 0x8887868584838281;
    trap(STORE(0, 7), 0);
    trap(STORE(1, 7), 2);
    trap(STORE(2, 7), 4);
    trap(STORE(3, 7), 8);
    assert_int_equal(device.last[0].value, 0x81);
    assert_int_equal(device.last[1].value, 0x8281);
    assert_int_equal(device.last[2].value, 0x84838281);
    assert_int_equal(device.last[3].value, 0x8887868584838281);
    assert_true(device.last[3].write);
    assert_int_equal(v->page->regs.pc, PC + 16);
    assert_int_equal(world.vm.accesses[0][0][true], 4);
}

static void register_31_is_zero_and_goes_nowhere(void **state)
{
    (void)state;
    v->page->regs.sp_el0 = 0x5555; // behind x30 in the page
    device.reads = 9;
    trap(LOAD(3, 31) | ESR_ABORT_SF, 0);
    assert_int_equal(v->page->regs.sp_el0, 0x5555);
    trap(STORE(3, 31), 0);
    assert_int_equal(device.last[1].value, 0);
}

static void another_device_is_found_after_the_last_one(void **state)
{
    (void)state;
    struct bus_range range = {{DEVICE + 0x1000, 0x1000}, device_access, &device, "other"};
    assert_int_equal(bus_add(&world.vm.bus, range), OK);
    trap(LOAD(2, 7), 0x10);
    trap(LOAD(2, 7), 0x1010);
    trap(LOAD(2, 7), 0x14);
    assert_string_equal(v->last->name, "device");
    assert_int_equal(device.last[1].offset, 0x10);
    assert_int_equal(device.last[2].offset, 0x14);
}

static void what_a_device_refuses_is_an_external_abort(void **state)
{
    (void)state;
    device.answer = FORBIDDEN;
    trap(LOAD(2, 7), 0x18);
    expect_exception(EC_DATA_ABORT, PC);
    assert_int_equal(v->page->regs.x[7], 0x0707070707070707);
    assert_string_equal(world.port.log, "");
}

static void accesses_are_counted_for_each_device_and_vcpu(void **state)
{
    (void)state;
    struct bus_range below = {{DEVICE - 0x1000, 0x1000}, device_access, &device, "below"};
    world_make(2);
    assert_int_equal(
        bus_add(&world.vm.bus,
                (struct bus_range){{DEVICE, 0x1000}, device_access, &device, "device"}),
        OK);
    assert_int_equal(bus_add(&world.vm.bus, below), OK);
    v = &world.vm.vcpu[1];
    for (unsigned i = 0; i < 3; i++) {
        sim_trap(&world.port, 1, LOAD(2, 7), DEVICE_VA - 8, DEVICE - 8);
        exit_trap(v);
        sim_trap(&world.port, 1, STORE(2, 7), DEVICE_VA, DEVICE);
        exit_trap(v);
    }
    sim_trap(&world.port, 1, LOAD(2, 7), DEVICE_VA, DEVICE);
    exit_trap(v);
    sim_trap(&world.port, 1, LOAD(2, 7), DEVICE_VA + 0x1000, DEVICE + 0x1000); // nobody's
    exit_trap(v);
    assert_int_equal(world.vm.accesses[1][0][false], 3);
    assert_int_equal(world.vm.accesses[1][0][true], 0);
    assert_int_equal(world.vm.accesses[1][1][false], 1);
    assert_int_equal(world.vm.accesses[1][1][true], 3);
    assert_int_equal(world.vm.accesses[0][1][true], 0);
    assert_int_equal(v->exits[EC_DATA_ABORT_LOWER], 8);
}

static void what_nobody_answers_is_told(void **state)
{
    (void)state;
    trap(STORE(2, 7), 0x1000);
    expect_exception(EC_DATA_ABORT, PC);
    assert_non_null(strstr(world.port.log, "writes 4 bytes at 0x9001000"));
    assert_non_null(strstr(world.port.log, "device 0x9000000-0x9000fff at or below"));
}

static void a_step_or_a_branch_target_ends_with_the_instruction(void **state)
{
    (void)state;
    v->page->regs.pstate |= SPSR_SS | SPSR_BTYPE | SPSR_NZCV;
    trap(LOAD(2, 7), 0);
    expect_done();
    assert_int_equal(v->page->regs.pstate, SPSR_EL1H | SPSR_NZCV);
}

static void an_it_block_moves_on(void **state)
{
    (void)state;
    const uint64_t t32 = AARCH32 | BIT(5);
    // ITSTATE 0b00010100, IT: two more instructions; then 0b00001000: one; then none.
    v->page->regs.pstate = t32 | 0x05ull << 10 | 0ull << 25;
    trap(LOAD(2, 7) & ~ESR_IL, 0);
    assert_int_equal(v->page->regs.pc, PC + 2);
    assert_int_equal(v->page->regs.pstate, t32 | 0x02ull << 10);
    trap(LOAD(2, 7), 0);
    assert_int_equal(v->page->regs.pc, PC + 6);
    assert_int_equal(v->page->regs.pstate, t32);
}

static void cache_maintenance_is_nothing(void **state)
{
    (void)state;
    trap(DATA | ESR_ABORT_CM | ESR_ABORT_WNR, 0x2000);
    expect_done();
    assert_int_equal(device.count, 0);
}

static void a_table_walk_into_nothing_is_told(void **state)
{
    (void)state;
    trap(DATA | ESR_ABORT_S1PTW, 0x18);
    expect_exception(EC_DATA_ABORT, PC);
    assert_int_equal(device.count, 0);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1) & ESR_FSC_MASK, FSC_EXTERNAL_WALK);
    assert_non_null(strstr(world.port.log, "translation tables"));
}

static void other_faults_go_to_the_guest(void **state)
{
    (void)state;
    trap((LOAD(2, 7) & ~ESR_FSC_MASK) | FSC_EXTERNAL, 0);
    expect_exception(EC_DATA_ABORT, PC);
    assert_int_equal(device.count, 0);
}

// ---- By instruction ---------------------------------------------------------------------------------------------

static void put_instruction(uint32_t instruction)
{
    memcpy(world.ram + (PC - RAM_IPA), &instruction, sizeof(instruction));
}

static void trap_undescribed(uint32_t instruction, uint64_t flags, uint64_t offset)
{
    put_instruction(instruction);
    trap(DATA | flags, offset);
}

static void a_post_indexed_load_moves_its_base(void **state)
{
    (void)state;
    device.reads = 0x77;
    v->page->regs.x[5] = DEVICE_VA + 0x20;
    trap_undescribed(0xb84044a3, 0, 0x20); // ldr w3, [x5], #4
    assert_int_equal(v->page->regs.x[3], 0x77);
    assert_int_equal(v->page->regs.x[5], DEVICE_VA + 0x24);
    assert_int_equal(device.last[0].offset, 0x20);
    assert_int_equal(v->exits[TRACE_MMIO_DECODED], 1);
    expect_done();
}

static void a_pair_is_two_accesses(void **state)
{
    (void)state;
    v->page->regs.x[3] = DEVICE_VA + 0x100;
    v->page->regs.x[1] = 0x1111222233334444;
    trap_undescribed(0x29200861, ESR_ABORT_WNR, 0); // stp w1, w2, [x3, #-256]
    assert_int_equal(device.count, 2);
    assert_int_equal(device.last[0].value, 0x33334444);
    assert_int_equal(device.last[1].offset, 4);
    assert_int_equal(device.last[1].value, 0x02020202);
    assert_int_equal(v->page->regs.x[3], DEVICE_VA + 0x100);
    assert_int_equal(world.vm.accesses[0][0][true], 2);
    assert_int_equal(v->exits[EC_DATA_ABORT_LOWER], 1);
    expect_done();
}

static void the_stack_pointer_is_that_of_the_mode(void **state)
{
    (void)state;
    *world_register(0, VCPU_REG_SP_EL1) = DEVICE_VA + 0x40;
    trap_undescribed(0xa9ff7bfd, 0, 0x30); // ldp x29, x30, [sp, #-16]!
    assert_int_equal(*world_register(0, VCPU_REG_SP_EL1), DEVICE_VA + 0x30);

    begin(NULL);
    v->page->regs.pstate = SPSR_EL0T;
    v->page->regs.sp_el0 = DEVICE_VA + 0x40;
    trap_undescribed(0xa9ff7bfd, 0, 0x30);
    assert_int_equal(v->page->regs.sp_el0, DEVICE_VA + 0x30);
    assert_int_equal(*world_register(0, VCPU_REG_SP_EL1), 0);
}

static void a_refused_pair_changes_no_register(void **state)
{
    (void)state;
    device.answer = FORBIDDEN;
    v->page->regs.x[3] = DEVICE_VA;
    trap_undescribed(0xa8df8861, 0, 0); // ldp x1, x2, [x3], #504
    expect_exception(EC_DATA_ABORT, PC);
    assert_int_equal(v->page->regs.x[1], 0x0101010101010101);
    assert_int_equal(v->page->regs.x[3], DEVICE_VA);
}

static void what_cannot_be_emulated_is_told(void **state)
{
    (void)state;
    trap_undescribed(0x885f7c61, 0, 0); // ldxr w1, [x3]
    expect_exception(EC_DATA_ABORT, PC);
    assert_non_null(strstr(world.port.log, "instruction 0x885f7c61"));
    assert_int_equal(device.count, 0);
}

static void an_access_over_a_page_s_end_is_refused(void **state)
{
    (void)state;
    v->page->regs.x[3] = DEVICE_VA + 0xff8;
    trap_undescribed(0xa8c10861, 0, 0xff8); // ldp x1, x2, [x3], #16
    expect_exception(EC_DATA_ABORT, PC);
    assert_int_equal(device.count, 0);

    begin(NULL); // its first half is in the page before
    v->page->regs.x[3] = DEVICE_VA - 8;
    trap_undescribed(0xa8c10861, 0, 0);
    expect_exception(EC_DATA_ABORT, PC);
    assert_int_equal(device.count, 0);
}

static void an_instruction_that_changed_runs_again(void **state)
{
    (void)state;
    v->page->regs.x[5] = DEVICE_VA + 0x20;
    trap_undescribed(0xb84044a3, ESR_ABORT_WNR, 0x20); // a load now; it was a store
    assert_int_equal(v->page->regs.pc, PC);
    trap_undescribed(0xb84044a3, 0, 0x24); // another address
    assert_int_equal(v->page->regs.pc, PC);
    assert_int_equal(device.count, 0);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), 0);
}

static bool translate_nothing(struct port *p, uint64_t va, bool el0, uint64_t *ipa)
{
    (void)p;
    (void)va;
    (void)el0;
    (void)ipa;
    return false;
}

static void code_that_went_away_is_the_guest_s_own_affair(void **state)
{
    (void)state;
    world.port.translate = translate_nothing;
    trap(DATA, 0);
    assert_int_equal(v->page->regs.pc, PC);
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1), 0);
    assert_string_equal(world.port.log, "");
}

static void code_outside_ram_and_aarch32_are_refused(void **state)
{
    (void)state;
    v->page->regs.pc = 0x1000;
    trap(DATA, 0);
    expect_exception(EC_DATA_ABORT, 0x1000);

    begin(NULL);
    v->page->regs.pstate = AARCH32;
    trap(DATA, 0);
    assert_int_equal(v->page->regs.pc, 0x600);
}

// ---- The rest ---------------------------------------------------------------------------------------------------

static void calls_leave_pc_behind_them(void **state)
{
    (void)state;
    v->page->regs.pc = PC + 4; // as the kernel leaves it for HVC
    trap(EC(EC_HVC64) | ESR_IL, 0);
    expect_done();
    v->page->regs.pc = PC;
    trap(EC(EC_SMC64) | ESR_IL, 0);
    expect_done();
    assert_int_equal(door.calls, 2);
}

static void system_registers_go_to_their_door(void **state)
{
    (void)state;
    trap(EC(EC_SYSREG) | ESR_IL | 0x30001f, 0);
    assert_int_equal(door.iss, 0x30001f);
    expect_done();
    door.answer = UNHANDLED;
    v->page->regs.pc = PC;
    trap(EC(EC_SYSREG) | ESR_IL | 0x30001f, 0);
    expect_exception(EC_UNKNOWN, PC);
}

static void wfi_is_over(void **state)
{
    (void)state;
    trap(EC(EC_WFX) | ESR_IL, 0);
    expect_done();
}

static void everything_unknown_is_undefined(void **state)
{
    (void)state;
    for (unsigned ec = 0; ec < 64; ec++) {
        if (ec == EC_WFX || ec == EC_HVC64 || ec == EC_SMC64 || ec == EC_SYSREG ||
            ec == EC_DATA_ABORT_LOWER || ec == EC_INSTRUCTION_ABORT_LOWER) {
            continue;
        }
        begin(NULL);
        trap(EC(ec) | ESR_IL, 0);
        expect_exception(EC_UNKNOWN, PC);
        assert_int_equal(v->exits[ec], 1);
    }
    assert_int_equal(door.calls, 0);
}

static void coprocessors_of_aarch32_are_undefined(void **state)
{
    (void)state;
    v->page->regs.pstate = AARCH32;
    trap(EC(EC_CP15_32) | ESR_IL, 0);
    assert_int_equal(v->page->regs.pc, 0x600);
    assert_int_equal(*world_register(0, VCPU_REG_SPSR_EL1), AARCH32);
}

static void code_where_nothing_is_aborts(void **state)
{
    (void)state;
    v->page->regs.pc = 0x1000;
    trap(EC(EC_INSTRUCTION_ABORT_LOWER) | ESR_IL | FSC_TRANSLATION | 2, 0x2000);
    expect_exception(EC_INSTRUCTION_ABORT, 0x1000);
    assert_int_equal(*world_register(0, VCPU_REG_FAR_EL1), DEVICE_VA + 0x2000);
    assert_non_null(strstr(world.port.log, "fetches an instruction from 0x9002000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_load_gets_what_the_device_says, begin),
        cmocka_unit_test_setup(loads_of_every_kind, begin),
        cmocka_unit_test_setup(stores_carry_their_bytes, begin),
        cmocka_unit_test_setup(register_31_is_zero_and_goes_nowhere, begin),
        cmocka_unit_test_setup(another_device_is_found_after_the_last_one, begin),
        cmocka_unit_test_setup(what_a_device_refuses_is_an_external_abort, begin),
        cmocka_unit_test_setup(accesses_are_counted_for_each_device_and_vcpu, begin),
        cmocka_unit_test_setup(what_nobody_answers_is_told, begin),
        cmocka_unit_test_setup(a_step_or_a_branch_target_ends_with_the_instruction, begin),
        cmocka_unit_test_setup(an_it_block_moves_on, begin),
        cmocka_unit_test_setup(cache_maintenance_is_nothing, begin),
        cmocka_unit_test_setup(a_table_walk_into_nothing_is_told, begin),
        cmocka_unit_test_setup(other_faults_go_to_the_guest, begin),
        cmocka_unit_test_setup(a_post_indexed_load_moves_its_base, begin),
        cmocka_unit_test_setup(a_pair_is_two_accesses, begin),
        cmocka_unit_test_setup(the_stack_pointer_is_that_of_the_mode, begin),
        cmocka_unit_test_setup(a_refused_pair_changes_no_register, begin),
        cmocka_unit_test_setup(what_cannot_be_emulated_is_told, begin),
        cmocka_unit_test_setup(an_access_over_a_page_s_end_is_refused, begin),
        cmocka_unit_test_setup(an_instruction_that_changed_runs_again, begin),
        cmocka_unit_test_setup(code_that_went_away_is_the_guest_s_own_affair, begin),
        cmocka_unit_test_setup(code_outside_ram_and_aarch32_are_refused, begin),
        cmocka_unit_test_setup(calls_leave_pc_behind_them, begin),
        cmocka_unit_test_setup(system_registers_go_to_their_door, begin),
        cmocka_unit_test_setup(wfi_is_over, begin),
        cmocka_unit_test_setup(everything_unknown_is_undefined, begin),
        cmocka_unit_test_setup(coprocessors_of_aarch32_are_undefined, begin),
        cmocka_unit_test_setup(code_where_nothing_is_aborts, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

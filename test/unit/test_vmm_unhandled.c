// What is told of accesses that nobody handles: once for each address, with what a device tree would have had there.
// sources: vmm/unhandled.c vmm/board.c vmm/fdt_address.c vmm/inject.c vmm/log.c vmm/port/sim.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libfdt.h>

#include <vmm/board.h>

#include "vmm_guest.h"

#define PC 0x40001000u

static struct vcpu *v;
static uint8_t tree[4096];

static int begin(void **state)
{
    (void)state;
    world_make(2);
    v = &world.vm.vcpu[0];
    v->page->regs.pc = PC;
    world.vm.bus.count = 1;
    world.vm.bus.ranges[0] = (struct bus_range){.where = {0x09010000, 0x1000}, .name = "pl031"};
    sim_trap(&world.port, 0, (uint64_t)EC_DATA_ABORT_LOWER << 26 | FSC_TRANSLATION, 0x1234, 0);
    return 0;
}

// The VM is given what dtc makes of a source.
static void give(const char *source)
{
    char command[4096];
    snprintf(command, sizeof(command), "echo '%s' | dtc -I dts -O dtb 2>/dev/null", source);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t size = fread(tree, 1, sizeof(tree), pipe);
    assert_int_equal(pclose(pipe), 0);
    assert_in_range(size, sizeof(struct fdt_header), sizeof(tree) - 1);
    world.config.dtb = (struct vm_image){(uintptr_t)tree, size};
}

static unsigned lines_with(const char *text)
{
    unsigned count = 0;
    for (const char *at = world.port.log; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

// Of an address that was not touched yet.
static void expect_told(uint64_t ipa, const char *line)
{
    sim_forget_log(&world.port);
    unhandled_access(v, UNHANDLED_READ, ipa, 4);
    char whole[200];
    snprintf(whole, sizeof(whole), "guest:   %s\n", line);
    if (lines_with(whole) != 1) {
        fail_msg("0x%lx: %s", (unsigned long)ipa, world.port.log);
    }
}

static void an_address_is_told_of_once(void **state)
{
    (void)state;
    unhandled_access(v, UNHANDLED_READ, 0x0a000004, 4);
    assert_string_equal(
        world.port.log,
        "guest: vcpu 0 reads 4 bytes at 0xa000004, where it has no memory and no device answers "
        "(pc "
        "0x40001000).\n"
        "guest:   A device tree of QEMU's virt board would have there: virtio-mmio slots "
        "0xa000000-0xa003fff.\n"
        "guest:   The machine has pl031 0x9010000-0x9010fff at or below it, and RAM "
        "0x40000000-0x40003fff above it.\n"
        "guest:   The guest gets an external abort. Three ways to mend it:\n"
        "guest:   - give the device or memory region to the VM: a <map> in the system "
        "description;\n"
        "guest:   - add an emulated device for this address to the VM's monitor;\n"
        "guest:   - remove the node that names this address from the guest's device tree.\n");
    assert_int_equal(*world_register(0, VCPU_REG_ESR_EL1) & ESR_FSC_MASK, FSC_EXTERNAL);

    sim_forget_log(&world.port);
    unhandled_access(v, UNHANDLED_WRITE, 0x0a000004, 8);
    assert_string_equal(world.port.log, "");
    unhandled_access(v, UNHANDLED_WRITE, 0x0a000ff8, 8); // another address of that page
    assert_int_equal(lines_with("writes 8 bytes at 0xa000ff8,"), 1);
}

static void a_guest_that_probes_is_not_told_of_for_ever(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * UNHANDLED_ADDRESSES; i++) {
        sim_forget_log(&world.port);
        unhandled_access(v, UNHANDLED_READ, 0x10000000u + i * 4, 4);
        assert_int_equal(lines_with("reads"), i < UNHANDLED_ADDRESSES);
        assert_int_equal(lines_with("more are not told"), i == UNHANDLED_ADDRESSES);
    }
    sim_forget_log(&world.port);
    unhandled_access(v, UNHANDLED_READ, 0x10000000u, 4); // one that is remembered
    assert_string_equal(world.port.log, "");
    unhandled_summary(&world.vm);
    assert_string_equal(world.port.log,
                        "guest: 97 accesses where nothing is, to more than 32 addresses\n");
}

static void what_was_told_in_full_is_not_summed_up(void **state)
{
    (void)state;
    unhandled_access(v, UNHANDLED_READ, 0x10000000u, 4);
    sim_forget_log(&world.port);
    unhandled_summary(&world.vm);
    assert_string_equal(world.port.log, "");
    unhandled_access(v, UNHANDLED_READ, 0x10000000u, 4);
    unhandled_summary(&world.vm);
    assert_string_equal(world.port.log, "guest: 2 accesses where nothing is, to 1 addresses\n");
}

// ---- What a device tree would have had there ------------------------------------------------------------------------

static void the_board_s_places_are_known(void **state)
{
    (void)state;
    expect_told(0x07ffffff,
                "A device tree of QEMU's virt board would have there: flash 0x0-0x7ffffff.");
    expect_told(0x09020010,
                "A device tree of QEMU's virt board would have there: fw_cfg 0x9020000-0x9020017.");
    expect_told(0x0906fffc,
                "A device tree of QEMU's virt board would have there: SMMUv3 0x9050000-0x906ffff.");
    expect_told(
        0x41000000,
        "A device tree of QEMU's virt board would have there: memory 0x40000000-0x3fffffffff.");
    expect_told(0x09020018, "A device tree of QEMU's virt board would have there: nothing.");
    expect_told(UINT64_MAX, "A device tree of QEMU's virt board would have there: nothing.");
}

static void the_board_s_places_are_apart(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0, 0x8000000, 0xa000000, 0x10000000, 0x3f000000, 0x8000000000};
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        struct place here = board_at(edges[i]);
        assert_non_null(here.name);
        assert_int_equal(here.where.base, edges[i]);
        assert_string_equal(board_at(edges[i] + here.where.size - 1).name, here.name);
    }
}

static void a_node_of_a_given_tree_is_named(void **state)
{
    (void)state;
    give("/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;"
         "memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x40000000>; };"
         "gpio@9030000 { compatible = \"arm,pl061\", \"arm,primecell\"; status = \"disabled\";"
         " reg = <0 0x9030000 0 0x1000>; };"
         "cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { reg = <0>; }; };"
         "hidden { #address-cells = <1>; #size-cells = <1>; at@1000 { reg = <0x1000 0x1000>; }; };"
         "bus@f0000000 { #address-cells = <1>; #size-cells = <1>; reg = <0 0xf0000000 0 0x100000>;"
         " ranges = <0 0 0xf0000000 0x10000>; uart@3000 { compatible = \"x,uart\";"
         " reg = <0x3000 0x100 0x5000 0x100>; }; far@20000 { reg = <0x20000 0x10>; }; }; };");
    expect_told(0x09030ffc, "The given device tree has /gpio@9030000 (arm,pl061) there.");
    expect_told(0x7ffffffc, "The given device tree has /memory@40000000 (no compatible) there.");
    // Inside a bus, at its address for the processors; what the bus does not map is not reached.
    expect_told(0xf00050fc, "The given device tree has /bus@f0000000/uart@3000 (x,uart) there.");
    expect_told(0xf0020000, "The given device tree has /bus@f0000000 (no compatible) there.");
    // What it does not have, the board may.
    expect_told(0x1000,
                "A device tree of QEMU's virt board would have there: flash 0x0-0x7ffffff.");
    expect_told(0xf0100000, "A device tree of QEMU's virt board would have there: memory "
                            "0x40000000-0x3fffffffff.");
    expect_told(0x09031000, "A device tree of QEMU's virt board would have there: nothing.");
}

static void a_long_path_is_its_end(void **state)
{
    (void)state;
    give("/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;"
         "a-bus-with-a-name-that-takes-all-the-room-that-there-is { ranges; #address-cells = <1>;"
         " #size-cells = <1>; another-bus-whose-name-is-as-long-as-the-first-one-s { ranges;"
         " #address-cells = <1>; #size-cells = <1>; end@1000 { reg = <0x1000 0x1000>; }; }; }; };");
    expect_told(0x1000, "The given device tree has end@1000 (no compatible) there.");
}

static void no_line_is_longer_than_a_log_line(void **state)
{
    (void)state;
    memset(world.config.name, 'n', PROCESS_NAME_MAX - 1);
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
        cmocka_unit_test_setup(an_address_is_told_of_once, begin),
        cmocka_unit_test_setup(a_guest_that_probes_is_not_told_of_for_ever, begin),
        cmocka_unit_test_setup(what_was_told_in_full_is_not_summed_up, begin),
        cmocka_unit_test_setup(the_board_s_places_are_known, begin),
        cmocka_unit_test(the_board_s_places_are_apart),
        cmocka_unit_test_setup(a_node_of_a_given_tree_is_named, begin),
        cmocka_unit_test_setup(a_long_path_is_its_end, begin),
        cmocka_unit_test_setup(no_line_is_longer_than_a_log_line, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

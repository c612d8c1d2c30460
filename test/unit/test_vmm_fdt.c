// The guest's device tree, read back with libfdt and looked at by dtc: the generated one, and given ones after merging.
// sources: vmm/fdt.c vmm/fdt_address.c vmm/fdt_write.c vmm/fdt_check.c vmm/fdt_merge.c vmm/dev/pl011.c vmm/dev/pl031.c
// sources: vmm/log.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <libfdt.h>

#include <vmm/fdt.h>
#include <vmm/fdt_write.h>

#include "vmm_world.h"

#define RAM      0x40000000u
#define RAM_SIZE 0x8000000u

static void *tree;
static void *given;

static size_t sink_write(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    return size;
}

static int begin(void **state)
{
    (void)state;
    static const struct char_sink to = {.write = sink_write};
    world_reset();
    world.config.ram_ipa = RAM;
    world.config.ram_size = RAM_SIZE;
    strcpy(world.config.cmdline, "console=ttyAMA0");
    return pl011_create(&world.vm, &world.vm.console, VM_PL011, VM_PL011_INTID, &to) == OK &&
                   pl031_create(&world.vm, &world.vm.rtc, VM_PL031, VM_PL031_INTID, 0) == OK
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    free(tree);
    free(given);
    tree = NULL;
    given = NULL;
    return 0;
}

// ---- dtc --------------------------------------------------------------------------------------------------------

// Runs dtc on a file; its output comes to `out`, what it complains about too.
static size_t dtc(const char *options, const void *input, size_t size, char *out, size_t room)
{
    char name[] = "/tmp/test_vmm_fdt.XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, input, size), (ssize_t)size);
    close(fd);
    char command[256];
    snprintf(command, sizeof(command), "dtc %s %s", options, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t got = fread(out, 1, room, pipe);
    assert_int_equal(pclose(pipe), 0);
    unlink(name);
    return got;
}

static void expect_dtc_is_content(void)
{
    static char out[65536];
    size_t got =
        dtc("-I dtb -O dts -o /dev/null 2>&1", tree, fdt_totalsize(tree), out, sizeof(out) - 1);
    out[got] = '\0';
    assert_string_equal(out, "");
}

static void give(const char *source)
{
    static char out[65536];
    size_t got = dtc("-I dts -O dtb 2>/dev/null", source, strlen(source), out, sizeof(out));
    given = malloc(got);
    assert_non_null(given);
    memcpy(given, out, got);
    world.config.dtb = (struct vm_image){(uintptr_t)given, got};
}

// ---- Reading ----------------------------------------------------------------------------------------------------

static err_t make(struct range initrd)
{
    size_t room = fdt_room(&world.vm);
    free(tree);
    tree = calloc(1, room);
    assert_non_null(tree);
    return fdt_make(&world.vm, tree, &initrd);
}

static void make_well(void)
{
    assert_int_equal(make((struct range){0, 0}), OK);
    assert_string_equal(world.log, "");
    assert_int_equal(fdt_check_full(tree, fdt_totalsize(tree)), 0);
}

static int node_at(const char *path)
{
    int node = fdt_path_offset(tree, path);
    if (node < 0) {
        fail_msg("%s is not there", path);
    }
    return node;
}

static void expect_text(const char *path, const char *property, const char *text)
{
    assert_int_equal(fdt_stringlist_search(tree, node_at(path), property, text), 0);
}

static void expect_cells(const char *path, const char *property, const uint32_t *cells, int count)
{
    int length;
    const fdt32_t *found = fdt_getprop(tree, node_at(path), property, &length);
    assert_non_null(found);
    assert_int_equal(length, count * 4);
    for (int i = 0; i < count; i++) {
        assert_int_equal(fdt32_to_cpu(found[i]), cells[i]);
    }
}
#define EXPECT_CELLS(path, property, ...)                                                          \
    expect_cells(path, property, (const uint32_t[]){__VA_ARGS__},                                  \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void expect_nothing(const char *path)
{
    assert_int_equal(fdt_path_offset(tree, path), -FDT_ERR_NOTFOUND);
}

static void expect_no_property(const char *path, const char *property)
{
    assert_null(fdt_getprop(tree, node_at(path), property, NULL));
}

static void expect_disabled(const char *path)
{
    expect_text(path, "status", "disabled");
}

static uint32_t cell(const char *path, const char *property)
{
    int length;
    const fdt32_t *found = fdt_getprop(tree, node_at(path), property, &length);
    assert_non_null(found);
    assert_int_equal(length, 4);
    return fdt32_to_cpu(*found);
}

// ---- Generated --------------------------------------------------------------------------------------------------

static void a_generated_tree_has_what_guests_look_for(void **state)
{
    (void)state;
    world.vm.vcpus = 2;
    make_well();
    EXPECT_CELLS("/memory@40000000", "reg", 0, RAM, 0, RAM_SIZE);
    expect_text("/memory@40000000", "device_type", "memory");
    expect_text("/chosen", "bootargs", "console=ttyAMA0");
    expect_text("/chosen", "stdout-path", "/pl011@9000000");
    expect_no_property("/chosen", "linux,initrd-start");
    expect_text("/psci", "compatible", "arm,psci-1.0");
    expect_text("/psci", "method", "hvc");
    EXPECT_CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
    expect_text("/timer", "compatible", "arm,armv8-timer");
    EXPECT_CELLS("/cpus/cpu@1", "reg", 1);
    expect_text("/cpus/cpu@1", "compatible", "arm,cortex-a53");
    expect_text("/cpus/cpu@1", "enable-method", "psci");
    expect_nothing("/cpus/cpu@2");
    EXPECT_CELLS("/pl011@9000000", "interrupts", 0, 1, 4);
    EXPECT_CELLS("/pl011@9000000", "reg", 0, 0x9000000, 0, 0x1000);
    EXPECT_CELLS("/pl031@9010000", "interrupts", 0, 2, 4);
    assert_int_equal(fdt_first_subnode(tree, node_at("/cpus")), node_at("/cpus/cpu@0"));
    expect_dtc_is_content();
}

static void version_3_has_a_redistributor_for_each_core(void **state)
{
    (void)state;
    world.vm.vcpus = 4;
    make_well();
    expect_text("/intc@8000000", "compatible", "arm,gic-v3");
    EXPECT_CELLS("/intc@8000000", "reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0x80000);
    EXPECT_CELLS("/intc@8000000", "#interrupt-cells", 3);
    assert_int_equal(cell("/", "interrupt-parent"), cell("/intc@8000000", "phandle"));
    expect_dtc_is_content();
}

static void version_2_names_the_cores_of_a_timer(void **state)
{
    (void)state;
    world.vm.vcpus = 3;
    world.config.gic_version = 2;
    make_well();
    expect_text("/intc@8000000", "compatible", "arm,cortex-a15-gic");
    EXPECT_CELLS("/intc@8000000", "reg", 0, 0x8000000, 0, 0x10000, 0, 0x8010000, 0, 0x2000);
    EXPECT_CELLS("/timer", "interrupts", 1, 13, 0x704, 1, 14, 0x704, 1, 11, 0x704, 1, 10, 0x704);
    expect_dtc_is_content();
}

static void an_initrd_is_told(void **state)
{
    (void)state;
    world.config.cmdline[0] = '\0';
    assert_int_equal(make((struct range){0x44000000, 0x123}), OK);
    EXPECT_CELLS("/chosen", "linux,initrd-start", 0, 0x44000000);
    EXPECT_CELLS("/chosen", "linux,initrd-end", 0, 0x44000123);
    expect_no_property("/chosen", "bootargs");
    expect_dtc_is_content();
}

static void the_biggest_vm_fits(void **state)
{
    (void)state;
    world.vm.vcpus = VCPU_MAX;
    world.config.ram_size = 64ull << 30;
    memset(world.config.cmdline, 'x', VM_CMDLINE_MAX - 1);
    make_well();
    EXPECT_CELLS("/memory@40000000", "reg", 0, RAM, 16, 0);
    expect_dtc_is_content();
}

static void describe_a_counter(const struct vm *vm, struct fdt_writer *w)
{
    assert_ptr_equal(vm, &world.vm);
    fdt_write_begin_at(w, "counter", 0xb000000);
    fdt_write_reg(w, &(struct range){0xb000000, 0x1000}, 1);
    fdt_write_end(w);
}

static void a_program_adds_nodes_of_its_own(void **state)
{
    (void)state;
    static const struct vm_extension extension = {NULL, describe_a_counter};
    world.vm.extension = &extension;
    make_well();
    EXPECT_CELLS("/counter@b000000", "reg", 0, 0xb000000, 0, 0x1000);
    expect_text("/pl031@9010000", "compatible", "arm,pl031");
    expect_dtc_is_content();
}

// ---- Given ------------------------------------------------------------------------------------------------------

// A board: other memory, other cores, devices on a bus that shifts addresses.
static const char board[] =
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <1>; model = \"board\"; compatible = "
    "\"a,b\";\n"
    "interrupt-parent = <&gic>;\n"
    "aliases { serial0 = &uart; mem = &ram_on_chip; };\n"
    "chosen { bootargs = \"old\"; stdout-path = \"serial0:115200n8\"; linux,initrd-start = <1>; "
    "};\n"
    "memory@0 { device_type = \"memory\"; reg = <0 0 0x1000000>; };\n"
    "memory@90000000 { device_type = \"memory\"; reg = <0 0x90000000 0x1000000>; };\n"
    "cpus { #address-cells = <1>; #size-cells = <0>;\n"
    " cpu@0 { device_type = \"cpu\"; reg = <0>; enable-method = \"spin-table\"; };\n"
    " cpu@100 { device_type = \"cpu\"; reg = <0x100>; }; };\n"
    "pmu { compatible = \"arm,armv8-pmuv3\"; interrupts = <1 7 4>; };\n"
    "psci { compatible = \"arm,psci-0.2\"; method = \"smc\"; };\n"
    "timer { compatible = \"arm,armv8-timer\"; interrupts = <1 1 1>; };\n"
    "reserved-memory { #address-cells = <2>; #size-cells = <1>; ranges;\n"
    " pool@41000000 { reg = <0 0x41000000 0x1000>; no-map; };\n"
    " far@1000 { reg = <0 0x1000 0x1000>; }; };\n"
    "leds { compatible = \"gpio-leds\"; };\n"
    "soc@0 { compatible = \"simple-bus\"; #address-cells = <1>; #size-cells = <1>;\n"
    " ranges = <0x0 0x0 0xf0000000 0x1000000>, <0x2000000 0x0 0x42000000 0x1000000>,\n"
    "          <0x9000000 0x0 0x9000000 0x1000>;\n"
    " gic: interrupt-controller@1000 { compatible = \"arm,gic-400\"; reg = <0x1000 0x1000 0x2000 "
    "0x1000>;\n"
    "  interrupt-controller; #interrupt-cells = <3>; #address-cells = <0>; };\n"
    " uart: serial@3000 { compatible = \"x,uart\"; reg = <0x3000 0x100>; status = \"okay\"; };\n"
    " ram_on_chip: sram@2000000 { compatible = \"mmio-sram\"; reg = <0x2000000 0x1000>; };\n"
    " beyond@8000000 { compatible = \"x,y\"; reg = <0x8000000 0x1000>; };\n"
    " twin@9000000 { compatible = \"arm,pl011\"; reg = <0x9000000 0x1000>; };\n"
    " i2c@4000 { compatible = \"x,i2c\"; reg = <0x4000 0x100>; #address-cells = <1>; #size-cells = "
    "<0>;\n"
    "  sensor@50 { compatible = \"x,sensor\"; reg = <0x50>; }; };\n"
    " }; };\n";

static void a_given_tree_gets_what_the_vm_has(void **state)
{
    (void)state;
    world.vm.vcpus = 2;
    give(board);
    make_well();
    expect_text("/", "model", "board");
    EXPECT_CELLS("/", "#size-cells", 1);
    expect_nothing("/memory@0");
    expect_nothing("/memory@90000000");
    EXPECT_CELLS("/memory@40000000", "reg", 0, RAM, RAM_SIZE);
    expect_text("/cpus/cpu@0", "enable-method", "psci");
    expect_nothing("/cpus/cpu@100");
    assert_int_equal(fdt_first_subnode(tree, node_at("/cpus")), node_at("/cpus/cpu@0"));
    EXPECT_CELLS("/cpus/cpu@1", "reg", 1);
    expect_text("/psci", "method", "hvc");
    EXPECT_CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
    expect_text("/chosen", "bootargs", "console=ttyAMA0");
    expect_no_property("/chosen", "linux,initrd-start");
    expect_dtc_is_content();
}

static void a_given_tree_loses_what_the_vm_lacks(void **state)
{
    (void)state;
    give(board);
    make_well();
    expect_disabled("/pmu");
    expect_disabled("/soc/serial@3000");
    expect_disabled("/soc/beyond@8000000");
    expect_disabled("/soc/i2c@4000");
    expect_no_property("/soc/i2c@4000/sensor@50", "status");
    expect_disabled("/reserved-memory/far@1000");
    expect_no_property("/reserved-memory/pool@41000000", "status");
    expect_no_property("/soc/sram@2000000", "status");
    expect_no_property("/leds", "status");
    expect_nothing("/soc/twin@9000000");
    EXPECT_CELLS("/pl011@9000000", "reg", 0, 0x9000000, 0x1000);
}

// Numbers of cells that no address has: their sum wraps, or is zero.
static void addresses_that_nobody_can_count_reach_nothing(void **state)
{
    (void)state;
    give("/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;\n"
         "many { #address-cells = <0xffffffff>; #size-cells = <1>; ranges;\n"
         " bus { #address-cells = <1>; #size-cells = <1>; ranges = <0>;\n"
         "  device@0 { reg = <0 0x10>; }; }; };\n"
         "none { #address-cells = <0>; #size-cells = <0>; ranges;\n"
         " same { #address-cells = <0>; #size-cells = <0>; ranges = <0>;\n"
         "  bus { #address-cells = <1>; #size-cells = <1>; ranges;\n"
         "   device@0 { reg = <0 0x10>; }; }; }; }; };\n");
    make_well();
    expect_disabled("/many/bus/device@0");
    expect_disabled("/none/same/bus/device@0");
}

static void the_console_is_one_that_works(void **state)
{
    (void)state;
    give(board);
    make_well();
    expect_text("/chosen", "stdout-path", "/pl011@9000000");
    expect_text("/aliases", "mem", "/soc@0/sram@2000000");
    expect_text("/aliases", "serial0", "/pl011@9000000");
}

static void references_to_the_interrupt_controller_hold(void **state)
{
    (void)state;
    give(board);
    uint32_t phandle =
        fdt_get_phandle(given, fdt_path_offset(given, "/soc/interrupt-controller@1000"));
    make_well();
    expect_nothing("/soc/interrupt-controller@1000");
    assert_int_equal(cell("/intc@8000000", "phandle"), phandle);
    assert_int_equal(cell("/", "interrupt-parent"), phandle);
    assert_int_equal(cell("/pl011@9000000", "interrupt-parent"), phandle);
    assert_int_not_equal(cell("/apb-pclk", "phandle"), phandle);
}

static void a_given_console_that_works_stays(void **state)
{
    (void)state;
    give("/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;\n"
         "aliases { serial0 = \"/uart@41000000\"; };\n"
         "chosen { stdout-path = \"serial0:9600\"; bootargs = \"mine\"; };\n"
         "uart@41000000 { compatible = \"x,y\"; reg = <0 0x41000000 0 0x1000>; }; };\n");
    world.config.cmdline[0] = '\0';
    make_well();
    expect_text("/chosen", "stdout-path", "serial0:9600");
    expect_text("/chosen", "bootargs", "mine");
    expect_text("/aliases", "serial0", "/uart@41000000");
    expect_dtc_is_content();
}

static void aliases_that_lead_nowhere_go(void **state)
{
    (void)state;
    give(
        "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;\n"
        "aliases { a = \"a\"; b = \"c\"; c = \"b\"; d = \"/gone\"; e; f = [2f]; g = \"/here\"; };\n"
        "chosen { stdout-path = \"a\"; }; here { }; };\n");
    make_well();
    for (const char *name = "abcdef"; *name != '\0'; name++) {
        assert_null(fdt_getprop_namelen(tree, node_at("/aliases"), name, 1, NULL));
    }
    expect_text("/aliases", "g", "/here");
    expect_text("/chosen", "stdout-path", "/pl011@9000000");
}

// As dumped from QEMU's virt board: the same paths as ours, and what we don't have.
static void a_tree_of_the_same_board(void **state)
{
    (void)state;
    give(
        "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <0x8002>;\n"
        "compatible = \"linux,dummy-virt\";\n"
        "apb-pclk { phandle = <0x8000>; compatible = \"fixed-clock\"; #clock-cells = <0>;\n"
        " clock-frequency = <24000000>; };\n"
        "other { compatible = \"x,y\"; clocks = <0x8000>; };\n"
        "flash@0 { compatible = \"cfi-flash\"; reg = <0 0 0 0x4000000>; };\n"
        "pl011@9000000 { compatible = \"arm,pl011\", \"arm,primecell\"; clocks = <0x8000 0x8000>;\n"
        " reg = <0 0x9000000 0 0x1000>; interrupts = <0 1 4>; };\n"
        "virtio_mmio@a000000 { compatible = \"virtio,mmio\"; reg = <0 0xa000000 0 0x200>; };\n"
        "intc@8000000 { phandle = <0x8002>; compatible = \"arm,cortex-a15-gic\"; "
        "interrupt-controller;\n"
        " #interrupt-cells = <3>; #address-cells = <2>; #size-cells = <2>; ranges;\n"
        " reg = <0 0x8000000 0 0x10000 0 0x8010000 0 0x10000>;\n"
        " v2m@8020000 { compatible = \"arm,gic-v2m-frame\"; reg = <0 0x8020000 0 0x1000>; }; };\n"
        "chosen { stdout-path = \"/pl011@9000000\"; }; };\n");
    make_well();
    expect_text("/intc@8000000", "compatible", "arm,gic-v3");
    expect_nothing("/intc@8000000/v2m@8020000");
    assert_int_equal(cell("/intc@8000000", "phandle"), 0x8002);
    assert_int_equal(cell("/apb-pclk", "phandle"), 0x8000);
    expect_disabled("/flash@0");
    expect_disabled("/virtio_mmio@a000000");
    expect_text("/chosen", "stdout-path", "/pl011@9000000");
    expect_dtc_is_content();
}

static void expect_refused(const char *why)
{
    world.log[0] = '\0';
    assert_int_equal(make((struct range){0, 0}), ERR_INVALID);
    if (strstr(world.log, why) == NULL) {
        fail_msg("%s", world.log);
    }
}

static void trees_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    static char nonsense[100] = "this is no device tree, but it is long enough for its header";
    world.config.dtb = (struct vm_image){(uintptr_t)nonsense, sizeof(nonsense)};
    expect_refused("(100 bytes) cannot be used: it is damaged");
    world.config.dtb.size = 10;
    expect_refused("damaged");

    give(board);
    world.config.dtb.size -= 1;
    expect_refused("damaged");
    free(given);

    give("/dts-v1/; / { #address-cells = <3>; #size-cells = <1>; };");
    expect_refused("#address-cells and #size-cells");
    free(given);

    give("/dts-v1/; / { gic { compatible = \"arm,gic-v3\"; #interrupt-cells = <4>; }; };");
    expect_refused("#interrupt-cells");
    free(given);

    give("/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; };");
    world.config.ram_ipa = 0x100000000;
    expect_refused("two cells");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_generated_tree_has_what_guests_look_for),
        TEST(version_3_has_a_redistributor_for_each_core),
        TEST(version_2_names_the_cores_of_a_timer),
        TEST(an_initrd_is_told),
        TEST(the_biggest_vm_fits),
        TEST(a_program_adds_nodes_of_its_own),
        TEST(a_given_tree_gets_what_the_vm_has),
        TEST(a_given_tree_loses_what_the_vm_lacks),
        TEST(addresses_that_nobody_can_count_reach_nothing),
        TEST(the_console_is_one_that_works),
        TEST(references_to_the_interrupt_controller_hold),
        TEST(a_given_console_that_works_stays),
        TEST(aliases_that_lead_nowhere_go),
        TEST(a_tree_of_the_same_board),
        TEST(trees_that_cannot_be_used_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

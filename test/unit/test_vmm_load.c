// Images get into guest memory: where to, what surrounds them, what is refused and how it is told.
// sources: vmm/load.c vmm/fdt.c vmm/fdt_address.c vmm/fdt_write.c vmm/fdt_check.c vmm/fdt_merge.c vmm/dev/pl011.c vmm/dev/pl031.c vmm/log.c
// sources: base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>

#include <spec/image.h>
#include <vmm/load.h>

#include "vmm_world.h"

#define RAM  0x40000000u
#define MIB  0x100000u
#define PAGE 0x1000u

static uint8_t *ram;
static uint8_t kernel[300000];
static uint8_t initrd[70001];
static uint8_t dtb[4096];

static void fill(uint8_t *bytes, size_t size, uint8_t seed)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
    }
}

static void has_ram(uint64_t size)
{
    free(ram);
    ram = calloc(1, size);
    assert_non_null(ram);
    world.config.ram_ipa = RAM;
    world.config.ram_size = size;
    world.config.ram_vaddr = (uintptr_t)ram;
}

static void header(uint64_t text_offset, uint64_t image_size)
{
    struct image_header h = {
        .text_offset = text_offset, .image_size = image_size, .magic = IMAGE_MAGIC};
    memcpy(kernel, &h, sizeof(h));
}

static int begin(void **state)
{
    (void)state;
    world_reset();
    fill(kernel, sizeof(kernel), 1);
    fill(initrd, sizeof(initrd), 2);
    world.config.kernel = (struct vm_image){(uintptr_t)kernel, sizeof(kernel)};
    header(0, sizeof(kernel));
    has_ram(16 * MIB);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(ram);
    ram = NULL;
    return 0;
}

static void with_initrd(void)
{
    world.config.initrd = (struct vm_image){(uintptr_t)initrd, sizeof(initrd)};
}

static void expect_bytes(uint64_t ipa, const uint8_t *bytes, size_t size)
{
    assert_true(ipa >= RAM && size <= world.config.ram_size);
    assert_true(ipa - RAM <= world.config.ram_size - size);
    assert_memory_equal(ram + (ipa - RAM), bytes, size);
}

static void expect_zeroes(uint64_t from, uint64_t to)
{
    for (uint64_t ipa = from; ipa < to; ipa++) {
        assert_int_equal(ram[ipa - RAM], 0);
    }
}

static const void *tree(void)
{
    return ram + (world.vm.fdt_ipa - world.config.ram_ipa);
}

static uint64_t chosen(const char *property)
{
    const uint8_t *value = fdt_getprop(tree(), fdt_path_offset(tree(), "/chosen"), property, NULL);
    assert_non_null(value);
    return fdt64_ld((const fdt64_t *)(const void *)value);
}

static void load_well(void)
{
    assert_int_equal(load_images(&world.vm), OK);
    assert_string_equal(world.log, "");
    assert_int_equal(world.vm.fdt_ipa % 8, 0);
    assert_int_equal(fdt_check_full(tree(), fdt_totalsize(tree())), 0);
}

static void a_kernel_goes_where_its_header_says(void **state)
{
    (void)state;
    load_well();
    assert_int_equal(world.vm.entry, RAM);
    expect_bytes(RAM, kernel, sizeof(kernel));
    header(0x80000, sizeof(kernel));
    world.vm.started = false;
    has_ram(16 * MIB);
    load_well();
    assert_int_equal(world.vm.entry, RAM + 0x80000);
    assert_int_equal(world.vm.fdt_ipa, RAM); // there is room below
    expect_bytes(RAM + 0x80000, kernel, sizeof(kernel));
}

static void memory_that_begins_between_boundaries(void **state)
{
    (void)state;
    world.config.ram_ipa = RAM + 0x1000;
    load_well();
    assert_int_equal(world.vm.entry, RAM + 0x200000);
    assert_int_equal(world.vm.fdt_ipa, RAM + 0x1000);
}

static void a_raw_program_goes_behind_the_device_tree(void **state)
{
    (void)state;
    fill(kernel, sizeof(kernel), 9);
    load_well();
    assert_int_equal(world.vm.entry, RAM + 0x80000);
    assert_int_equal(world.vm.fdt_ipa, RAM);
    expect_bytes(RAM + 0x80000, kernel, sizeof(kernel));
    world.config.kernel.size = 4; // shorter than a header
    world.vm.started = false;
    has_ram(MIB);
    load_well();
    expect_bytes(RAM + 0x80000, kernel, 4);
    expect_zeroes(RAM + 0x80004, RAM + MIB);
}

static void nothing_is_put_into_a_kernels_zeroed_rest(void **state)
{
    (void)state;
    with_initrd();
    header(0, 5 * MIB + 1);
    load_well();
    expect_zeroes(RAM + sizeof(kernel), RAM + 5 * MIB + PAGE);
    uint64_t start = chosen("linux,initrd-start");
    assert_int_equal(start % PAGE, 0);
    assert_int_equal(chosen("linux,initrd-end"), start + sizeof(initrd));
    assert_true(world.vm.fdt_ipa >= RAM + 5 * MIB + 1);
    assert_true(start >= world.vm.fdt_ipa + fdt_totalsize(tree()));
    expect_bytes(start, initrd, sizeof(initrd));
    expect_zeroes(start + sizeof(initrd), RAM + 16 * MIB);
}

static void a_header_that_says_no_size_leaves_much_room(void **state)
{
    (void)state;
    with_initrd();
    has_ram(32 * MIB);
    header(0x123, 0);
    load_well();
    assert_int_equal(world.vm.entry, RAM + 0x80000);
    assert_true(chosen("linux,initrd-start") >= RAM + 0x80000 + sizeof(kernel) + 16 * MIB);
}

static void a_header_that_says_less_than_there_is_is_not_believed(void **state)
{
    (void)state;
    with_initrd();
    header(0, 1);
    load_well();
    expect_bytes(RAM, kernel, sizeof(kernel));
    expect_bytes(chosen("linux,initrd-start"), initrd, sizeof(initrd));
}

static void a_first_start_publishes_what_it_wrote(void **state)
{
    (void)state;
    with_initrd();
    ram[9 * MIB] = 1; // nothing looks at it
    load_well();
    assert_true(world.published >= sizeof(kernel) + sizeof(initrd) + fdt_totalsize(tree()));
    assert_true(world.published < MIB);
    assert_int_equal(ram[9 * MIB], 1);
    assert_true(world.vm.started);
}

static void later_starts_find_clean_memory(void **state)
{
    (void)state;
    load_well();
    memset(ram, 0xa5, 16 * MIB);
    world.published = 0;
    load_well();
    expect_bytes(RAM, kernel, sizeof(kernel));
    expect_zeroes(world.vm.fdt_ipa + fdt_totalsize(tree()), RAM + 16 * MIB);
    assert_ptr_equal(world.published_first, ram); // zeroes, then what it wrote
    assert_true(world.published >= 16 * MIB + sizeof(kernel) + fdt_totalsize(tree()));
    assert_true(world.published < 17 * MIB);
}

static void a_vmm_that_was_started_again_clears_memory_too(void **state)
{
    (void)state;
    world.config.starts = 1;
    memset(ram, 0xa5, 16 * MIB);
    load_well();
    expect_bytes(RAM, kernel, sizeof(kernel));
    expect_zeroes(world.vm.fdt_ipa + fdt_totalsize(tree()), RAM + 16 * MIB);
}

static void a_given_device_tree_is_merged(void **state)
{
    (void)state;
    fdt_create_empty_tree(dtb, sizeof(dtb));
    fdt_setprop_string(dtb, 0, "model", "given");
    fdt_setprop_u32(dtb, 0, "#address-cells", 2);
    fdt_setprop_u32(dtb, 0, "#size-cells", 2);
    world.config.dtb = (struct vm_image){(uintptr_t)dtb, sizeof(dtb)};
    with_initrd();
    load_well();
    assert_string_equal(fdt_getprop(tree(), 0, "model", NULL), "given");
    assert_true(fdt_path_offset(tree(), "/pl011@0") > 0);
    expect_bytes(chosen("linux,initrd-start"), initrd, sizeof(initrd));
    expect_zeroes(world.vm.fdt_ipa + fdt_totalsize(tree()), chosen("linux,initrd-start"));
}

static void expect_refused(err_t err, const char *why)
{
    world.log[0] = '\0';
    assert_int_equal(load_images(&world.vm), err);
    if (strstr(world.log, why) == NULL) {
        fail_msg("%s", world.log);
    }
}

static void memory_that_is_too_small(void **state)
{
    (void)state;
    header(0, 33 * MIB);
    with_initrd();
    expect_refused(ERR_NO_MEMORY,
                   "test: memory of 16 MiB is too small: kernel 33 MiB, initrd 1 MiB, device tree "
                   "32 KiB; give the VM 34 MiB");
    world.log[0] = '\0';
    has_ram(34 * MIB);
    load_well();
    has_ram(2 * PAGE);
    expect_refused(ERR_NO_MEMORY, "memory of 0 MiB is too small");
}

static void a_place_for_each_byte_but_not_one_less(void **state)
{
    (void)state;
    with_initrd();
    load_well();
    uint64_t end_of_all = chosen("linux,initrd-end") - RAM;
    world.vm.started = false;
    has_ram(end_of_all);
    load_well();
    has_ram(end_of_all - 1);
    expect_refused(ERR_NO_MEMORY, "too small");
}

static void images_that_cannot_be(void **state)
{
    (void)state;
    header(0, UINT64_MAX);
    expect_refused(ERR_INVALID, "damaged");
    header(UINT64_MAX - 0xfff, 0x2000);
    expect_refused(ERR_INVALID, "damaged");
    header(BIT(47), BIT(47));
    expect_refused(ERR_NO_MEMORY, "too small");
    header(0, 0);
    world.config.dtb = (struct vm_image){(uintptr_t)dtb, 3 * MIB};
    expect_refused(ERR_INVALID, "2 MiB at most");
    world.config.dtb.size = 0;
    world.config.kernel.size = 0;
    expect_refused(ERR_INVALID, "no kernel");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_kernel_goes_where_its_header_says),
        TEST(memory_that_begins_between_boundaries),
        TEST(a_raw_program_goes_behind_the_device_tree),
        TEST(nothing_is_put_into_a_kernels_zeroed_rest),
        TEST(a_header_that_says_no_size_leaves_much_room),
        TEST(a_header_that_says_less_than_there_is_is_not_believed),
        TEST(a_first_start_publishes_what_it_wrote),
        TEST(later_starts_find_clean_memory),
        TEST(a_vmm_that_was_started_again_clears_memory_too),
        TEST(a_given_device_tree_is_merged),
        TEST(memory_that_is_too_small),
        TEST(a_place_for_each_byte_but_not_one_less),
        TEST(images_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

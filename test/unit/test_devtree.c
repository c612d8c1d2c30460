// The kernel's reader of device trees: trees that libfdt wrote, and what is left of them after random damage.
// sources: kernel/arch/aarch64/devtree.c
// flags: -Ikernel/arch/aarch64
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "devtree.h"

#define SIZE 8192

static void cells(void *fdt, const char *name, unsigned count, const uint32_t *values)
{
    fdt32_t big[16];
    for (unsigned i = 0; i < count; i++) {
        big[i] = cpu_to_fdt32(values[i]);
    }
    assert_int_equal(fdt_property(fdt, name, big, (int)(count * 4)), 0);
}
#define CELLS(fdt, name, ...)                                                                      \
    cells(fdt, name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

// A machine with a bus that shifts addresses, in the middle of which stands another that does not.
static void *make_tree(void)
{
    void *fdt = calloc(1, DEVTREE_MAX);
    assert_non_null(fdt);
    assert_int_equal(fdt_create(fdt, SIZE), 0);
    assert_int_equal(fdt_add_reservemap_entry(fdt, 0x1000, 0x2000), 0);
    assert_int_equal(fdt_finish_reservemap(fdt), 0);
    fdt_begin_node(fdt, "");
    CELLS(fdt, "#address-cells", 2);
    CELLS(fdt, "#size-cells", 2);
    fdt_begin_node(fdt, "aliases");
    fdt_property_string(fdt, "serial0", "/bus@1000/inner/uart@20");
    fdt_end_node(fdt);
    fdt_begin_node(fdt, "chosen");
    fdt_property_string(fdt, "stdout-path", "serial0:115200n8");
    fdt_end_node(fdt);
    fdt_begin_node(fdt, "memory@40000000");
    fdt_property_string(fdt, "device_type", "memory");
    CELLS(fdt, "reg", 0, 0x40000000, 0, 0x10000000, 1, 0, 0, 0x1000);
    fdt_end_node(fdt);
    fdt_begin_node(fdt, "bus@1000");
    CELLS(fdt, "#address-cells", 1);
    CELLS(fdt, "#size-cells", 1);
    CELLS(fdt, "ranges", 0x1000, 0, 0x90000000, 0x1000);
    fdt_begin_node(fdt, "inner");
    CELLS(fdt, "#address-cells", 1);
    CELLS(fdt, "#size-cells", 1);
    fdt_property(fdt, "ranges", NULL, 0);
    fdt_begin_node(fdt, "uart@1020");
    fdt_property(fdt, "compatible", "vendor,special\0arm,pl011", 25);
    CELLS(fdt, "reg", 0x1020, 0x10, 0x5000, 0x10);
    CELLS(fdt, "interrupts", 0, 5, 4, 1, 11, 8, 0, 2000, 4);
    fdt_end_node(fdt);
    fdt_begin_node(fdt, "uart@20");
    fdt_property_string(fdt, "compatible", "arm,pl011");
    fdt_property_string(fdt, "status", "disabled");
    fdt_end_node(fdt);
    fdt_end_node(fdt);
    fdt_end_node(fdt);
    fdt_end_node(fdt);
    assert_int_equal(fdt_finish(fdt), 0);
    return fdt;
}

static int path(const void *fdt, const char *text)
{
    return devtree_path(fdt, text, (uint32_t)strlen(text));
}

static void finds_nodes(void **state)
{
    (void)state;
    void *fdt = make_tree();
    assert_true(devtree_valid(fdt));
    assert_true(path(fdt, "/bus@1000/inner/uart@1020") > 0);
    assert_int_equal(path(fdt, "/bus/inner/uart"), path(fdt, "/bus@1000/inner/uart@1020"));
    assert_int_equal(path(fdt, "serial0"), path(fdt, "/bus@1000/inner/uart@20"));
    assert_int_equal(path(fdt, "/bus@1000/inner/uart@2"), -1);
    assert_int_equal(path(fdt, "/inner"), -1);
    assert_int_equal(path(fdt, "serial1"), -1);
    assert_int_equal(path(fdt, ""), -1);
    assert_int_equal(devtree_find(fdt, -1, "arm,pl011"), path(fdt, "/bus/inner/uart@1020"));
    // Disabled.
    assert_int_equal(devtree_find(fdt, path(fdt, "/bus/inner/uart@1020"), "arm,pl011"), -1);
    assert_int_equal(devtree_find(fdt, -1, "arm,pl01"), -1);
    int root = devtree_next(fdt, -1, NULL);
    int children = 0;
    for (int n = devtree_child(fdt, root, -1); n >= 0; n = devtree_child(fdt, root, n)) {
        children++;
    }
    assert_int_equal(children, 4);
    free(fdt);
}

static void translates_addresses(void **state)
{
    (void)state;
    void *fdt = make_tree();
    struct range r;
    int uart = path(fdt, "/bus/inner/uart@1020");
    assert_true(devtree_reg(fdt, uart, 0, &r));
    assert_int_equal(r.base, 0x90000020);
    assert_int_equal(r.size, 0x10);
    assert_false(devtree_reg(fdt, uart, 1, &r)); // no range covers it
    assert_false(devtree_reg(fdt, uart, 2, &r));
    assert_true(devtree_reg(fdt, path(fdt, "/memory"), 1, &r));
    assert_true(r.base == 0x100000000);
    assert_false(devtree_reg(fdt, path(fdt, "/memory"), 2, &r));
    assert_false(devtree_reg(fdt, path(fdt, "/chosen"), 0, &r));
    assert_false(devtree_reg(fdt, -1, 0, &r));
    assert_true(devtree_reservation(fdt, 0, &r));
    assert_int_equal(r.base, 0x1000);
    assert_false(devtree_reservation(fdt, 1, &r));
    free(fdt);
}

static void reads_interrupts(void **state)
{
    (void)state;
    void *fdt = make_tree();
    int uart = path(fdt, "/bus/inner/uart@1020");
    uint32_t intid;
    assert_true(devtree_interrupt(fdt, uart, 0, &intid));
    assert_int_equal(intid, 37);
    assert_true(devtree_interrupt(fdt, uart, 1, &intid));
    assert_int_equal(intid, 27);
    assert_false(devtree_interrupt(fdt, uart, 2, &intid)); // there is no such line
    assert_false(devtree_interrupt(fdt, uart, 3, &intid));
    free(fdt);
}

static void use_everything(const void *fdt)
{
    struct range r;
    uint32_t value;
    for (int n = devtree_next(fdt, -1, NULL); n >= 0; n = devtree_next(fdt, n, NULL)) {
        (void)devtree_reg(fdt, n, 0, &r);
        (void)devtree_interrupt(fdt, n, 0, &value);
        (void)devtree_string_index(fdt, n, "compatible", "arm,pl011");
        (void)devtree_child(fdt, n, -1);
    }
    const char *out = devtree_string(fdt, path(fdt, "/chosen"), "stdout-path");
    if (out != NULL) {
        (void)path(fdt, out);
    }
    (void)path(fdt, "serial0");
    for (unsigned i = 0; devtree_reservation(fdt, i, &r); i++) {
    }
}

// Bytes and words anywhere, often small numbers: offsets, lengths and tokens are what breaks readers.
static void damage(uint8_t *fdt, uint32_t size)
{
    for (int i = rand() % 4; i >= 0; i--) {
        uint32_t at = (uint32_t)rand() % size;
        switch (rand() % 3) {
        case 0:
            fdt[at] = (uint8_t)rand();
            break;
        case 1:
            memset(fdt + (at & ~3u), 0, 3);
            fdt[at | 3] = (uint8_t)(rand() % 10);
            break;
        default:
            memset(fdt + (at & ~3u), rand() % 2 ? 0xff : 0, 4);
            break;
        }
    }
}

static void survives_damage(void **state)
{
    (void)state;
    uint8_t *good = make_tree();
    uint32_t size = devtree_size(good);
    uint8_t *bad = malloc(DEVTREE_MAX);
    assert_non_null(bad);
    srand(11);
    unsigned accepted = 0;
    memcpy(bad, good, DEVTREE_MAX);
    for (int i = 0; i < 50000; i++) {
        memcpy(bad, good, size);
        damage(bad, size);
        if (devtree_valid(bad)) {
            use_everything(bad);
            accepted++;
        }
    }
    assert_true(accepted > 100); // the test reaches what lies behind the check
    free(bad);
    free(good);
}

static void refuses_what_is_no_tree(void **state)
{
    (void)state;
    uint8_t *fdt = make_tree();
    assert_false(devtree_valid(fdt + 4));
    fdt_set_totalsize(fdt, 39);
    assert_false(devtree_valid(fdt));
    fdt_set_totalsize(fdt, DEVTREE_MAX + 1);
    assert_false(devtree_valid(fdt));
    memset(fdt, 0, SIZE);
    assert_false(devtree_valid(fdt));
    free(fdt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nodes),      cmocka_unit_test(translates_addresses),
        cmocka_unit_test(reads_interrupts), cmocka_unit_test(refuses_what_is_no_tree),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

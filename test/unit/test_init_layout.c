// Layouts of address spaces: overlaps, and page tables against what the kernel's walk would use.
// sources: init/layout.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>
#include <init/layout.h>

static enum layout_answer add(struct layout *l, uint64_t base, uint64_t size, uint64_t physical)
{
    return layout_add(l, (struct range){base, size}, physical);
}

static void finds_overlaps_whatever_the_order(void **state)
{
    (void)state;
    struct layout l = {.count = 0};
    assert_int_equal(add(&l, 0x5000, 0x2000, 0), LAYOUT_OK);
    assert_int_equal(add(&l, 0x1000, 0x1000, 0), LAYOUT_OK);
    assert_int_equal(add(&l, 0x7000, 0x1000, 0), LAYOUT_OK);
    assert_int_equal(add(&l, 0x2000, 0x3000, 0), LAYOUT_OK);
    assert_int_equal(add(&l, 0x6000, 0x1000, 0), LAYOUT_OVERLAPS);
    assert_int_equal(add(&l, 0x0, 0x1001, 0), LAYOUT_OVERLAPS);
    assert_int_equal(add(&l, 0x0, 0x100000, 0), LAYOUT_OVERLAPS);
    assert_int_equal(l.count, 4);
    for (unsigned i = 1; i < l.count; i++) {
        assert_true(l.spans[i - 1].at.base < l.spans[i].at.base);
    }
}

static void knows_its_ends(void **state)
{
    (void)state;
    struct layout l = {.count = 0};
    assert_int_equal(add(&l, PROCESS_TOP - 0x1000, 0x1000, 0), LAYOUT_OK);
    assert_int_equal(add(&l, PROCESS_TOP, 0x1000, 0), LAYOUT_OUTSIDE);
    assert_int_equal(add(&l, UINT64_MAX - 0xfff, 0x2000, 0), LAYOUT_OUTSIDE);
    for (uint64_t i = l.count; i < SPANS_MAX; i++) {
        assert_int_equal(add(&l, i * 0x1000, 0x1000, 0), LAYOUT_OK);
    }
    assert_int_equal(add(&l, 0, 0x1000, 0), LAYOUT_FULL);
}

static void counts_tables(void **state)
{
    (void)state;
    struct layout l = {.count = 0};
    assert_int_equal(layout_tables(&l), 1);
    (void)add(&l, 0x200000, 0x1000, PHYSICAL_UNKNOWN); // text
    (void)add(&l, 0x201000, 0x3000, PHYSICAL_UNKNOWN); // data, in the same tables
    assert_int_equal(layout_tables(&l), 3);
    (void)add(&l, 0x10000000, 0x1000, 0x9000000); // a device, in the same gigabyte
    assert_int_equal(layout_tables(&l), 4);
    (void)add(&l, 0x40000000, 0x600000, 0); // blocks, in another
    assert_int_equal(layout_tables(&l), 5);
    (void)add(&l, 0x41000000, 0x601000, 0); // blocks and a page
    assert_int_equal(layout_tables(&l), 6);
    (void)add(&l, 0x42000000, 0x400000, 0x1000); // no blocks: out of step with memory
    assert_int_equal(layout_tables(&l), 8);
    (void)add(&l, 0x43001000, 0x400000, 0x1000); // in step, but not from the start
    assert_int_equal(layout_tables(&l), 10);
}

// What a walk uses: a table per gigabyte and per 2 MiB that has a page, unless a block maps all of those.
struct tables {
    unsigned char middle[8];
    unsigned char last[8 * 512];
};

static void map(struct tables *t, uint64_t base, uint64_t size, uint64_t physical)
{
    for (uint64_t at = base; at < base + size;) {
        bool block = at % LARGE_PAGE_SIZE == 0 && (physical + at - base) % LARGE_PAGE_SIZE == 0 &&
                     base + size - at >= LARGE_PAGE_SIZE;
        t->middle[at >> 30] = 1;
        if (!block) {
            t->last[at >> 21] = 1;
        }
        at += block ? LARGE_PAGE_SIZE : PAGE_SIZE;
    }
}

static void never_counts_too_few(void **state)
{
    (void)state;
    srand(1);
    for (unsigned round = 0; round < 200; round++) {
        struct layout l = {.count = 0};
        struct tables t = {{0}, {0}};
        for (unsigned i = 0; i < 20; i++) {
            uint64_t shift = rand() % 2 == 0 ? 12 : 21;
            uint64_t base = ((uint64_t)rand() << shift) % (8ull << 30);
            uint64_t size = (1 + (uint64_t)rand() % 2000) * PAGE_SIZE;
            uint64_t physical = (uint64_t)rand() % 16 << (rand() % 2 == 0 ? 12 : 21);
            if (base + size <= 8ull << 30 && add(&l, base, size, physical) == LAYOUT_OK) {
                map(&t, base, size, physical);
            }
        }
        unsigned used = 1;
        for (unsigned i = 0; i < sizeof(t.middle); i++) {
            used += t.middle[i];
        }
        for (unsigned i = 0; i < sizeof(t.last); i++) {
            used += t.last[i];
        }
        assert_int_equal(layout_tables(&l), used);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_overlaps_whatever_the_order),
        cmocka_unit_test(knows_its_ends),
        cmocka_unit_test(counts_tables),
        cmocka_unit_test(never_counts_too_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

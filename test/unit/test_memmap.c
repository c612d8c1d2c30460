// Sets of addresses against a bitmap that does the same the slow way.
// sources: kernel/arch/aarch64/memmap.c
// flags: -Ikernel/arch/aarch64
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>

#include "memmap.h"

static void neighbours_become_one(void **state)
{
    (void)state;
    struct memmap m = {0};
    assert_true(memmap_add(&m, (struct range){0x3000, 0x1000}));
    assert_true(memmap_add(&m, (struct range){0x1000, 0x1000}));
    assert_int_equal(m.count, 2);
    assert_true(memmap_add(&m, (struct range){0x2000, 0x1000}));
    assert_int_equal(m.count, 1);
    assert_true(memmap_contains(&m, (struct range){0x1000, 0x3000}));
    assert_int_equal(memmap_size(&m), 0x3000);
}

static void middle_is_cut_out(void **state)
{
    (void)state;
    struct memmap m = {0};
    assert_true(memmap_add(&m, (struct range){0, 0x10000}));
    assert_true(memmap_remove(&m, (struct range){0x4000, 0x1000}));
    assert_int_equal(m.count, 2);
    assert_int_equal(m.r[0].size, 0x4000);
    assert_int_equal(m.r[1].base, 0x5000);
    assert_true(memmap_overlaps(&m, (struct range){0x4fff, 2}));
    assert_false(memmap_overlaps(&m, (struct range){0x4000, 0x1000}));
    assert_false(memmap_contains(&m, (struct range){0x3000, 0x2000}));
}

static void top_of_the_address_space(void **state)
{
    (void)state;
    struct memmap m = {0};
    assert_true(memmap_add(&m, (struct range){UINT64_MAX - 0xfff, 0xfff}));
    assert_false(memmap_add(&m, (struct range){UINT64_MAX - 0xfff, 0x2000}));
    assert_false(memmap_remove(&m, (struct range){UINT64_MAX, 2}));
    assert_int_equal(m.count, 1);
    assert_true(memmap_remove(&m, (struct range){0x1000, UINT64_MAX - 0x1000}));
    assert_int_equal(m.count, 0);
}

static void a_full_list_changes_nothing(void **state)
{
    (void)state;
    struct memmap m = {0};
    for (uint64_t i = 0; i < MEMMAP_MAX; i++) {
        assert_true(memmap_add(&m, (struct range){i * 0x10, 4}));
    }
    struct memmap before = m;
    assert_false(memmap_add(&m, (struct range){8, 1}));
    assert_false(memmap_remove(&m, (struct range){1, 1}));
    assert_memory_equal(&m, &before, sizeof(m));
}

static void only_whole_pages_stay(void **state)
{
    (void)state;
    struct memmap m = {0};
    assert_true(memmap_add(&m, (struct range){0x1001, 0x1ffe}));
    assert_true(memmap_add(&m, (struct range){0x5800, 0x2000}));
    memmap_trim_to_pages(&m);
    assert_int_equal(m.count, 1);
    assert_int_equal(m.r[0].base, 0x6000);
    assert_int_equal(m.r[0].size, 0x1000);
}

#define SPAN 256

static void same_as_a_bitmap(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        struct memmap m = {0};
        bool bits[SPAN] = {false};
        for (int step = 0; step < 60; step++) {
            struct range r = {(uint64_t)(rand() % SPAN), 0};
            r.size = (uint64_t)rand() % (SPAN - r.base + 1) % 24;
            bool add = rand() % 2;
            assert_true(add ? memmap_add(&m, r) : memmap_remove(&m, r));
            memset(bits + r.base, add, r.size);
            for (uint64_t i = 0; i < SPAN; i++) {
                assert_int_equal(memmap_contains(&m, (struct range){i, 1}), bits[i]);
            }
            for (uint32_t i = 1; i < m.count; i++) {
                assert_true(m.r[i - 1].base + m.r[i - 1].size < m.r[i].base);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_become_one),    cmocka_unit_test(middle_is_cut_out),
        cmocka_unit_test(top_of_the_address_space), cmocka_unit_test(a_full_list_changes_nothing),
        cmocka_unit_test(only_whole_pages_stay),    cmocka_unit_test(same_as_a_bitmap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

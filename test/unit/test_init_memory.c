// init's model of free memory, against untyped memory that is carved as the kernel does it (init_kernel.c).
// sources: init/memory.c test/unit/init_kernel.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <base/bits.h>
#include <init/memory.h>

#include "init_kernel.h"

#define BASE 0x40000000u
#define SIZE 0x8000000u

static struct memory model(void)
{
    struct boot_info boot = {.untyped_count = 1, .untyped = {{BASE, SIZE}}};
    struct memory m;
    memory_init(&m, &boot);
    return m;
}

static void takes_pages_from_the_high_end(void **state)
{
    (void)state;
    struct memory m = model();
    assert_true(memory_take_pages(&m, 0x3000));
    assert_int_equal(m.extent[0].high, BASE + SIZE - 0x3000);
    assert_true(memory_take_pages(&m, LARGE_PAGE_SIZE));
    assert_int_equal(m.extent[0].high, BASE + SIZE - 2 * LARGE_PAGE_SIZE);
    assert_false(memory_take_pages(&m, SIZE));
    assert_true(memory_left(&m) < SIZE - 2 * LARGE_PAGE_SIZE);
}

static void takes_objects_from_the_low_end_until_they_meet(void **state)
{
    (void)state;
    struct memory m = model();
    assert_true(memory_take_pages(&m, SIZE - 0x200000));
    assert_true(memory_take_object(&m, 0x100000));
    assert_false(memory_take_object(&m, 0x100000));
    assert_true(memory_take_pages(&m, 0xff000));
    assert_false(memory_take_pages(&m, 0x1000));
}

static void uses_every_extent(void **state)
{
    (void)state;
    struct memory m = model();
    assert_true(memory_add(&m, (struct range){0x80000000, 0x1000000}, 99));
    assert_true(memory_take_pages(&m, SIZE - LARGE_PAGE_SIZE));
    assert_true(memory_take_pages(&m, 0x800000));
    assert_int_equal(m.extent[1].high, 0x80800000);
    assert_true(memory_largest(&m) < 0x800000 && memory_largest(&m) > 0x7ff000);
    assert_true(memory_take_object(&m, 0x400000)); // the first has no room for that
    assert_true(m.extent[1].low >= 0x80400000);
    for (unsigned i = m.count; i < EXTENTS_MAX; i++) {
        assert_true(memory_add(&m, (struct range){0x1000, 0x1000}, 1));
    }
    assert_false(memory_add(&m, (struct range){0x1000, 0x1000}, 1));
}

static void ranges_are_cut_out_once(void **state)
{
    (void)state;
    struct memory m = model();
    assert_true(memory_take_range(&m, (struct range){BASE + 0x7000000, 0x1000}));
    assert_int_equal(m.count, 2);
    assert_false(memory_take_range(&m, (struct range){BASE + 0x7000000, 0x1000}));
    // Reaches into it.
    assert_false(memory_take_range(&m, (struct range){BASE + 0x6fff000, 0x2000}));
    assert_true(memory_take_range(&m, (struct range){BASE + 0x6fff000, 0x1000}));
    assert_int_equal(m.count, 2); // nothing was left between the two
    assert_true(memory_take_range(&m, (struct range){BASE + 0x7001000 + 0x1000, 0x1000}));
    assert_false(memory_take_range(&m, (struct range){BASE + SIZE - 0x1000, 0x2000}));
    assert_false(memory_take_range(&m, (struct range){BASE - 0x1000, 0x1000}));
    assert_false(memory_take_range(&m, (struct range){BASE, 0x1000})); // headers are there
}

// Pieces of `r`, carved in their order from memory that ends where r does, lie where they should.
static void check_pieces(struct range r)
{
    const uint64_t untyped[][2] = {{BASE, r.base + r.size - BASE}};
    struct fake_kernel f;
    struct piece pieces[PIECES_MAX];
    unsigned count = memory_pieces(r, pieces);
    uint64_t sum = 0;
    char bundle[PAGE_SIZE] = {0};
    fake_init(&f, untyped, 1, bundle, sizeof(bundle));
    fake_slot(&f, BOOT_UNTYPED)->object->high = r.base + r.size;
    for (unsigned i = 0; i < count; i++) {
        struct identity id;
        struct place to = {BOOT_CSPACE, 100 + i};
        enum obj_type type = i % 2 == 0 ? OBJ_FRAMES : OBJ_UNTYPED;
        assert_int_equal(sys_retype(&f.kernel, BOOT_UNTYPED, type, pieces[i].size, to), OK);
        assert_int_equal(sys_identify(&f.kernel, 100 + i, &id), OK);
        assert_int_equal(id.physical, r.base + pieces[i].offset);
        sum += pieces[i].size;
    }
    assert_int_equal(sum, r.size);
    fake_end(&f);
}

static void pieces_land_where_they_should(void **state)
{
    (void)state;
    struct piece pieces[PIECES_MAX];
    assert_int_equal(memory_pieces((struct range){BASE, 0}, pieces), 0);
    assert_int_equal(memory_pieces((struct range){BASE, 2 * LARGE_PAGE_SIZE}, pieces), 1);
    srand(1);
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t base = BASE + 0x10000 + (unsigned)rand() % 0x2000 * (uint64_t)PAGE_SIZE;
        uint64_t size = (1 + (unsigned)rand() % 0x1000) * (uint64_t)PAGE_SIZE;
        check_pieces((struct range){base, size});
        check_pieces((struct range){align_up(base, LARGE_PAGE_SIZE), size});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_pages_from_the_high_end),
        cmocka_unit_test(takes_objects_from_the_low_end_until_they_meet),
        cmocka_unit_test(uses_every_extent),
        cmocka_unit_test(ranges_are_cut_out_once),
        cmocka_unit_test(pieces_land_where_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

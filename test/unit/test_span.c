// Overlapping ranges: which pairs are found, and in which order they are told.
// sources: tool/span.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tool/span.h"

#define PAIRS_MAX 16

struct pairs {
    size_t offsets[PAIRS_MAX][2]; // of the earlier and the later one
    size_t count;
};

static void note(void *context, const struct span *earlier, const struct span *later)
{
    struct pairs *p = context;
    assert_true(p->count < PAIRS_MAX);
    p->offsets[p->count][0] = earlier->offset;
    p->offsets[p->count][1] = later->offset;
    p->count++;
}

static struct pairs compare(const struct span *spans, size_t count)
{
    struct arena a = {0};
    struct spans s = {.arena = &a};
    struct pairs p = {0};
    for (size_t i = 0; i < count; i++) {
        spans_add(&s, spans[i]);
    }
    spans_compare(&s, note, &p);
    arena_free(&a);
    return p;
}

static void side_by_side(void **state)
{
    (void)state;
    const struct span spans[] = {{0, {0x2000, 0x1000}, 1, "b"},
                                 {0, {0x1000, 0x1000}, 2, "a"},
                                 {1, {0x1000, 0x2000}, 3, "c"}};
    assert_int_equal(compare(spans, 3).count, 0);
    assert_int_equal(compare(spans, 0).count, 0);
}

static void later_in_the_text_is_to_blame(void **state)
{
    (void)state;
    const struct span spans[] = {{0, {0x2000, 0x1000}, 1, "b"}, {0, {0x1000, 0x1001}, 2, "a"}};
    struct pairs p = compare(spans, 2);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.offsets[0][0], 1);
    assert_int_equal(p.offsets[0][1], 2);
}

static void a_large_one_is_not_forgotten(void **state)
{
    (void)state;
    const struct span spans[] = {{0, {0x1000, 0x10000}, 1, "large"},
                                 {0, {0x2000, 0x1000}, 2, "inside"},
                                 {0, {0x8000, 0x1000}, 3, "inside, too"},
                                 {0, {0x11000, 0x1000}, 4, "behind"}};
    struct pairs p = compare(spans, 4);
    assert_int_equal(p.count, 2);
    assert_int_equal(p.offsets[0][1], 2);
    assert_int_equal(p.offsets[1][1], 3);
}

static void at_the_end_of_the_address_space(void **state)
{
    (void)state;
    const struct span spans[] = {{0, {0xfffffffffffff000, 0x1000}, 1, "last"},
                                 {0, {0xffffffffffffe000, 0x1000}, 2, "last but one"},
                                 {0, {0xfffffffffffff800, 0x800}, 3, "inside"}};
    assert_int_equal(compare(spans, 3).count, 1);
}

// Every pair that overlaps has at least one of its two reported, and nobody else is.
static void random_ones(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 2000; round++) {
        struct span spans[6];
        for (size_t i = 0; i < 6; i++) {
            spans[i] = (struct span){
                (uint32_t)rand() % 2, {(uint64_t)rand() % 32, 1 + (uint64_t)rand() % 8}, i, ""};
        }
        bool any = false;
        for (size_t i = 0; i < 6; i++) {
            for (size_t j = 0; j < i; j++) {
                any |= spans[i].group == spans[j].group &&
                       range_overlaps(spans[i].range, spans[j].range);
            }
        }
        struct pairs p = compare(spans, 6);
        assert_int_equal(p.count > 0, any);
        for (size_t k = 0; k < p.count; k++) {
            const struct span *x = &spans[p.offsets[k][0]];
            const struct span *y = &spans[p.offsets[k][1]];
            assert_true(x->offset < y->offset);
            assert_true(x->group == y->group && range_overlaps(x->range, y->range));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(side_by_side),
        cmocka_unit_test(later_in_the_text_is_to_blame),
        cmocka_unit_test(a_large_one_is_not_forgotten),
        cmocka_unit_test(at_the_end_of_the_address_space),
        cmocka_unit_test(random_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

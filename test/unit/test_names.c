// The set of names, small and large.
// sources: tool/names.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tool/names.h"

static void first_one_stays(void **state)
{
    (void)state;
    struct arena a = {0};
    struct names n;
    int one;
    int two;
    names_init(&n, &a);
    assert_null(names_find(&n, "x"));
    assert_null(names_add(&n, "x", &one));
    assert_ptr_equal(names_add(&n, "x", &two), &one);
    assert_ptr_equal(names_find(&n, "x"), &one);
    assert_null(names_find(&n, "X"));
    assert_null(names_find(&n, ""));
    assert_null(names_add(&n, "", &two));
    assert_ptr_equal(names_find(&n, ""), &two);
    arena_free(&a);
}

static void many(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static int things[COUNT];
    struct arena a = {0};
    struct names n;
    names_init(&n, &a);
    for (int i = 0; i < COUNT; i++) {
        assert_null(names_add(&n, arena_format(&a, "name %d", i), &things[i]));
    }
    for (int i = 0; i < COUNT; i++) {
        assert_ptr_equal(names_find(&n, arena_format(&a, "name %d", i)), &things[i]);
    }
    assert_int_equal(n.count, COUNT);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(first_one_stays), cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

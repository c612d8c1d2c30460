// Positions in a text, and messages in their order.
// sources: tool/diag.c tool/source.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/diag.h"

static void check_position(const char *text, size_t offset, unsigned line, unsigned column)
{
    struct arena a = {0};
    struct source s;
    source_init(&s, &a, "f", text, strlen(text));
    struct position p = source_position(&s, offset);
    assert_int_equal(p.line, line);
    assert_int_equal(p.column, column);
    assert_int_equal(source_line(&s, offset), line);
    arena_free(&a);
}

static void positions(void **state)
{
    (void)state;
    check_position("", 0, 1, 1);
    check_position("abc", 2, 1, 3);
    check_position("abc", 3, 1, 4);
    check_position("abc", 99, 1, 4);
    check_position("a\nbc\n", 1, 1, 2);
    check_position("a\nbc\n", 2, 2, 1);
    check_position("a\nbc\n", 3, 2, 2);
    check_position("a\nbc\n", 5, 3, 1);
    check_position("\n\n\nx", 3, 4, 1);
}

static void columns_are_characters(void **state)
{
    (void)state;
    check_position("\xc3\xa4x", 2, 1, 2);
    check_position("\xe2\x82\xac\xf0\x9d\x84\x9ex", 7, 1, 3);
    check_position("\tx", 1, 1, 2);
}

// What a text of messages looks like when printed; the caller frees it.
static char *printed(struct diag *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diag_print(d, out);
    fclose(out);
    return text;
}

static void messages_in_order(void **state)
{
    (void)state;
    struct arena a = {0};
    struct source s;
    struct diag d;
    source_init(&s, &a, "f.system", "one\ntwo\n", 8);
    diag_init(&d, &a, &s);
    diag_error(&d, 5, "third, %d", 3);
    diag_error(&d, 1, "first, mend");
    diag_warning(&d, 5, "fourth, mend");
    diag_error(&d, 4, "second, mend");
    char *text = printed(&d);
    assert_string_equal(text, "f.system:1:2: first, mend\n"
                              "f.system:2:1: second, mend\n"
                              "f.system:2:2: third, 3\n"
                              "f.system:2:2: warning: fourth, mend\n");
    assert_int_equal(d.errors, 3);
    free(text);
    arena_free(&a);
}

static void not_more_than_can_be_read(void **state)
{
    (void)state;
    struct arena a = {0};
    struct source s;
    struct diag d;
    source_init(&s, &a, "f", "", 0);
    diag_init(&d, &a, &s);
    for (unsigned i = 0; i < DIAG_SHOWN_MAX + 5; i++) {
        diag_error(&d, 0, "message %u, mend", i);
    }
    char *text = printed(&d);
    assert_non_null(strstr(text, "f:1:1: message 199, mend\n"));
    assert_null(strstr(text, "message 200"));
    assert_non_null(strstr(text, "f:1:1: 5 more mistakes from here on, mend those above first\n"));
    free(text);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions),
        cmocka_unit_test(columns_are_characters),
        cmocka_unit_test(messages_in_order),
        cmocka_unit_test(not_more_than_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

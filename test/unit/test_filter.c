// A guest's output, and what the system says on the same console, told apart however they are cut into pieces.
// sources: tool/filter.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tool/filter.h"

struct heard {
    char theirs[4096];
    size_t size;
    char ours[2048]; // lines, each with its end
    bool flushes;    // after every piece
};

static void said(void *context, const char *line)
{
    struct heard *h = context;
    strcat(strcat(h->ours, line), "\n");
}

static void take(struct heard *h, const char *theirs, size_t size)
{
    assert_true(h->size + size < sizeof(h->theirs));
    memcpy(h->theirs + h->size, theirs, size);
    h->size += size;
}

static void hear(struct heard *h, const char *text, size_t piece)
{
    struct filter f = {.said = said, .context = h};
    size_t size = strlen(text);
    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        char theirs[600 + FILTER_HELD_MAX];
        assert_true(length <= 600);
        take(h, theirs, filter_feed(&f, text + at, length, theirs));
        if (h->flushes) {
            take(h, theirs, filter_flush(&f, theirs));
        }
    }
    char theirs[2 * FILTER_HELD_MAX];
    take(h, theirs, filter_end(&f, theirs));
}

static void check(const char *text, const char *theirs, const char *ours)
{
    for (size_t piece = 1; piece < 40; piece++) {
        struct heard h = {0};
        hear(&h, text, piece);
        assert_string_equal(h.theirs, theirs);
        assert_string_equal(h.ours, ours);
    }
}

static void the_guest_s_is_left_alone(void **state)
{
    (void)state;
    check("", "", "");
    check("hello\r\nworld", "hello\r\nworld", "");
    check("b", "b", "");
    check("bulkhead", "bulkhead", "");
    check("bubulkhead:x bulkhead\nbulkhead :", "bubulkhead:x bulkhead\nbulkhead :", "");
    check("# init: Bulkhead \ninit: x\nBulkhead 1\n", "# init: Bulkhead \ninit: x\nBulkhead 1\n",
          "");
}

static void ours_goes_elsewhere(void **state)
{
    (void)state;
    check("bulkhead: one\r\n", "", "bulkhead: one\n");
    check("a\nbulkhead: one\nb\nbulkhead: two\nc", "a\nb\nc", "bulkhead: one\nbulkhead: two\n");
    check("login: bulkhead: off, code 0\n", "login: ", "bulkhead: off, code 0\n");
    check("bulkbulkhead: x", "bulk", "bulkhead: x\n");
    check("bulkhead: bulkhead: x\n", "", "bulkhead: bulkhead: x\n");
}

// What a driver has guarded was written by a guest.
static void a_guarded_end_is_the_guest_s(void **state)
{
    (void)state;
    check("a\nbulkhead: of\1f, code 0\nb", "a\nbulkhead: off, code 0\nb", "");
    check("x bulkhead: of\1f\nbulkhead: off, code 1\n", "x bulkhead: off\n",
          "bulkhead: off, code 1\n");
    check("bulkhead: of\1\1\n", "bulkhead: of\1\n", "");
    check("bulkhead: of\1", "bulkhead: of", "");
    check("bulkhead: guest: bulkhead: of\1f\n", "", "bulkhead: guest: bulkhead: off\n");
    check("bulkhead: o\1f\na\1b", "a\1b", "bulkhead: o\1f\n");
    check("Bulkhead 0.1\nbulkhead: of\1f\ninit: x\n", "bulkhead: off\ninit: x\n", "");
}

static void before_the_guest(void **state)
{
    (void)state;
    check("Bulkhead 0.1: 4 cores\r\ninit: no\nbulkhead: off\n", "", "init: no\nbulkhead: off\n");
    check("Bulkhead 0.1\nboot\ninit: no\n", "boot\ninit: no\n", "");
    check("Bulk", "Bulk", "");
    check("inbulkhead: x\ninit: y\n", "ininit: y\n", "bulkhead: x\n");
}

static void a_panic_is_the_last_word(void **state)
{
    (void)state;
    check("guest\nbulkhead: panic: no\nx0 1\nguest\n", "guest\n",
          "bulkhead: panic: no\nx0 1\nguest\n");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    char text[1000] = "bulkhead: ";
    memset(text + 10, 'x', sizeof(text) - 11);
    struct heard h = {0};
    hear(&h, text, 600);
    assert_int_equal(strlen(h.ours), FILTER_LINE_MAX);
    assert_string_equal(h.theirs, "");
}

static void what_was_shown_is_not_shown_again(void **state)
{
    (void)state;
    struct heard h = {.flushes = true};
    hear(&h, "go\nbulkhead: x\nbulkbread", 1);
    assert_string_equal(h.theirs, "go\nbulkhead:bulkbread"); // a pause after every byte
    assert_string_equal(h.ours, "bulkhead: x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guest_s_is_left_alone),         cmocka_unit_test(ours_goes_elsewhere),
        cmocka_unit_test(a_guarded_end_is_the_guest_s),      cmocka_unit_test(before_the_guest),
        cmocka_unit_test(a_panic_is_the_last_word),          cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(what_was_shown_is_not_shown_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The serial mux's configuration text.
// sources: mux/serial/config.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <mux/serial/config.h>

// Parses a copy on the heap without a final zero, so that a read past the end is seen.
static unsigned parse(struct config *c, const char *text)
{
    size_t size = strlen(text);
    char *exact = malloc(size + (size == 0));
    memcpy(exact, text, size);
    unsigned line = config_parse(c, exact, size);
    free(exact);
    return line;
}

static void empty_means_defaults(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(parse(&c, ""), 0);
    assert_true(c.prefix);
    for (unsigned i = 0; i < CONFIG_CLIENTS; i++) {
        assert_string_equal(c.names[i], "");
    }
}

static void all_it_knows(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(parse(&c, "# mux\n\n  prefix off\r\nname 1 web\n\tname  9   b.o_b-2"), 0);
    assert_false(c.prefix);
    assert_string_equal(c.names[1], "web");
    assert_string_equal(c.names[9], "b.o_b-2");
    assert_int_equal(parse(&c, "prefix off\nprefix on\n"), 0);
    assert_true(c.prefix);
}

static void a_zero_ends_a_line(void **state)
{
    (void)state;
    struct config c;
    const char text[4096] = "prefix off\n"; // a prefilled region is filled up with zeros
    assert_int_equal(config_parse(&c, text, sizeof(text)), 0);
    assert_false(c.prefix);
}

static void bad_lines_are_named_and_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "prefix",         "prefix maybe",
        "prefix off now", "name",
        "name 1",         "name 0 a",
        "name 10 a",      "name x a",
        "name 1 a b",     "name 1 a|b",
        "prefixes off",   "nonsense",
        "name 1 a\x1b",   "name 1 much-too-long-for-a-name",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128] = "name 1 kept\n# \n";
        struct config c;
        assert_int_equal(parse(&c, strcat(text, bad[i])), 3);
        assert_true(c.prefix);
        assert_string_equal(c.names[1], "kept");
    }
}

static void the_first_bad_line_counts_and_the_rest_is_read(void **state)
{
    (void)state;
    struct config c;
    assert_int_equal(parse(&c, "prefix off\nhuh\nname 2 two\nhuh\n"), 2);
    assert_false(c.prefix);
    assert_string_equal(c.names[2], "two");
}

static void names_are_cleaned(void **state)
{
    (void)state;
    char name[SERIAL_NAME_MAX];
    config_name(name, "alice", 6);
    assert_string_equal(name, "alice");
    config_name(name, "al\x1b[2Jice", 9);
    assert_string_equal(name, "al");
    config_name(name, "\n", 1);
    assert_string_equal(name, "");
    config_name(name, "abcdefghijklmnopqrstuvwxyz", 26);
    assert_int_equal(strlen(name), SERIAL_NAME_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_means_defaults),
        cmocka_unit_test(all_it_knows),
        cmocka_unit_test(a_zero_ends_a_line),
        cmocka_unit_test(bad_lines_are_named_and_change_nothing),
        cmocka_unit_test(the_first_bad_line_counts_and_the_rest_is_read),
        cmocka_unit_test(names_are_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

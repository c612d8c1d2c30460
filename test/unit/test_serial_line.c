// The serial mux's lines: collecting, prefixes, line ends, unfinished lines of several sources.
// sources: mux/serial/line.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mux/serial/line.h>

static void say(struct line *l, const char *text)
{
    for (; *text != '\0'; text++) {
        assert_false(line_complete(l));
        line_add(l, (uint8_t)*text, 100);
    }
}

static void expect_output(struct output *o, uint32_t source, const char *prefix, const char *text,
                          const char *wanted)
{
    struct line l = {0};
    say(&l, text);
    output_line(o, source, prefix, &l);
    assert_int_equal(l.length, 0);
    assert_int_equal(o->length, strlen(wanted));
    assert_memory_equal(o->text, wanted, o->length);
    assert_false(output_done(o));
    o->sent = o->length;
}

static void a_newline_completes(void **state)
{
    (void)state;
    struct line l = {0};
    assert_false(line_complete(&l));
    say(&l, "abc");
    assert_false(line_complete(&l));
    say(&l, "\n");
    assert_true(line_complete(&l));
    assert_true(line_ready(&l, 100, 1000));
}

static void a_partial_line_waits_for_its_time(void **state)
{
    (void)state;
    struct line l = {0};
    assert_false(line_ready(&l, UINT64_MAX, 10)); // nothing said is never ready
    line_add(&l, 'a', 100);
    line_add(&l, 'b', 108); // the first byte counts
    assert_false(line_ready(&l, 109, 10));
    assert_true(line_ready(&l, 110, 10));
}

static void a_full_line_is_complete(void **state)
{
    (void)state;
    struct line l = {0};
    for (unsigned i = 0; i < LINE_MAX; i++) {
        assert_false(line_complete(&l));
        line_add(&l, 'x', 0);
    }
    assert_true(line_complete(&l));
}

static void prefix_and_line_end(void **state)
{
    (void)state;
    struct output o;
    output_init(&o);
    assert_true(output_done(&o));
    expect_output(&o, 1, "a| ", "hello\n", "a| hello\r\n");
    expect_output(&o, 2, "b| ", "\n", "b| \r\n");
    expect_output(&o, 2, NULL, "plain\r\n", "plain\r\n");
    assert_int_equal(o.owner, OUTPUT_NOBODY);
}

static void one_source_goes_on_in_its_line(void **state)
{
    (void)state;
    struct output o;
    output_init(&o);
    expect_output(&o, 1, "a| ", "login: ", "a| login: ");
    expect_output(&o, 1, "a| ", "me\n", "me\r\n");
    expect_output(&o, 1, "a| ", "next\n", "a| next\r\n");
}

static void another_source_breaks_an_unfinished_line(void **state)
{
    (void)state;
    struct output o;
    output_init(&o);
    expect_output(&o, 1, "a| ", "# ", "a| # ");
    expect_output(&o, 2, "b| ", "hi\n", "\r\nb| hi\r\n");
    expect_output(&o, 1, "a| ", "ls\n", "a| ls\r\n");
}

static void a_carriage_return_of_their_own_is_kept(void **state)
{
    (void)state;
    struct output o;
    output_init(&o);
    expect_output(&o, 1, NULL, "50%\r", "50%\r");
    expect_output(&o, 1, NULL, "\n", "\n"); // the CR came in the piece before
    expect_output(&o, 1, NULL, "50%\r", "50%\r");
    expect_output(&o, 2, NULL, "x\n", "\nx\r\n");
}

static void the_longest_line_fits(void **state)
{
    (void)state;
    struct output o;
    output_init(&o);
    expect_output(&o, 1, NULL, "open", "open");

    char prefix[LINE_PREFIX_MAX];
    memset(prefix, 'p', sizeof(prefix)); // not even ended
    struct line l = {0};
    for (unsigned i = 0; i < LINE_MAX - 1; i++) {
        line_add(&l, 'x', 0);
    }
    line_add(&l, '\n', 0);
    output_line(&o, 2, prefix, &l);
    assert_int_equal(o.length, OUTPUT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newline_completes),
        cmocka_unit_test(a_partial_line_waits_for_its_time),
        cmocka_unit_test(a_full_line_is_complete),
        cmocka_unit_test(prefix_and_line_end),
        cmocka_unit_test(one_source_goes_on_in_its_line),
        cmocka_unit_test(another_source_breaks_an_unfinished_line),
        cmocka_unit_test(a_carriage_return_of_their_own_is_kept),
        cmocka_unit_test(the_longest_line_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

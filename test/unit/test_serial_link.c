// Both sides of a serial link: bytes, signals, what has left, restarts, sides that lie.
// sources: lib/serial_link.c lib/ring.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <lib/serial_link.h>

static struct serial_region region;
static struct serial_link upper, lower;

static int begin(void **state)
{
    (void)state;
    memset(&region, 0, sizeof(region));
    serial_link_upper(&upper, &region);
    serial_link_lower(&lower, &region);
    return 0;
}

static void send(struct serial_link *from, struct serial_link *to, const char *text)
{
    char got[64] = "";
    uint32_t count;
    assert_int_equal(serial_link_put(from, text, (uint32_t)strlen(text), &count), OK);
    assert_int_equal(count, strlen(text));
    assert_int_equal(serial_link_get(to, got, sizeof(got) - 1, &count), OK);
    assert_string_equal(got, text);
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    send(&upper, &lower, "out");
    send(&lower, &upper, "in");
    assert_int_equal(serial_link_put_position(&upper), 3);
    assert_int_equal(serial_link_taken(&lower), 3);
    assert_int_equal(serial_link_taken(&upper), 2);
}

static void the_lower_side_is_signalled_when_it_waits(void **state)
{
    (void)state;
    uint32_t count;
    assert_true(serial_link_wait(&lower));
    assert_int_equal(serial_link_put(&upper, "abc", 3, &count), OK);
    assert_true(serial_link_kick(&upper));
    assert_false(serial_link_wait(&lower)); // there is something: it must not sleep
    assert_int_equal(serial_link_put(&upper, "abc", 3, &count), OK);
    assert_false(serial_link_kick(&upper)); // one signal was enough
}

static void all_has_left_when_the_lower_side_says_so(void **state)
{
    (void)state;
    bool all;
    assert_int_equal(serial_link_all_left(&upper, &all), OK);
    assert_true(all); // nothing was said
    send(&upper, &lower, "abc");
    assert_int_equal(serial_link_all_left(&upper, &all), OK);
    assert_false(all); // taken is not left
    serial_link_set_left(&lower, 2);
    assert_int_equal(serial_link_all_left(&upper, &all), OK);
    assert_false(all);
    serial_link_set_left(&lower, 3);
    assert_int_equal(serial_link_all_left(&upper, &all), OK);
    assert_true(all);
}

static void what_cannot_have_left_is_not_believed(void **state)
{
    (void)state;
    uint32_t left;
    send(&upper, &lower, "abc");
    serial_link_set_left(&lower, 4);
    assert_int_equal(serial_link_left(&upper, &left), ERR_INVALID);
    serial_link_set_left(&lower, 2);
    assert_int_equal(serial_link_left(&upper, &left), OK);
    assert_int_equal(left, 2);
    serial_link_set_left(&lower, 1); // backwards
    assert_int_equal(serial_link_left(&upper, &left), ERR_INVALID);
    assert_int_equal(left, 2);
}

static void sides_go_on_after_a_restart(void **state)
{
    (void)state;
    uint32_t count;
    bool all;
    send(&upper, &lower, "abc");
    send(&lower, &upper, "x");
    assert_int_equal(serial_link_put(&upper, "def", 3, &count), OK);
    serial_link_set_left(&lower, 3);

    serial_link_upper(&upper, &region);
    serial_link_lower(&lower, &region);
    assert_int_equal(serial_link_all_left(&upper, &all), OK);
    assert_false(all);
    char got[8] = "";
    assert_int_equal(serial_link_get(&lower, got, 7, &count), OK);
    assert_string_equal(got, "def");
    serial_link_set_left(&lower, 6);
    assert_int_equal(serial_link_all_left(&upper, &all), OK);
    assert_true(all);
}

static void a_ring_that_makes_no_sense_is_dead(void **state)
{
    (void)state;
    uint32_t count;
    atomic_store(&region.out.producer.position, SERIAL_OUT_SIZE + 1);
    assert_int_equal(serial_link_get(&lower, &(char){0}, 1, &count), ERR_INVALID);
    assert_int_equal(count, 0);
    serial_link_lower(&lower, &region); // a new life starts no better
    assert_int_equal(serial_link_get(&lower, &(char){0}, 1, &count), ERR_INVALID);
    atomic_store(&region.out.producer.position, 0);
    assert_int_equal(serial_link_get(&lower, &(char){0}, 1, &count), ERR_INVALID);
}

static void names_are_cut(void **state)
{
    (void)state;
    char name[SERIAL_NAME_MAX];
    serial_link_set_name(&upper, "a");
    serial_link_name(&lower, name);
    assert_string_equal(name, "a");
    serial_link_set_name(&upper, "abcdefghijklmnopqrstuvwxyz");
    serial_link_name(&lower, name);
    assert_string_equal(name, "abcdefghijklmno");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes_go_both_ways, begin),
        cmocka_unit_test_setup(the_lower_side_is_signalled_when_it_waits, begin),
        cmocka_unit_test_setup(all_has_left_when_the_lower_side_says_so, begin),
        cmocka_unit_test_setup(what_cannot_have_left_is_not_believed, begin),
        cmocka_unit_test_setup(sides_go_on_after_a_restart, begin),
        cmocka_unit_test_setup(a_ring_that_makes_no_sense_is_dead, begin),
        cmocka_unit_test_setup(names_are_cut, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

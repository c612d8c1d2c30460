// The serial mux: output of several clients, input, escape commands, credits, clients that misbehave.
// sources: mux/serial/mux.c mux/serial/line.c mux/serial/credit.c mux/serial/config.c mux/serial/escape.c
// sources: lib/serial_link.c lib/ring.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <base/bits.h>

#include "serial_world.h"

static struct world w;

static void expect_screen(const char *wanted)
{
    if (strcmp((const char *)w.screen, wanted) != 0) {
        print_message("screen:\n%s\n", (const char *)w.screen);
    }
    assert_string_equal((const char *)w.screen, wanted);
    w.screen_length = 0;
    w.screen[0] = 0;
}

static void expect_input(unsigned client, const char *wanted)
{
    char got[SERIAL_IN_SIZE + 1];
    uint32_t count;
    assert_int_equal(serial_link_get(&w.clients[client], got, SERIAL_IN_SIZE, &count), OK);
    got[count] = 0;
    assert_string_equal(got, wanted);
}

static bool drained(unsigned client)
{
    bool all;
    assert_int_equal(serial_link_all_left(&w.clients[client], &all), OK);
    return all;
}

static int begin_two(void **state)
{
    (void)state;
    world_init(&w, 2, NULL);
    serial_link_set_name(&w.clients[1], "alice");
    serial_link_set_name(&w.clients[2], "bob");
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(&w);
    return 0;
}

static void nothing_to_do_wants_nothing(void **state)
{
    (void)state;
    world_settle(&w);
    assert_int_equal(w.wishes.notify, 0);
    assert_true(w.wishes.deadline == UINT64_MAX);
    assert_false(w.wishes.quit);
    expect_screen("");
}

static void lines_get_their_names(void **state)
{
    (void)state;
    world_say(&w, 1, "one\ntwo\n");
    world_say(&w, 2, "three\n");
    world_settle(&w);
    expect_screen("alice| one\r\nbob| three\r\nalice| two\r\n");
}

static void an_unfinished_line_comes_late(void **state)
{
    (void)state;
    world_say(&w, 1, "login: ");
    world_settle(&w);
    expect_screen("");
    assert_true(w.wishes.deadline < UINT64_MAX);
    w.now = w.wishes.deadline;
    world_settle(&w);
    expect_screen("alice| login: ");

    world_say(&w, 1, "x"); // goes on where the cursor stands: at once
    world_settle(&w);
    expect_screen("x");

    world_say(&w, 2, "hi\n");
    world_say(&w, 1, "y\n");
    world_settle(&w);
    expect_screen("\r\nbob| hi\r\nalice| y\r\n"); // alice spoke last: it is bob's turn
}

static void a_talker_does_not_starve_others(void **state)
{
    (void)state;
    char line[64];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(line, sizeof(line), "blah %u\n", i);
        world_say(&w, 1, line);
    }
    world_say(&w, 2, "me\nme too\n");
    world_settle(&w);
    const char *me = strstr((char *)w.screen, "bob| me\r\n");
    const char *too = strstr((char *)w.screen, "bob| me too\r\n");
    assert_non_null(me);
    assert_non_null(too);
    assert_true((const uint8_t *)too - w.screen < 100);
}

static void a_run_is_bounded(void **state)
{
    (void)state;
    char text[SERIAL_OUT_SIZE + 1];
    memset(text, 'x', SERIAL_OUT_SIZE);
    text[SERIAL_OUT_SIZE] = 0;
    assert_int_equal(world_say(&w, 1, text), SERIAL_OUT_SIZE);
    world_run(&w);
    assert_true(world_drive(&w, UINT32_MAX) <= MUX_OUTPUT_BUDGET);
    assert_true(w.wishes.deadline <= w.now); // and it wants to go on
    world_settle(&w);
    assert_int_equal(w.screen_length, SERIAL_OUT_SIZE + strlen("alice| ")); // one long line
}

static void a_full_driver_holds_everyone_and_loses_nothing(void **state)
{
    (void)state;
    char text[1001];
    for (unsigned i = 0; i < 1000; i++) {
        text[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 26);
    }
    text[1000] = 0;
    unsigned said[3] = {0};
    uint32_t total = 0;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned n = 1; n <= 2; n++) {
            uint32_t room;
            assert_int_equal(serial_link_room(&w.clients[n], &room), OK);
            if (said[n] < 20 && room >= 1000) {
                world_say(&w, n, text);
                said[n]++;
            }
        }
        world_run(&w);
        total += world_drive(&w, 500); // slower than they speak
        world_leave(&w);
    }
    world_settle(&w);
    uint32_t lines = 0;
    for (uint32_t i = 0; i < w.screen_length; i++) {
        lines += w.screen[i] == '\n';
    }
    assert_true(total < w.screen_length);
    assert_int_equal(lines, (said[1] + said[2]) * 20);
    assert_int_equal(w.screen_length, lines * (49 + 2) + said[1] * 20 * 7 + said[2] * 20 * 5);
    assert_true(drained(1) && drained(2));
}

static void a_client_learns_when_its_bytes_have_left(void **state)
{
    (void)state;
    world_say(&w, 1, "one\n");
    world_say(&w, 2, "two\n");
    world_run(&w);
    assert_int_equal(w.wishes.notify, BIT(MUX_DRIVER));
    assert_false(drained(1));

    world_drive(&w, 12); // "alice| one\r\n" is taken, but has not left
    world_run(&w);
    assert_int_equal(w.wishes.notify, 0);
    assert_false(drained(1));

    world_leave(&w);
    world_run(&w);
    assert_int_equal(w.wishes.notify, BIT(1));
    assert_true(drained(1));
    assert_false(drained(2));

    world_drive(&w, UINT32_MAX);
    world_leave(&w);
    world_run(&w);
    assert_int_equal(w.wishes.notify, BIT(2));
    assert_true(drained(2));
}

static void input_goes_to_the_selected(void **state)
{
    (void)state;
    world_type(&w, "ls\r");
    world_run(&w);
    assert_int_equal(w.wishes.notify, BIT(1));
    expect_input(1, "ls\r");
    expect_input(2, "");
    world_type(&w, "\x1d"
                   "2hello\x1d"
                   "\x1d"
                   "\x1d"
                   "1bye");
    world_settle(&w);
    expect_input(2, "hello\x1d");
    expect_input(1, "bye");
    // They have said nothing yet.
    expect_screen("serial| input to client2\r\nserial| input to client1\r\n");
}

static void selecting_nobody_changes_nothing(void **state)
{
    (void)state;
    world_type(&w, "\x1d"
                   "7x");
    world_settle(&w);
    expect_input(1, "x");
    expect_screen("serial| there is no client 7\r\n");
}

static void unknown_commands_are_told(void **state)
{
    (void)state;
    world_type(&w, "\x1d"
                   "zx");
    world_settle(&w);
    expect_input(1, "x");
    expect_screen("serial| no such command, Ctrl-] ? helps\r\n");
}

static void help_lists_clients(void **state)
{
    (void)state;
    world_say(&w, 2, "\n");
    world_settle(&w);
    w.screen_length = 0;
    world_type(&w, "\x1d"
                   "2\x1d"
                   "?");
    world_settle(&w);
    expect_screen("serial| input to bob\r\n"
                  "serial| Ctrl-] then 1-9: input to that client, ?: this help, q: end the system, "
                  "Ctrl-]: send it on\r\n"
                  "serial|   1 client1\r\n"
                  "serial|   2 bob <- input\r\n");
}

static void input_without_room_is_dropped_and_counted(void **state)
{
    (void)state;
    char keys[129];
    memset(keys, 'k', 128);
    keys[128] = 0;
    for (unsigned i = 0; i < SERIAL_IN_SIZE / 128 + 1; i++) {
        world_type(&w, keys);
        world_settle(&w);
    }
    world_type(&w, "\x1d"
                   "?");
    world_settle(&w);
    assert_non_null(strstr((char *)w.screen, "1 client1 <- input, 128 bytes dropped\r\n"));
}

static void much_input_takes_several_runs(void **state)
{
    (void)state;
    char keys[1001];
    memset(keys, 'k', 1000);
    keys[1000] = 0;
    world_type(&w, keys);
    world_run(&w);
    assert_true(w.wishes.deadline <= w.now);
    world_settle(&w);
    expect_input(1, keys);
}

static void quit_waits_for_its_words(void **state)
{
    (void)state;
    world_type(&w, "\x1dq");
    world_run(&w);
    assert_false(w.wishes.quit);
    world_drive(&w, UINT32_MAX);
    world_run(&w);
    assert_false(w.wishes.quit);
    world_leave(&w);
    world_run(&w);
    assert_true(w.wishes.quit);
    expect_screen("serial| end of the system, as asked\r\n");
}

static void quit_does_not_wait_for_ever(void **state)
{
    (void)state;
    world_type(&w, "\x1dq");
    world_run(&w); // the driver never takes a byte
    assert_false(w.wishes.quit);
    assert_true(w.wishes.deadline <= w.now + WORLD_TICKS);
    w.now = w.wishes.deadline;
    world_run(&w);
    while (!w.wishes.quit && w.wishes.deadline < 3 * WORLD_TICKS) {
        w.now = w.wishes.deadline;
        world_run(&w);
    }
    assert_true(w.wishes.quit);
}

static void a_corrupt_ring_is_cut_off_and_others_go_on(void **state)
{
    (void)state;
    world_say(&w, 1, "fine so far\n");
    world_settle(&w);
    w.screen_length = 0;
    atomic_store(&w.regions[1]->out.producer.position, 0x80000000u);
    world_say(&w, 2, "hi\n");
    world_settle(&w);
    expect_screen("bob| hi\r\nserial| alice is cut off: its ring is corrupt\r\n");

    // Nothing that it does is seen any more, not even if it mends its ring; typed bytes for it are dropped.
    atomic_store(&w.regions[1]->out.producer.position, 20);
    world_type(&w, "x\x1d"
                   "?");
    world_settle(&w);
    expect_input(1, "");
    assert_non_null(strstr((char *)w.screen, "1 alice <- input, cut off, 1 bytes dropped\r\n"));
    w.screen_length = 0;
    world_say(&w, 2, "still here\n");
    world_settle(&w);
    expect_screen("bob| still here\r\n");
}

static void a_cut_is_told_at_once(void **state)
{
    (void)state;
    atomic_store(&w.regions[2]->out.producer.position, 0x80000000u);
    world_run(&w); // the only one: nothing else will happen
    world_drive(&w, UINT32_MAX);
    expect_screen("serial| client2 is cut off: its ring is corrupt\r\n");
}

static void a_corrupt_input_ring_cuts_off_too(void **state)
{
    (void)state;
    atomic_store(&w.regions[1]->in.consumer.position, 7);
    world_type(&w, "x");
    world_settle(&w);
    expect_screen("serial| client1 is cut off: its ring is corrupt\r\n");
}

static void names_are_said_once_and_cannot_be_stolen(void **state)
{
    (void)state;
    world_say(&w, 1, "a\n");
    world_settle(&w);
    serial_link_set_name(&w.clients[1], "mallory");
    serial_link_set_name(&w.clients[2], "alice");
    world_say(&w, 1, "b\n");
    world_say(&w, 2, "c\n");
    world_settle(&w);
    expect_screen("alice| a\r\nclient2| c\r\nalice| b\r\n");
}

static void a_name_may_not_be_the_muxs_or_control_the_terminal(void **state)
{
    (void)state;
    serial_link_set_name(&w.clients[1], "serial");
    memset(w.regions[2]->name, 0x1b, SERIAL_NAME_MAX);
    world_say(&w, 1, "a\n");
    world_say(&w, 2, "b\n");
    world_settle(&w);
    expect_screen("client1| a\r\nclient2| b\r\n");
}

static void configuration_decides(void **state)
{
    (void)state;
    world_init(&w, 2, "name 1 web\nnonsense\n");
    serial_link_set_name(&w.clients[1], "alice");
    serial_link_set_name(&w.clients[2], "web"); // taken
    world_say(&w, 1, "a\n");
    world_say(&w, 2, "b\n");
    world_settle(&w);
    expect_screen("web| a\r\nclient2| b\r\nserial| line 2 of the configuration makes no sense\r\n");
    world_free(&w);

    world_init(&w, 1, "prefix off");
    world_say(&w, 1, "a\n");
    world_settle(&w);
    expect_screen("a\r\n");
}

static void a_broken_driver_is_left_alone(void **state)
{
    (void)state;
    world_say(&w, 1, "a\n");
    atomic_store(&w.wire->left, 0x12345);
    world_run(&w);
    assert_true(w.mux.driver_broken);
    world_run(&w);
    assert_int_equal(w.wishes.notify, 0);
    assert_true(w.wishes.deadline == UINT64_MAX);
}

static void positions_wrap_around(void **state)
{
    (void)state;
    uint32_t start = UINT32_MAX - 1000;
    struct serial_region *regions[] = {w.wire, w.regions[1], w.regions[2]};
    for (unsigned i = 0; i < 3; i++) {
        atomic_store(&regions[i]->out.producer.position, start);
        atomic_store(&regions[i]->out.consumer.position, start);
        atomic_store(&regions[i]->left, start);
    }
    mux_init(&w.mux, WORLD_TICKS, NULL, 0, w.wire);
    serial_link_lower(&w.driver, w.wire);
    for (unsigned n = 1; n <= 2; n++) {
        mux_add_client(&w.mux, n, w.regions[n]);
        serial_link_upper(&w.clients[n], w.regions[n]);
    }
    for (unsigned i = 0; i < 100; i++) {
        world_say(&w, 1, "twenty characters..\n");
        world_settle(&w);
        assert_true(drained(1));
    }
    assert_int_equal(w.screen_length, 100 * (20 + 1 + 7));
}

#define TWO(test)  cmocka_unit_test_setup_teardown(test, begin_two, end)
#define NONE(test) cmocka_unit_test_teardown(test, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TWO(nothing_to_do_wants_nothing),
        TWO(lines_get_their_names),
        TWO(an_unfinished_line_comes_late),
        TWO(a_talker_does_not_starve_others),
        TWO(a_run_is_bounded),
        TWO(a_full_driver_holds_everyone_and_loses_nothing),
        TWO(a_client_learns_when_its_bytes_have_left),
        TWO(input_goes_to_the_selected),
        TWO(selecting_nobody_changes_nothing),
        TWO(unknown_commands_are_told),
        TWO(help_lists_clients),
        TWO(input_without_room_is_dropped_and_counted),
        TWO(much_input_takes_several_runs),
        TWO(quit_waits_for_its_words),
        TWO(quit_does_not_wait_for_ever),
        TWO(a_corrupt_ring_is_cut_off_and_others_go_on),
        TWO(a_cut_is_told_at_once),
        TWO(a_corrupt_input_ring_cuts_off_too),
        TWO(names_are_said_once_and_cannot_be_stolen),
        TWO(a_name_may_not_be_the_muxs_or_control_the_terminal),
        NONE(configuration_decides),
        TWO(a_broken_driver_is_left_alone),
        TWO(positions_wrap_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The emulated PL011: output through a sink that is full at times, input, interrupts, and how drivers use it.
// sources: vmm/dev/pl011.c vmm/fdt_write.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm_world.h"

#define BASE  0x9000000u
#define INTID 33u

static struct {
    char text[4096];
    size_t length;
    size_t room;
    unsigned rooms; // calls of room()
} sink;

static size_t sink_write(void *context, const uint8_t *bytes, size_t size)
{
    assert_ptr_equal(context, &sink);
    assert_true(world.locked);
    size_t taken = size < sink.room ? size : sink.room;
    memcpy(sink.text + sink.length, bytes, taken);
    sink.length += taken;
    sink.room -= taken;
    return taken;
}

static void sink_has_room(void *context)
{
    assert_ptr_equal(context, &sink);
    assert_false(world.locked);
    sink.rooms++;
}

static struct pl011 *uart;

static int begin(void **state)
{
    (void)state;
    static const struct char_sink to = {sink_write, sink_has_room, &sink};
    world_reset();
    memset(&sink, 0, sizeof(sink));
    sink.room = SIZE_MAX;
    uart = &world.vm.console;
    return pl011_create(&world.vm, uart, BASE, INTID, &to) == OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return world.locked || world.misused ? -1 : 0;
}

static uint32_t get(unsigned reg)
{
    return world_read(BASE + reg);
}

static void set(unsigned reg, uint32_t value)
{
    world_write(BASE + reg, value);
}

static void say(const char *text)
{
    for (; *text != '\0'; text++) {
        set(PL011_DR, (uint8_t)*text);
    }
}

static size_t type(const char *text)
{
    return pl011_input(uart, (const uint8_t *)text, strlen(text));
}

static void expect_said(const char *text)
{
    assert_int_equal(sink.length, strlen(text));
    assert_memory_equal(sink.text, text, sink.length);
}

static void fifos_on(void)
{
    set(PL011_LCR_H, PL011_LCR_H_8BIT | PL011_LCR_H_FEN);
}

static void it_says_who_it_is(void **state)
{
    (void)state;
    static const uint8_t ids[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(get(0xfe0 + 4 * i), ids[i]);
        assert_int_equal(world_access(BASE + 0xfe0 + 4 * i, 0, 1, false), ids[i]);
    }
}

static void registers_after_reset(void **state)
{
    (void)state;
    assert_int_equal(get(PL011_CR), 0x300);
    assert_int_equal(get(PL011_IFLS), 0x12);
    assert_int_equal(get(PL011_FR), 0x97); // both FIFOs empty, connected
    assert_int_equal(get(PL011_IMSC), 0);
    assert_int_equal(get(PL011_RIS), 0);
    assert_int_equal(get(PL011_RSR), 0);
    assert_int_equal(get(0x200), 0);
}

static void registers_hold_what_they_have_bits_for(void **state)
{
    (void)state;
    static const struct {
        unsigned reg;
        uint32_t bits;
    } table[] = {
        {PL011_ILPR, 0xff}, {PL011_IBRD, 0xffff}, {PL011_FBRD, 0x3f},  {PL011_LCR_H, 0xff},
        {PL011_CR, 0xff87}, {PL011_IFLS, 0x3f},   {PL011_IMSC, 0x7ff}, {PL011_DMACR, 7},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        set(table[i].reg, 0xffffffff);
        assert_int_equal(get(table[i].reg), table[i].bits);
        set(table[i].reg, 0);
        assert_int_equal(get(table[i].reg), 0);
    }
}

// Accesses of other sizes and places: no byte lanes, no side effects beyond the word.
static void accesses_of_every_size(void **state)
{
    (void)state;
    set(PL011_IBRD, 0x1234);
    assert_int_equal(world_access(BASE + PL011_IBRD, 0, 1, false), 0x34);
    assert_int_equal(world_access(BASE + PL011_IBRD + 1, 0, 1, false), 0x12);
    assert_int_equal(world_access(BASE + PL011_IBRD, 0, 2, false), 0x1234);
    assert_int_equal(world_access(BASE + PL011_IBRD + 1, 0, 4, false), 0x12);
    assert_int_equal(world_access(BASE + PL011_IBRD, 0, 8, false), 0x1234);
    world_access(BASE + PL011_IBRD + 1, 0x99, 1, true);
    assert_int_equal(get(PL011_IBRD), 0x1234);
    world_access(BASE + PL011_IBRD, 0x77, 2, true);
    assert_int_equal(get(PL011_IBRD), 0x77);
    assert_int_equal(world_access(BASE + PL011_FR, 0, 1, false), 0x97);
    assert_int_equal(world_access(BASE + PL011_FR, 0, 2, false), 0x97);
    assert_int_equal(world_access(BASE + PL011_SIZE - 1, 0, 8, false), 0);
    world_access(BASE + PL011_DR, 'x', 1, true);
    expect_said("x");
}

// earlycon, U-Boot, EDK2: wait for room, write; nothing was enabled.
static void a_polling_console(void **state)
{
    (void)state;
    for (const char *c = "hello\n"; *c != '\0'; c++) {
        assert_int_equal(get(PL011_FR) & PL011_FR_TXFF, 0);
        set(PL011_DR, (uint8_t)*c);
        assert_int_equal(get(PL011_FR) & PL011_FR_BUSY, 0);
    }
    expect_said("hello\n");
}

static void a_full_sink_fills_the_fifo_and_loses_nothing(void **state)
{
    (void)state;
    fifos_on();
    sink.room = 3;
    unsigned said = 0;
    while ((get(PL011_FR) & PL011_FR_TXFF) == 0) {
        set(PL011_DR, 'a' + said++ % 26);
    }
    assert_int_equal(said, 3 + 32);
    assert_int_equal(get(PL011_FR) & (PL011_FR_BUSY | PL011_FR_TXFE), PL011_FR_BUSY);
    sink.room = 5;
    pl011_output_ready(uart);
    assert_int_equal(get(PL011_FR) & PL011_FR_TXFF, 0);
    assert_int_equal(sink.length, 8);
    set(PL011_DR, 'a' + said++ % 26);
    sink.room = SIZE_MAX;
    set(PL011_DR, 'a' + said++ % 26); // takes along what waits
    assert_int_equal(get(PL011_FR) & (PL011_FR_BUSY | PL011_FR_TXFE), PL011_FR_TXFE);
    assert_int_equal(sink.length, said);
    for (unsigned i = 0; i < said; i++) {
        assert_int_equal(sink.text[i], 'a' + i % 26);
    }
}

static void without_fifos_one_byte_waits(void **state)
{
    (void)state;
    sink.room = 0;
    say("ab"); // b: nobody looked at the flags
    assert_int_equal(get(PL011_FR) & PL011_FR_TXFF, PL011_FR_TXFF);
    sink.room = SIZE_MAX;
    pl011_output_ready(uart);
    expect_said("a");
}

static void the_transmit_interrupt_comes_when_there_is_room(void **state)
{
    (void)state;
    fifos_on();
    sink.room = 0;
    set(PL011_IMSC, PL011_INT_TX);
    for (unsigned i = 0; i < 32; i++) {
        say("x");
    }
    assert_false(world.line[INTID]);
    sink.room = 10; // 22 are left: above the half
    pl011_output_ready(uart);
    assert_false(world.line[INTID]);
    sink.room = 6;
    pl011_output_ready(uart);
    assert_true(world.line[INTID]);
    assert_int_equal(get(PL011_MIS), PL011_INT_TX);
    sink.room = 0;
    say("y"); // 17: above again
    assert_false(world.line[INTID]);
    sink.room = SIZE_MAX;
    pl011_output_ready(uart);
    assert_true(world.line[INTID]);
    set(PL011_ICR, PL011_INT_TX);
    assert_false(world.line[INTID]);
    pl011_output_ready(uart); // nothing has left: no news
    assert_false(world.line[INTID]);
    say("z");
    assert_true(world.line[INTID]);
}

static void input_interrupts_at_once(void **state)
{
    (void)state;
    fifos_on();
    set(PL011_IMSC, PL011_INT_RX | PL011_INT_RT);
    assert_int_equal(type("a"), 1);
    assert_true(world.line[INTID]);
    assert_int_equal(get(PL011_MIS), PL011_INT_RT);
    assert_int_equal(get(PL011_FR) & PL011_FR_RXFE, 0);
    assert_int_equal(get(PL011_DR), 'a');
    assert_false(world.line[INTID]);
    assert_int_equal(get(PL011_FR) & PL011_FR_RXFE, PL011_FR_RXFE);
    assert_int_equal(get(PL011_DR), 0); // nothing there
}

static void the_receive_level_is_the_chosen_one(void **state)
{
    (void)state;
    static const unsigned levels[] = {4, 8, 16, 24, 28};
    fifos_on();
    for (unsigned i = 0; i < 5; i++) {
        set(PL011_IFLS, i << 3);
        for (unsigned n = 1; n <= levels[i]; n++) {
            assert_int_equal(get(PL011_RIS) & PL011_INT_RX, 0);
            assert_int_equal(type("x"), 1);
        }
        assert_int_equal(get(PL011_RIS) & PL011_INT_RX, PL011_INT_RX);
        assert_int_equal(get(PL011_DR), 'x');
        assert_int_equal(get(PL011_RIS) & PL011_INT_RX, 0);
        while ((get(PL011_FR) & PL011_FR_RXFE) == 0) {
            get(PL011_DR);
        }
        assert_int_equal(get(PL011_RIS), 0);
    }
}

static void input_waits_for_room(void **state)
{
    (void)state;
    fifos_on();
    char text[40];
    memset(text, 'x', sizeof(text));
    assert_int_equal(pl011_input(uart, (const uint8_t *)text, sizeof(text)), 32);
    assert_int_equal(get(PL011_FR) & PL011_FR_RXFF, PL011_FR_RXFF);
    assert_int_equal(sink.rooms, 0);
    get(PL011_DR);
    assert_int_equal(sink.rooms, 1);
    get(PL011_DR); // told once
    assert_int_equal(sink.rooms, 1);
    assert_int_equal(type("yy"), 2);
    get(PL011_DR); // all was taken: nothing owed
    assert_int_equal(sink.rooms, 1);
}

static void without_fifos_input_comes_byte_by_byte(void **state)
{
    (void)state;
    set(PL011_IMSC, PL011_INT_RX);
    assert_int_equal(type("ab"), 1);
    assert_true(world.line[INTID]);
    assert_int_equal(get(PL011_RIS), PL011_INT_RX);
    assert_int_equal(get(PL011_DR), 'a');
    assert_false(world.line[INTID]);
    assert_int_equal(sink.rooms, 1);
    assert_int_equal(type("b"), 1);
    assert_int_equal(get(PL011_DR), 'b');
}

static void fifos_switched_empty_the_receiver_only(void **state)
{
    (void)state;
    fifos_on();
    sink.room = 0;
    say("out");
    type("in");
    set(PL011_LCR_H, 0);
    assert_int_equal(get(PL011_FR) & PL011_FR_RXFE, PL011_FR_RXFE);
    assert_int_equal(get(PL011_FR) & PL011_FR_TXFF, PL011_FR_TXFF);
    assert_int_equal(get(PL011_RIS), 0);
    sink.room = SIZE_MAX;
    pl011_output_ready(uart);
    expect_said("out");
}

static void loopback_says_nothing_outside(void **state)
{
    (void)state;
    set(PL011_CR, PL011_CR_LBE | PL011_CR_TXE);
    say("a");
    assert_int_equal(get(PL011_RIS), PL011_INT_TX); // how old drivers provoke their first interrupt
    assert_int_equal(get(PL011_FR) & PL011_FR_RXFE, PL011_FR_RXFE);
    set(PL011_CR, PL011_CR_LBE | PL011_CR_TXE | PL011_CR_RXE);
    say("bc");
    assert_int_equal(get(PL011_DR), 'b');
    assert_int_equal(get(PL011_DR), 0);
    expect_said("");
}

// As Linux's driver sends: fill by polling, then by interrupts of half a FIFO each.
static void a_driver_sends_by_interrupts(void **state)
{
    (void)state;
    char text[500];
    unsigned next = 0;
    for (unsigned i = 0; i < sizeof(text); i++) {
        text[i] = (char)('A' + i % 50);
    }
    fifos_on();
    sink.room = 20;
    while ((get(PL011_FR) & PL011_FR_TXFF) == 0) {
        set(PL011_DR, (uint8_t)text[next++]);
    }
    set(PL011_IMSC, PL011_INT_TX);
    while (next < sizeof(text)) {
        sink.room = 16;
        pl011_output_ready(uart);
        assert_true(world.line[INTID]);
        for (unsigned i = 0; i < 16 && next < sizeof(text); i++) {
            set(PL011_DR, (uint8_t)text[next++]);
        }
    }
    set(PL011_IMSC, 0);
    sink.room = SIZE_MAX;
    pl011_output_ready(uart);
    assert_int_equal(sink.length, sizeof(text));
    assert_memory_equal(sink.text, text, sizeof(text));
}

static void a_reset_keeps_output(void **state)
{
    (void)state;
    fifos_on();
    set(PL011_IMSC, PL011_INT_RT);
    sink.room = 0;
    say("Restarting");
    type("x");
    assert_true(world.line[INTID]);
    pl011_reset(uart);
    assert_false(world.line[INTID]);
    assert_int_equal(get(PL011_IMSC), 0);
    assert_int_equal(get(PL011_FR) & PL011_FR_RXFE, PL011_FR_RXFE);
    sink.room = SIZE_MAX;
    pl011_output_ready(uart);
    expect_said("Restarting");
}

static void the_line_changes_only_when_it_does(void **state)
{
    (void)state;
    set(PL011_IMSC, PL011_INT_TX);
    say("abc");
    assert_int_equal(world.line_changes, 1);
    set(PL011_IMSC, 0);
    assert_int_equal(world.line_changes, 2);
    assert_false(world.line[INTID]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_says_who_it_is),
        TEST(registers_after_reset),
        TEST(registers_hold_what_they_have_bits_for),
        TEST(accesses_of_every_size),
        TEST(a_polling_console),
        TEST(a_full_sink_fills_the_fifo_and_loses_nothing),
        TEST(without_fifos_one_byte_waits),
        TEST(the_transmit_interrupt_comes_when_there_is_room),
        TEST(input_interrupts_at_once),
        TEST(the_receive_level_is_the_chosen_one),
        TEST(input_waits_for_room),
        TEST(without_fifos_input_comes_byte_by_byte),
        TEST(fifos_switched_empty_the_receiver_only),
        TEST(loopback_says_nothing_outside),
        TEST(a_driver_sends_by_interrupts),
        TEST(a_reset_keeps_output),
        TEST(the_line_changes_only_when_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

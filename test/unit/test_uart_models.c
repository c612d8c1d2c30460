// The UART models against registers in plain memory: which bits they look at, and what they write.
// sources: drivers/uart/pl011.c drivers/uart/cadence.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <drivers/uart/uart.h>
#include <spec/cadence_uart.h>
#include <spec/pl011.h>

static uint32_t memory[1024];

static uart_regs_t regs(void)
{
    return (uart_regs_t){(uintptr_t)memory};
}

static int begin(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    return 0;
}

static void pl011_sends_unless_full(void **state)
{
    (void)state;
    memory[PL011_FR / 4] = PL011_FR_BUSY | PL011_FR_RXFE;
    assert_true(pl011_model.put(regs(), 'x'));
    assert_int_equal(memory[PL011_DR / 4], 'x');
    memory[PL011_FR / 4] |= PL011_FR_TXFF;
    assert_false(pl011_model.put(regs(), 'y'));
    assert_int_equal(memory[PL011_DR / 4], 'x');
}

static void pl011_receives_unless_empty(void **state)
{
    (void)state;
    uint8_t byte = 0;
    memory[PL011_DR / 4] = 0xf00 | 'x'; // with all error bits: still a byte
    memory[PL011_FR / 4] = PL011_FR_RXFE;
    assert_false(pl011_model.get(regs(), &byte));
    memory[PL011_FR / 4] = PL011_FR_TXFF;
    assert_true(pl011_model.get(regs(), &byte));
    assert_int_equal(byte, 'x');
}

static void pl011_is_idle_when_not_busy(void **state)
{
    (void)state;
    memory[PL011_FR / 4] = PL011_FR_BUSY;
    assert_false(pl011_model.idle(regs()));
    memory[PL011_FR / 4] = 0;
    assert_true(pl011_model.idle(regs()));
}

static void pl011_interrupts(void **state)
{
    (void)state;
    memory[PL011_CR / 4] = 0;
    pl011_model.start(regs());
    assert_int_equal(memory[PL011_CR / 4], PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);
    assert_int_equal(memory[PL011_IMSC / 4], PL011_INT_RX | PL011_INT_RT);
    pl011_model.want_room(regs(), true);
    assert_int_equal(memory[PL011_IMSC / 4], PL011_INT_RX | PL011_INT_RT | PL011_INT_TX);
    pl011_model.want_room(regs(), false);
    assert_int_equal(memory[PL011_IMSC / 4], PL011_INT_RX | PL011_INT_RT);
    memory[PL011_MIS / 4] = PL011_INT_RT;
    pl011_model.acknowledge(regs());
    assert_int_equal(memory[PL011_ICR / 4], PL011_INT_RT);
}

static void cadence_sends_unless_full(void **state)
{
    (void)state;
    assert_true(cadence_model.put(regs(), 'x'));
    assert_int_equal(memory[CADENCE_FIFO / 4], 'x');
    memory[CADENCE_SR / 4] = CADENCE_SR_TXFULL;
    assert_false(cadence_model.put(regs(), 'y'));
    assert_int_equal(memory[CADENCE_FIFO / 4], 'x');
}

static void cadence_receives_unless_empty(void **state)
{
    (void)state;
    uint8_t byte = 0;
    memory[CADENCE_FIFO / 4] = 'x';
    memory[CADENCE_SR / 4] = CADENCE_SR_RXEMPTY;
    assert_false(cadence_model.get(regs(), &byte));
    memory[CADENCE_SR / 4] = 0;
    assert_true(cadence_model.get(regs(), &byte));
    assert_int_equal(byte, 'x');
}

static void cadence_is_idle_when_empty_and_still(void **state)
{
    (void)state;
    assert_false(cadence_model.idle(regs()));
    memory[CADENCE_SR / 4] = CADENCE_SR_TXEMPTY | CADENCE_SR_TACTIVE;
    assert_false(cadence_model.idle(regs()));
    memory[CADENCE_SR / 4] = CADENCE_SR_TXEMPTY | CADENCE_SR_RXEMPTY;
    assert_true(cadence_model.idle(regs()));
}

static void cadence_interrupts(void **state)
{
    (void)state;
    cadence_model.start(regs());
    assert_int_equal(memory[CADENCE_CR / 4], CADENCE_CR_TX_EN | CADENCE_CR_RX_EN);
    assert_int_equal(memory[CADENCE_IDR / 4], CADENCE_INT_ALL);
    assert_int_equal(memory[CADENCE_IER / 4], CADENCE_INT_RTRIG);
    cadence_model.want_room(regs(), true);
    assert_int_equal(memory[CADENCE_IER / 4], CADENCE_INT_TEMPTY);
    cadence_model.want_room(regs(), false);
    assert_int_equal(memory[CADENCE_IDR / 4], CADENCE_INT_TEMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pl011_sends_unless_full, begin),
        cmocka_unit_test_setup(pl011_receives_unless_empty, begin),
        cmocka_unit_test_setup(pl011_is_idle_when_not_busy, begin),
        cmocka_unit_test_setup(pl011_interrupts, begin),
        cmocka_unit_test_setup(cadence_sends_unless_full, begin),
        cmocka_unit_test_setup(cadence_receives_unless_empty, begin),
        cmocka_unit_test_setup(cadence_is_idle_when_empty_and_still, begin),
        cmocka_unit_test_setup(cadence_interrupts, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// A UART driver's pump on the development machine, with a UART that is nothing but a FIFO. For tests and fuzzers of
// drivers/uart/pump.c.
#pragma once

#include <stdint.h>
#include <string.h>

#include <drivers/uart/pump.h>

#define UART_FIFO  16u
#define UART_TICKS 1000000u // a second

// The device, and who is at its two ends.
static struct {
    uint8_t fifo[UART_FIFO];
    unsigned fifo_length;
    bool shifting; // the last byte is still being sent
    bool wants_room;
    unsigned started;
    char screen[16384]; // what has left the wire
    unsigned screen_length;
    char typed[1024]; // what arrives
    unsigned typed_first, typed_length;
    struct serial_region region;
    struct serial_link upper;
    struct pump pump;
} uart;

static void uart_start(uart_regs_t regs)
{
    (void)regs;
    uart.started++;
}

static bool uart_put(uart_regs_t regs, uint8_t byte)
{
    (void)regs;
    if (uart.fifo_length == UART_FIFO) {
        return false;
    }
    uart.fifo[uart.fifo_length++] = byte;
    return true;
}

static bool uart_get(uart_regs_t regs, uint8_t *byte)
{
    (void)regs;
    if (uart.typed_first == uart.typed_length) {
        return false;
    }
    *byte = (uint8_t)uart.typed[uart.typed_first++];
    return true;
}

static bool uart_idle(uart_regs_t regs)
{
    (void)regs;
    return uart.fifo_length == 0 && !uart.shifting;
}

static void uart_want_room(uart_regs_t regs, bool want)
{
    (void)regs;
    uart.wants_room = want;
}

static const struct uart_model uart_model = {
    .start = uart_start,
    .put = uart_put,
    .get = uart_get,
    .idle = uart_idle,
    .want_room = uart_want_room,
};

static inline void uart_reset(void)
{
    memset(&uart, 0, sizeof(uart));
    serial_link_upper(&uart.upper, &uart.region);
    pump_init(&uart.pump, &uart_model, (uart_regs_t){0}, &uart.region, UART_TICKS);
}

// The FIFO empties onto the wire.
static inline void uart_send(void)
{
    for (unsigned i = 0; i < uart.fifo_length; i++) {
        if (uart.screen_length < sizeof(uart.screen) - 1) {
            uart.screen[uart.screen_length++] = (char)uart.fifo[i];
        }
    }
    uart.fifo_length = 0;
}

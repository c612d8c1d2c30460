// The PL011 of Arm's boards and QEMU's virt: Arm DDI 0183.
#include "uart.h"

#include <stddef.h>

#include <spec/pl011.h>

static const char *const pl011_compatible[] = {"arm,pl011", "arm,sbsa-uart", NULL};

// A timeout of the receive FIFO interrupts too: what stays below the FIFO's level is not forgotten.
#define RECEIVE_INTERRUPTS ((uint32_t)(PL011_INT_RX | PL011_INT_RT))

static void pl011_start(uart_regs_t regs)
{
    uint32_t cr = uart_read(regs, PL011_CR);
    uint32_t on = (uint32_t)(PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);

    uart_write(regs, PL011_IMSC, 0);
    if ((cr & on) != on) {
        uart_write(regs, PL011_CR, cr | on);
    }
    uart_write(regs, PL011_ICR, (uint32_t)PL011_INT_ALL);
    uart_write(regs, PL011_IFLS, 0); // receive from 1/8 full, transmit down to 1/8
    uart_write(regs, PL011_IMSC, RECEIVE_INTERRUPTS);
}

static bool pl011_put(uart_regs_t regs, uint8_t byte)
{
    if ((uart_read(regs, PL011_FR) & PL011_FR_TXFF) != 0) {
        return false;
    }
    uart_write(regs, PL011_DR, byte);
    return true;
}

static bool pl011_get(uart_regs_t regs, uint8_t *byte)
{
    if ((uart_read(regs, PL011_FR) & PL011_FR_RXFE) != 0) {
        return false;
    }
    // Drops the error bits: a damaged character is still one.
    *byte = (uint8_t)uart_read(regs, PL011_DR);
    return true;
}

// BUSY covers the FIFO and the shift register.
static bool pl011_idle(uart_regs_t regs)
{
    return (uart_read(regs, PL011_FR) & PL011_FR_BUSY) == 0;
}

// The transmit interrupt comes when the level falls through the threshold, so only a full FIFO is sure to give one.
static void pl011_want_room(uart_regs_t regs, bool want)
{
    uart_write(regs, PL011_IMSC, RECEIVE_INTERRUPTS | (want ? (uint32_t)PL011_INT_TX : 0));
}

static void pl011_acknowledge(uart_regs_t regs)
{
    uart_write(regs, PL011_ICR, uart_read(regs, PL011_MIS));
}

const struct uart_model pl011_model = {
    .compatible = pl011_compatible,
    .start = pl011_start,
    .put = pl011_put,
    .get = pl011_get,
    .idle = pl011_idle,
    .want_room = pl011_want_room,
    .acknowledge = pl011_acknowledge,
};

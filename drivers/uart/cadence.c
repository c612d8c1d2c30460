// The Cadence UART of the Zynq and Zynq UltraScale+ families: Xilinx UG1087, module UART.
#include "uart.h"

#include <stddef.h>

#include <spec/cadence_uart.h>

static const char *const cadence_compatible[] = {"xlnx,zynqmp-uart", "cdns,uart-r1p12",
                                                 "cdns,uart-r1p8", "xlnx,xuartps", NULL};

static void cadence_start(uart_regs_t regs)
{
    uart_write(regs, CADENCE_IDR, (uint32_t)CADENCE_INT_ALL);
    // Disable bits win over enable bits: a control word with both enables and neither disable.
    uart_write(regs, CADENCE_CR, (uint32_t)(CADENCE_CR_TX_EN | CADENCE_CR_RX_EN));
    // Every character interrupts: a person types them, and no timeout needs restarting.
    uart_write(regs, CADENCE_RXWM, 1);
    uart_write(regs, CADENCE_ISR, (uint32_t)CADENCE_INT_ALL);
    uart_write(regs, CADENCE_IER, (uint32_t)CADENCE_INT_RTRIG);
}

static bool cadence_put(uart_regs_t regs, uint8_t byte)
{
    if ((uart_read(regs, CADENCE_SR) & CADENCE_SR_TXFULL) != 0) {
        return false;
    }
    uart_write(regs, CADENCE_FIFO, byte);
    return true;
}

static bool cadence_get(uart_regs_t regs, uint8_t *byte)
{
    if ((uart_read(regs, CADENCE_SR) & CADENCE_SR_RXEMPTY) != 0) {
        return false;
    }
    *byte = (uint8_t)uart_read(regs, CADENCE_FIFO);
    return true;
}

// Empty FIFO and nothing in the shift register.
static bool cadence_idle(uart_regs_t regs)
{
    uint32_t mask = (uint32_t)(CADENCE_SR_TXEMPTY | CADENCE_SR_TACTIVE);
    return (uart_read(regs, CADENCE_SR) & mask) == CADENCE_SR_TXEMPTY;
}

// An empty FIFO rather than one with room: 64 characters are 5 ms at 115,200 baud, and it is one interrupt for all.
static void cadence_want_room(uart_regs_t regs, bool want)
{
    uart_write(regs, want ? CADENCE_IER : CADENCE_IDR, (uint32_t)CADENCE_INT_TEMPTY);
}

static void cadence_acknowledge(uart_regs_t regs)
{
    uart_write(regs, CADENCE_ISR, uart_read(regs, CADENCE_ISR));
}

const struct uart_model cadence_model = {
    .compatible = cadence_compatible,
    .start = cadence_start,
    .put = cadence_put,
    .get = cadence_get,
    .idle = cadence_idle,
    .want_room = cadence_want_room,
    .acknowledge = cadence_acknowledge,
};

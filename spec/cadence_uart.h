// Cadence UART of the Zynq UltraScale+ MPSoC: register reference UG1087, module UART. Registers are 32 bits wide.
#pragma once

#include <base/bits.h>

enum cadence_register {
    CADENCE_CR = 0x00,
    CADENCE_MR = 0x04,
    CADENCE_IER = 0x08,
    CADENCE_IDR = 0x0c,
    CADENCE_IMR = 0x10,
    CADENCE_ISR = 0x14, // write 1 to clear
    CADENCE_RXTOUT = 0x1c,
    CADENCE_RXWM = 0x20,
    CADENCE_SR = 0x2c,
    CADENCE_FIFO = 0x30,
    CADENCE_TXWM = 0x44,
};

#define CADENCE_CR_RXRES  BIT(0)
#define CADENCE_CR_TXRES  BIT(1)
#define CADENCE_CR_RX_EN  BIT(2)
#define CADENCE_CR_RX_DIS BIT(3)
#define CADENCE_CR_TX_EN  BIT(4)
#define CADENCE_CR_TX_DIS BIT(5)
#define CADENCE_CR_TORST  BIT(6) // restart the receive timeout

#define CADENCE_SR_RXEMPTY BIT(1)
#define CADENCE_SR_TXEMPTY BIT(3)
#define CADENCE_SR_TXFULL  BIT(4)
#define CADENCE_SR_TACTIVE BIT(11) // a character is being shifted out

// IER, IDR, IMR, ISR
#define CADENCE_INT_RTRIG  BIT(0)
#define CADENCE_INT_REMPTY BIT(1)
#define CADENCE_INT_RFUL   BIT(2)
#define CADENCE_INT_TEMPTY BIT(3)
#define CADENCE_INT_TFUL   BIT(4)
#define CADENCE_INT_ERRORS FIELD(7, 5) // overrun, framing, parity
#define CADENCE_INT_TOUT   BIT(8)
#define CADENCE_INT_ALL    FIELD(12, 0)

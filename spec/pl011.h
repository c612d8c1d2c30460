// PrimeCell UART PL011: Arm DDI 0183, section 3.2. Registers are 32 bits wide.
#pragma once

#include <base/bits.h>

enum pl011_register {
    PL011_DR = 0x000,
    PL011_RSR = 0x004, // receive status, error clear
    PL011_FR = 0x018,
    PL011_ILPR = 0x020,
    PL011_IBRD = 0x024,
    PL011_FBRD = 0x028,
    PL011_LCR_H = 0x02c,
    PL011_CR = 0x030,
    PL011_IFLS = 0x034,
    PL011_IMSC = 0x038,
    PL011_RIS = 0x03c,
    PL011_MIS = 0x040,
    PL011_ICR = 0x044,
    PL011_DMACR = 0x048,
};

#define PL011_SIZE          0x1000u
#define PL011_PERIPHERAL_ID 0x00341011u // r1p5: FIFOs of 32 bytes
#define PL011_FIFO_SIZE     32u

#define PL011_FR_CTS  BIT(0)
#define PL011_FR_DSR  BIT(1)
#define PL011_FR_DCD  BIT(2)
#define PL011_FR_BUSY BIT(3)
#define PL011_FR_RXFE BIT(4) // receive FIFO empty
#define PL011_FR_TXFF BIT(5) // transmit FIFO full
#define PL011_FR_RXFF BIT(6)
#define PL011_FR_TXFE BIT(7)

#define PL011_LCR_H_FEN  BIT(4) // FIFOs on
#define PL011_LCR_H_8BIT FIELD(6, 5)

#define PL011_CR_UARTEN BIT(0)
#define PL011_CR_LBE    BIT(7) // loopback
#define PL011_CR_TXE    BIT(8)
#define PL011_CR_RXE    BIT(9)
#define PL011_CR_RESET  (PL011_CR_TXE | PL011_CR_RXE)

// IFLS: eighths of the FIFO by value, for each direction: 1/8, 1/4, 1/2, 3/4, 7/8.
#define PL011_IFLS_TX_LO 0u
#define PL011_IFLS_RX_LO 3u
#define PL011_IFLS_RESET 0x12u // 1/2 both

// IMSC, RIS, MIS, ICR
#define PL011_INT_RX     BIT(4)
#define PL011_INT_TX     BIT(5)
#define PL011_INT_RT     BIT(6) // receive timeout
#define PL011_INT_ERRORS FIELD(10, 7)
#define PL011_INT_ALL    FIELD(10, 0)

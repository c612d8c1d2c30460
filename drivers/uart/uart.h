// What a UART model supplies to the driver: one table per model, in a file of its own. main.c calls it, from the
// driver's event loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Address of a model's registers.
typedef struct {
    uintptr_t base;
} uart_regs_t;

struct uart_model {
    const char *const *compatible; // ends with NULL
    // Switches the receive interrupt on. Keeps baud rate and framing as the firmware or the kernel left them.
    void (*start)(uart_regs_t regs);
    bool (*put)(uart_regs_t regs, uint8_t byte);  // false: the transmit FIFO is full
    bool (*get)(uart_regs_t regs, uint8_t *byte); // false: nothing received
    bool (*idle)(uart_regs_t regs);               // has every byte left the wire?
    // Asks for an interrupt once the full transmit FIFO has room.
    void (*want_room)(uart_regs_t regs, bool want);
    // Withdraws the device's interrupt. Called before the FIFOs are served, so that what comes later interrupts anew.
    void (*acknowledge)(uart_regs_t regs);
};

extern const struct uart_model pl011_model;
extern const struct uart_model cadence_model;

static inline uint32_t uart_read(uart_regs_t regs, uint32_t offset)
{
    return *(volatile uint32_t *)(regs.base + offset);
}

static inline void uart_write(uart_regs_t regs, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(regs.base + offset) = value;
}

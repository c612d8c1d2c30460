// The UART under the kernel's console: polled, transmit only, as firmware set it up. Also used with the MMU off, to say
// why the kernel cannot run: no pointers in tables, no atomics.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/range.h>

struct uart {
    volatile void *base; // NULL: none found
    uint32_t model;      // row of the table in uart.c
    uint32_t irq;        // INTID, 0 if unknown; the kernel does not use it
    struct range physical;
    bool dead; // it did not take a character in time: no more are sent
};

// Looks in the tree: /chosen/stdout-path, else the first one known. physical is empty if there is none.
void uart_find(const void *fdt, struct uart *uart);

// From now on text goes to the registers at base.
void uart_use(struct uart *uart, volatile void *base);

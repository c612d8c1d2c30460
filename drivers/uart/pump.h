// The UART driver without its process: moves bytes between a UART and a serial link, a bounded amount in one run. Works
// on a model (uart.h) and a clock that the caller reads.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <lib/serial_link.h>

#include "uart.h"

#define PUMP_TRANSMIT_BUDGET 1024u // bytes a run
#define PUMP_RECEIVE_BUDGET  256u

struct pump {
    const struct uart_model *model;
    uart_regs_t regs;
    struct serial_link link;
    uint64_t settle;  // ticks between two looks at a UART that still sends, and between two reports
    uint64_t tell_at; // ticks: the other end is told again what has left then at the earliest
    uint32_t left;    // position before which every byte has left the wire
    uint32_t told;    // that the other end was told
    uint32_t guarded; // bytes of SERIAL_GUARDED written last; all: its guard is due
    bool waits;       // for room in the FIFO
    bool broken;      // the other end's ring made no sense: nothing moves any more
};

struct pump_wishes {
    bool notify; // the other end
    uint64_t
        deadline; // ticks: run again then at the latest; UINT64_MAX: only for an interrupt or a notification
};

// Starts the device. `region` is shared with the other end.
void pump_init(struct pump *p, const struct uart_model *model, uart_regs_t regs, void *region,
               uint64_t ticks_per_second);

struct pump_wishes pump_run(struct pump *p, uint64_t now);

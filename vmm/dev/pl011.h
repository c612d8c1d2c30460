// Emulated PL011, revision r1p5: the guest's first console (spec/pl011.h).
//
// Output goes to a sink at once. What the sink has no room for waits in the transmit FIFO: the guest sees it fill up,
// and nothing is lost. Input waits at its source until the receive FIFO has room.
//
// There is no time in a virtual line: a byte is sent when the sink has it, and the receive timeout has passed as soon as
// bytes are there. Bytes go both ways whether or not the UART is enabled: early consoles don't ask. There are no line
// errors and no DMA; modem lines say that somebody is connected.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/err.h>
#include <spec/pl011.h>

#include "../bus.h"

struct fdt_writer;
struct vm;

// Where a device's characters go. `write` is called with the VM's lock held: it must not block, nor call the device.
struct char_sink {
    // Returns how many bytes it took. After less than `size`, whoever owns the sink calls pl011_output_ready when it
    // has room again.
    size_t (*write)(void *context, const uint8_t *bytes, size_t size);
    // After pl011_input took less than it was offered: there is room now. The lock is not held. May be NULL.
    void (*room)(void *context);
    void *context;
};

struct pl011_fifo {
    uint8_t bytes[PL011_FIFO_SIZE];
    uint8_t first;
    uint8_t count;
};

// Plain data: all that a snapshot needs. Under the VM's lock.
struct pl011_state {
    _Atomic uint32_t flags; // FR, as the guest reads it without the lock
    uint32_t interrupts;    // RIS
    uint32_t mask;          // IMSC
    uint32_t line_control;  // LCR_H
    uint32_t control;       // CR
    uint32_t levels;        // IFLS
    uint32_t ilpr;
    uint32_t ibrd;
    uint32_t fbrd;
    uint32_t dmacr;
    bool line;        // interrupt, as the GIC heard of it last
    bool input_waits; // room() is owed
    struct pl011_fifo in;
    struct pl011_fifo out;
};

struct pl011 {
    struct vm *vm;
    uint64_t base;
    uint32_t intid;
    struct char_sink sink;
    struct pl011_state state;
};

// Puts it on the VM's bus. `intid` is that of an SPI.
err_t pl011_create(struct vm *vm, struct pl011 *d, uint64_t base, uint32_t intid,
                   const struct char_sink *sink) WARN_UNUSED;

// As after a reset of the VM; all vcpus stand still. Output that still waits is kept.
void pl011_reset(struct pl011 *d);

// Bytes for the guest. Returns how many it took; the others are offered again when the sink's `room` is called. Any
// thread, without the VM's lock.
size_t pl011_input(struct pl011 *d, const uint8_t *bytes, size_t size);

// The sink has room again. Any thread, without the VM's lock.
void pl011_output_ready(struct pl011 *d);

// Its node of the guest's device tree.
void pl011_describe(const struct pl011 *d, struct fdt_writer *w);

// Its registers; vm->bus calls it.
enum handled pl011_access(void *device, struct bus_access *a);

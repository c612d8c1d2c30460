// Emulated PL031: the guest's real-time clock, in seconds since 1970 (spec/pl031.h).
//
// It counts from the number it is created with. Its alarm needs somebody who looks at the time: pl031_deadline says when,
// pl031_run does what is due.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <spec/pl031.h>

#include "../bus.h"

struct fdt_writer;
struct vm;

// Plain data: all that a snapshot needs. Under the VM's lock.
struct pl031_state {
    uint32_t seconds;       // the count at
    uint64_t since;         // this tick of port_now
    uint32_t match;         // MR
    uint32_t load;          // LR
    uint32_t interrupt;     // RIS
    uint32_t mask;          // IMSC
    bool line;              // as the GIC heard of it last
    _Atomic uint64_t alarm; // tick at which the count gets to `match`, UINT64_MAX: not foreseen
};

struct pl031 {
    struct vm *vm;
    uint64_t base;
    uint32_t intid;
    void (*moved)(void); // pl031_deadline says something else now; NULL: nobody asks
    struct pl031_state state;
};

// Puts it on the VM's bus; the count starts at `seconds`. `intid` is that of an SPI.
err_t pl031_create(struct vm *vm, struct pl031 *d, uint64_t base, uint32_t intid,
                   uint32_t seconds) WARN_UNUSED;

// As after a reset of the VM; all vcpus stand still. The count goes on.
void pl031_reset(struct pl031 *d);

// When pl031_run has something to do: ticks of port_now, UINT64_MAX for never. Any thread, no lock. It changes when the
// guest writes a register.
uint64_t pl031_deadline(const struct pl031 *d);

// Raises the alarm if it is due. Any thread, without the VM's lock.
void pl031_run(struct pl031 *d);

// Its node of the guest's device tree.
void pl031_describe(const struct pl031 *d, struct fdt_writer *w);

// Its registers; vm->bus calls it.
enum handled pl031_access(void *device, struct bus_access *a);

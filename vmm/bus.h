// The MMIO bus: which device answers at which address. Ranges are added while the machine is made and never change
// afterwards; lookups take no lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <base/range.h>

struct vcpu;
enum handled;

// An access of 1, 2, 4 or 8 bytes, which may be unaligned and may reach past the device's range: each device decides
// what that means; the bus has checked that its first byte is inside. Reads leave `value` zero-extended.
struct bus_access {
    struct vcpu *vcpu; // who makes it
    uint64_t offset;   // in the range
    uint64_t value;    // written, or read
    uint8_t size;      // bytes: 1, 2, 4, 8
    bool write;
};

typedef enum handled bus_fn(void *device, struct bus_access *a);

struct bus_range {
    struct range where; // of intermediate physical addresses
    bus_fn *access;
    void *device;
    const char *name; // for messages
};

#define BUS_RANGES_MAX 64u

struct bus {
    uint32_t count;
    struct bus_range ranges[BUS_RANGES_MAX]; // by address, disjoint
};

// ERR_OCCUPIED: it overlaps another; ERR_NO_MEMORY: there are too many. Then nothing has changed.
err_t bus_add(struct bus *b, struct bus_range range) WARN_UNUSED;

// NULL: nobody is there.
const struct bus_range *bus_find(const struct bus *b, uint64_t ipa);

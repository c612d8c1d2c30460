// Devices that a description names instead of giving addresses: found in the machine's device tree.
//
// A name is an alias of the tree, a full path, a compatible string, or `stdout`, the console that firmware chose. A
// description gives several, separated by spaces, so that it fits several machines: the first that this machine has
// is taken.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <base/range.h>

#include "tree.h"

struct device {
    struct tree_path path;  // its node
    struct range registers; // first entry of reg, physical
    const char *compatible; // first compatible string, in the tree; "" if it has none
    uint64_t clock_hz;      // of its first clock if the tree tells, else 0
    bool has_irq;
    struct tree_irq irq; // its first
};

enum device_answer {
    DEVICE_FOUND,
    DEVICE_MISSING,      // nothing here has one of the names
    DEVICE_TAKEN,        // what has is somebody's already
    DEVICE_NO_REGISTERS, // it has none that the cores can reach
};

// Is the node at this offset given away already? A compatible string then goes on to the next that fits.
typedef bool device_taken_fn(const void *context, int node);

enum device_answer device_find(const void *fdt, const char *names, device_taken_fn *taken,
                               const void *context, struct device *out) WARN_UNUSED;

// The pages that hold its registers.
struct range device_pages(const struct device *d);

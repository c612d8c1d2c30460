// The machine's device tree (Devicetree Specification 0.4): walking it, and what its reg, ranges, interrupts and
// clocks properties mean on this machine. The tree is the firmware's: nothing in it is trusted, anything odd makes
// the question that met it answer "no".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/syscall.h>
#include <base/range.h>

#define TREE_DEPTH_MAX 16 // nodes below that are not looked at

// A node and the way to it: at[0] is the root, at[depth] the node. An empty path (depth -1) starts a walk.
struct tree_path {
    int depth;
    int at[TREE_DEPTH_MAX]; // libfdt's offsets
};

struct tree_irq {
    uint32_t intid;
    enum irq_trigger trigger;
};

// Is there a sound tree of at most `size` bytes? What else is asked of it may rely on that.
bool tree_check(const void *fdt, size_t size);

// The next node in the tree's order, starting with the root. False: that was the last.
bool tree_next(const void *fdt, struct tree_path *path);
// Finds a node by its full path (as in /soc/serial@0), or by its offset.
bool tree_find_path(const void *fdt, const char *name, struct tree_path *path);
bool tree_find_offset(const void *fdt, int offset, struct tree_path *path);

bool tree_is_compatible(const void *fdt, const struct tree_path *path, const char *compatible);
// Neither the node nor a bus above it is disabled.
bool tree_enabled(const void *fdt, const struct tree_path *path);
// Entry `index` of reg, as the cores see it.
bool tree_reg(const void *fdt, const struct tree_path *path, unsigned index, struct range *out);
// Interrupt `index`, if it goes to the GIC.
bool tree_irq(const void *fdt, const struct tree_path *path, unsigned index, struct tree_irq *out);
// Rate of the first clock if that is a fixed one, else 0.
uint64_t tree_clock_hz(const void *fdt, const struct tree_path *path);

bool tree_is_memory(const void *fdt, struct range r); // does r touch RAM?
// Does r touch the registers or windows of a device?
bool tree_is_device(const void *fdt, struct range r);

// Reading the flattened device tree (Devicetree Specification 0.4; format: spec/fdt.h). devtree_valid walks all of it
// once and checks every offset and length; everything else relies on that. No hardware: tested on the development
// machine.
//
// A node is the offset of its first word in the tree, its name behind it; -1 is no node, and has no properties.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/range.h>

#define DEVTREE_MAX       0x200000u // bytes
#define DEVTREE_DEPTH_MAX 16u

// Is there a tree at fdt, aligned to 8 bytes and not longer than DEVTREE_MAX?
bool devtree_valid(const void *fdt);
uint32_t devtree_size(const void *fdt);

// The next node in the order of the tree, of any depth; from -1 the root. *depth, if wanted, goes along: 0 at the root.
int devtree_next(const void *fdt, int node, int *depth);

// Children: the first with `after` -1.
int devtree_child(const void *fdt, int parent, int after);

// Node of an absolute path; of an alias with what follows it; -1. `length`: of the path.
int devtree_path(const void *fdt, const char *path, uint32_t length);

// Value of a property, NULL if there is none. *length in bytes, if wanted.
const void *devtree_property(const void *fdt, int node, const char *name, uint32_t *length);

// A property that starts with a string: the string, or NULL.
const char *devtree_string(const void *fdt, int node, const char *name);

// Is one of the strings of the property this one? Its place among them, or -1.
int devtree_string_index(const void *fdt, int node, const char *name, const char *wanted);

// A property's cell; 0 and false if it is not that long.
bool devtree_cell(const void *fdt, int node, const char *name, unsigned index, uint32_t *value);

// First node after `from` (-1: of all) that is compatible and whose status is okay; or -1.
int devtree_find(const void *fdt, int from, const char *compatible);
bool devtree_available(const void *fdt, int node);

// reg[index], as the processor sees it (through every ranges above). False: there is none.
bool devtree_reg(const void *fdt, int node, unsigned index, struct range *out);

// interrupts[index] of a device whose interrupts go to the GIC: its INTID.
bool devtree_interrupt(const void *fdt, int node, unsigned index, uint32_t *intid);

// Entries of the memory reservation block. False: there are no more.
bool devtree_reservation(const void *fdt, unsigned index, struct range *out);

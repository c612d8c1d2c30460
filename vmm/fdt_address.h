// Where the registers of a device tree's nodes are for the processors: Devicetree Specification 0.4, sections 2.3.5,
// 2.3.6 and 2.3.8. For trees that fdt_is_sound has found whole; their numbers may be anything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/range.h>

#define FDT_BUS_DEPTH 8u // buses below each other: who walks a tree goes no deeper

// A node whose children have addresses, and the buses above it.
struct fdt_bus {
    const struct fdt_bus *above; // NULL: the root
    int node;
    unsigned depth;
    unsigned address_cells; // of its children
    unsigned size_cells;
};

// Numbers of a property, cell by cell.
struct fdt_cells {
    const uint32_t *at; // big-endian
    unsigned left;
};

uint32_t fdt_cell(const void *fdt, int node, const char *property, uint32_t otherwise);
struct fdt_cells fdt_cells_of(const void *fdt, int node, const char *property);

// A number of as many cells, which are there: of the last two, if they are more.
uint64_t fdt_take(struct fdt_cells *c, unsigned cells);

struct fdt_bus fdt_bus_of(const void *fdt, int node, const struct fdt_bus *above);

// The next range of "reg" of a node on this bus, as the bus counts. False: there is none, or it is no number of ours.
bool fdt_take_range(struct fdt_cells *c, const struct fdt_bus *b, struct range *where);

// What the processors see at an address of a bus. False: they don't reach it.
bool fdt_to_root(const void *fdt, const struct fdt_bus *b, struct range *where);

// The innermost node whose registers cover what the processors see at this address, or libfdt's error.
int fdt_node_at(const void *fdt, uint64_t address);

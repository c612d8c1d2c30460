// Writing device-tree nodes, one after the other: what the VM's own nodes and those of its devices are made with
// (Devicetree Specification 0.4, chapters 2 and 3). The first error is kept and the rest is skipped, so that only the end
// has to look.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <base/range.h>

struct fdt_writer {
    void *fdt;
    int error; // of libfdt, 0: none
    // What the nodes refer to, and how addresses are written below the root: a tree that was given sets it.
    uint32_t interrupts; // phandle of the interrupt controller
    uint32_t clock;      // phandle of the peripherals' clock
    unsigned address_cells;
    unsigned size_cells;
};

// Starts a tree in [buffer, buffer + size); its root is open then.
void fdt_write_start(struct fdt_writer *w, void *buffer, size_t size);
void fdt_write_finish(struct fdt_writer *w);

void fdt_write_begin(struct fdt_writer *w, const char *name);
void fdt_write_begin_at(struct fdt_writer *w, const char *name, uint64_t address); // name@address
void fdt_write_end(struct fdt_writer *w);

void fdt_write_flag(struct fdt_writer *w, const char *name); // a property without a value
void fdt_write_cell(struct fdt_writer *w, const char *name, uint32_t cell);
void fdt_write_cells(struct fdt_writer *w, const char *name, const uint32_t *cells, unsigned count);
void fdt_write_u64(struct fdt_writer *w, const char *name, uint64_t value);
void fdt_write_string(struct fdt_writer *w, const char *name, const char *text);
void fdt_write_strings(struct fdt_writer *w, const char *name, const char *const *texts,
                       unsigned count);

// "reg" of a node below the root.
void fdt_write_reg(struct fdt_writer *w, const struct range *ranges, unsigned count);

// "interrupts" with one of level, active high: of the SPI with this INTID. And whose interrupt it is.
void fdt_write_interrupt(struct fdt_writer *w, uint32_t intid);

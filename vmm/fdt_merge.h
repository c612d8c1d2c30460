// A device tree that was given becomes one for this VM: what the VM doesn't have is disabled, what it has is added.
#pragma once

#include <stdbool.h>

#include <base/range.h>

struct vm;
struct fdt_writer;

// Takes from a given tree what the VM's own nodes have to refer to: cells of the root, phandles of the interrupt
// controller and of the clock. NULL, or what is wrong with the tree.
const char *fdt_merge_facts(const void *fdt, struct fdt_writer *w);

// Merges the VM's own tree into the given one. What replaces what:
//
// - processors, memory, interrupt controllers, timers and PSCI are the VM's; the given ones go
// - a node whose registers are at the address of one of the VM's devices goes; the VM's own is added
// - other nodes with registers that are not memory of the VM nor on its bus are disabled, and what is below them
// - what is left stays, and stands where both have something to say about the root, aliases and stdout-path
//
// `fdt` has room for all of the VM's tree (fdt_open_into). Returns libfdt's error.
int fdt_merge(const struct vm *vm, void *fdt, const void *own);

// The plan's part about virtual machines: does this machine have what they need, and is there room for them in the
// address spaces of guest and VMM?
#pragma once

#include <stdbool.h>

#include "layout.h"
#include "system.h"

// Where a guest looks for the CPU interface of a GICv2: two pages, as on the machine model.
#define GUEST_GICC      0x08010000u
#define GUEST_GICC_SIZE (2 * PAGE_SIZE)

// Where the stack of a VMM's thread begins.
static inline uint64_t vm_stack_top(uint64_t thread)
{
    return VM_STACK_TOP + thread * VM_STACK_STRIDE;
}

// Which process is whose monitor: before processes are planned.
void plan_monitors(struct system *s);

// What a VM adds to the address space of its VMM.
enum layout_answer vm_lay_out(const struct system *s, uint32_t vm, struct layout *l) WARN_UNUSED;

// All of them, after regions. False: it has said what doesn't fit.
bool plan_vms(struct system *s) WARN_UNUSED;

// The first of the two steps: does the described system fit this machine? Memory, cores, fixed addresses, interrupts
// and devices are all looked at before anything is built, and everything that doesn't fit is said, an element a line.
#pragma once

#include <stdbool.h>

#include "system.h"

// False: it has said why; nothing must be built. Needs kernel, boot, bundle (checked) and fdt (checked).
bool plan_system(struct system *s) WARN_UNUSED;

// Length of the process's capability space.
uint64_t process_handles(const struct process *p);

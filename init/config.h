// Config pages: what init tells a process about itself and about the devices it got (abi/process.h), and a VMM about its
// VM (abi/vm.h).
#pragma once

#include "system.h"

// Needs the plan.
void config_fill(const struct system *s, uint32_t process, struct process_config *out);

#define VM_CONFIG_SIZE PAGE_SIZE
// As its VMM finds it at this start.
void vm_config_fill(const struct system *s, uint32_t vm, struct vm_config *out);

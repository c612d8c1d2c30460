// Virtual machines: the guest's space, its vcpus, and what its VMM has beyond other processes (abi/vm.h).
#pragma once

#include "system.h"

// Guests' spaces, with what is mapped there. Regions must have been built; before the VMMs map them, memory that is still
// as the kernel made it need not be published. False: it has said which failed.
bool build_guests(struct system *s) WARN_UNUSED;

// All VMs; guests and processes must have been built. False: it has said which failed.
bool build_vms(struct system *s) WARN_UNUSED;

// The threads of its vcpus; the process itself is started by process.c.
err_t vm_start(struct system *s, uint32_t vm) WARN_UNUSED;

// All threads of the VMM, the guest with them. It can be done again.
void vm_stop(struct system *s, uint32_t vm);

// The whole VMM, from its beginning, on vcpus as after a reset. Guest memory and regions stay as they are.
err_t vm_restart(struct system *s, uint32_t vm) WARN_UNUSED;

// The life of VMs: what follows when a guest turns itself off, resets itself or crashes, or when its VMM does. The
// description says what (enum vm_policy), and how often a VM may be restarted.
//
// The guest's output goes through processes, and often to the same UART as the kernel's console: init keeps silent
// unless something crashed or the system ends.
#pragma once

#include "system.h"

// Through VM_LIFE come messages with this badge, outside the range of faults (abi/process.h).
#define BADGE_LIFE           (1ull << 61)
#define LIFE_BADGE(vm)       (BADGE_LIFE | (vm))
#define LIFE_BADGE_VM(badge) ((badge) & ~BADGE_LIFE)

// What its VMM is to do. Only while the VM runs (VM_RUNS).
enum vm_action life_event(struct system *s, uint32_t vm, enum vm_event event);

// A thread of its VMM has crashed, and somebody has said how: restarts or stops the VMM.
void life_vmm_crashed(struct system *s, uint32_t vm);

// Has the time come for the system to end? It does so a little after its VMs.
bool life_over(struct system *s);
// Says what became of the VMs.
_Noreturn void life_end(struct system *s);

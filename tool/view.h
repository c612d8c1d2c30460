// Derived facts that reports and pictures show.
#pragma once

#include "model.h"

const struct end *view_other_end(const struct end *end);

// "interrupt 33", "interrupt 0 of device 'uart'".
const char *view_irq(struct arena *a, const struct irq *irq);

// What a <cspace> capability is to: "thread", "time", "address space".
const char *view_share(const struct share *s);

// The user of an id of a process as one of the two that it can be, or null.
const struct irq *view_irq_of(const struct process *p, unsigned id);
const struct end *view_end_of(const struct process *p, unsigned id);

// What becomes of a virtual machine: "restart", "stop", "shutdown".
const char *view_policy(uint64_t policy);

// The cores of its vcpus, in their order: "0 1".
const char *view_cores(struct arena *a, const struct model *m, const struct vm *vm);

// Who maps: "vmm", or "vmm's virtual machine linux".
const char *view_mapper(struct arena *a, const struct map *map);

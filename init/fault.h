// Faults of processes that have no parent: init says what happened. The process stays stopped, since its fault is never
// answered; everybody else runs on. If it is the monitor of a VM, the VM's policy decides what follows (life.h).
#pragma once

#include "system.h"

// One message of the endpoint; what isn't a fault of a known process is ignored.
void fault_handle(struct system *s, const struct message *m);

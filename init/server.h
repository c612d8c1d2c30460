// What init does once the system runs: it hears of the faults of processes that have no parent, and of the ends of VMs.
#pragma once

#include "system.h"

_Noreturn void serve(struct system *s);

// What the sender of the last message gets.
struct answer {
    bool due; // if not, it stays blocked: that is how a process with a fault stays stopped
    enum vm_action action;
};

// One round: answers the last message, waits for the next, and does what it asks for. Doesn't return when the system
// ends.
void serve_one(struct system *s, struct answer *last);

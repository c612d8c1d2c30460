// A worker of the stress test (test/kernel/stress.c): a process that makes random objects, copies, moves, deletes and
// revokes capabilities, maps, unmaps and writes pages, binds, starts, moves and destroys threads, signals and calls,
// and compares every answer of the kernel with a model (shadow.h).
#pragma once

#include "child.h"
#include "random.h"
#include "shadow.h"

#define WORKERS       4u
#define WORKER_MEMORY 0x300000u // of the untyped that all of a worker's objects come from

// Threads of workers run above these, in small pieces of time.
#define WORKER_PRIORITY 60u
#define PUPPET_PRIORITY 70u

// Handles of a worker.
enum worker_handle {
    W_CSPACE = CHILD_OWN,
    W_TIME,
    W_ECHO,                    // endpoints of the echo servers, one a core
    W_PEER = W_ECHO + WORKERS, // notifications of the workers
    W_SLOTS = 32,              // slot i of the model is handle W_SLOTS + i
    W_END = W_SLOTS + SHADOW_SLOTS,
};

// A worker's memory, shared with the first process.
struct worker {
    uint64_t seed;
    uint64_t cores;
    uint64_t puppet_budget; // ticks
    uint64_t puppet_period;
    volatile bool end;
    volatile bool blind; // what it has is being taken away: no comparisons
    volatile uint64_t steps;
    volatile uint64_t refused; // steps that were rightly refused
    volatile uint64_t gone;    // calls that ended because it was stopped meanwhile

    // The first answer that was not as the model has it.
    volatile uint64_t wrong_step; // 0: none
    const char *wrong;            // what was wrong, a constant of the image
    int64_t wrong_err;
    uint64_t wrong_refusals; // bits of the errors that were possible
    int16_t wrong_slots[2];

    struct random random;
    struct shadow shadow;
};

// What the process does, until it is told to end or something is wrong. `argument`: its struct worker.
void work(void *argument);

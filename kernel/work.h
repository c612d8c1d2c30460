// How much a long operation may still do before it lets interrupts and other cores in. Every operation that uses
// it is a sequence of bounded steps, each of which leaves a valid, smaller job; when the work is up, the system
// call goes back to its svc instruction and continues where the objects say it stopped.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>

#include "arch.h"

#define WORK_STEPS 256u
#define WORK_UP    ((err_t)1) // no result of a call (those are OK or negative): it is made again

struct work {
    uint32_t steps;
};

// Counts one step. False: stop here, restart the call.
static inline bool work_step(struct work *w)
{
    return ++w->steps < WORK_STEPS && !arch_interrupt_pending();
}

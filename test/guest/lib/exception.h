// Exceptions that a payload takes: interrupts go to a handler that it sets; synchronous ones are caught if the core
// said so, else they end the payload with a description.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

// Called with interrupts masked. For all cores.
extern void (*irq_handler)(void);
extern void (*fiq_handler)(void);

// What was caught on a core. Its instruction is skipped.
struct caught {
    unsigned count;
    unsigned vector; // number in the table
    uint64_t esr;
    uint64_t far;
    uint64_t elr;
};

// From now on exceptions of this core are caught. The result fills as they come.
struct caught *catch_begin(void);
// No more. Returns the same.
const struct caught *catch_end(void);

// What follows the next exceptions instead of skipping, of whatever core; NULL: skipping.
extern void (*caught_hook)(struct frame *frame);

// start.S
void exception(struct frame *frame, uint64_t vector);

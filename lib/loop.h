// The event loop of a process: one wait, then at most one entry into the program for each thing
// that came. Private to lib: main.c owns the one struct loop of a process.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <microkit.h>

struct loop {
    bool reply_due;       // a caller or a faulted child waits for `reply`
    uint64_t reply;       // info word
    uint64_t deadline;    // ticks; DEADLINE_NEVER: none
    unsigned busy_rounds; // entries since the last wait that the deadline could end
};

void bulkhead_loop_init(struct loop *l);

// Acknowledges every interrupt once, which lets them come.
void bulkhead_loop_start(void);

// One wait and what follows from it.
void bulkhead_loop_once(struct loop *l);

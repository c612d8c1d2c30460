// A handler that writes down which interrupts came, for tests of them.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RECORD_LINES 1024u
#define RECORD_ORDER 512u

struct record {
    _Atomic uint32_t count[RECORD_LINES];         // by INTID; 1020 and above are the special ones
    volatile uint16_t order[RECORD_ORDER];        // INTIDs as they came, of all cores
    _Atomic uint32_t length;                      // of order; more are counted only
    volatile uint8_t by[RECORD_LINES];            // the core that took it last
    volatile uint32_t acknowledged[RECORD_LINES]; // by INTID: what gic_acknowledge said last
    volatile uint32_t running_priority;           // while the last one was handled
};
extern struct record record;

// Called between acknowledging and ending, if set.
extern void (*volatile record_hook)(unsigned intid);

// Interrupts of all cores are recorded from now on; nothing is recorded yet, there is no hook.
void record_begin(void);

// Lets what is pending come, until nothing has come for a moment.
void record_let_in(void);

// Waits until an interrupt was taken that often, ten seconds at most.
bool record_wait(unsigned intid, unsigned count);

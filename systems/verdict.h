// How the example systems end: the process that knows whether all went well says so, waits until its words have left
// the wire, and ends the system. Call verdict_check() from notified() and verdict_late() from deadline().
#pragma once

#include <lib/bulkhead.h>
#include <lib/serial.h>

#define VERDICT_NONE (-1)

struct verdict {
    int code; // exit code of the system, VERDICT_NONE while there is none
};

static inline uint64_t ticks_from_ms(uint64_t ms)
{
    return process_config()->ticks_per_second * ms / 1000;
}

// From now on the system is to end with `code`; if what was said does not get out in two seconds, with 1.
static inline void verdict_give(struct verdict *v, int code)
{
    v->code = code;
    bulkhead_set_deadline(process_clock() + ticks_from_ms(2000));
}

static inline void verdict_check(const struct verdict *v, struct serial *serial)
{
    if (v->code != VERDICT_NONE && serial_drained(serial) && bulkhead_power_off(v->code) != OK) {
        bulkhead_log("the description gives this process no power=\"true\"");
    }
}

// Returns if there was no verdict yet.
static inline void verdict_late(const struct verdict *v)
{
    if (v->code != VERDICT_NONE && bulkhead_power_off(1) != OK) {
        bulkhead_log("the description gives this process no power=\"true\"");
    }
}

// Told to begin, keeps its core busy for a while: nothing of lower priority runs there.
#include <microkit.h>

#include <lib/bulkhead.h>

#include "passive.h"

void init(void)
{
}

void notified(microkit_channel ch)
{
    uint64_t end = process_clock() + process_config()->ticks_per_second * PHASE_MS / 1000;
    while (process_clock() < end) {
    }
    microkit_notify(ch);
}

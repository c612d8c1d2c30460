// A passive server: it has no time of its own and runs its callers' calls on their cores, in their time. Each call asks
// for some work and gets the number of calls served so far.
#include <microkit.h>

#include <stdbool.h>

#include "passive.h"

static uint64_t served;
static bool busy;
static volatile uint64_t sum;

void init(void)
{
}

microkit_msginfo protected(microkit_channel ch, microkit_msginfo info)
{
    (void)ch;
    bool interrupted = busy; // two calls at once: must never be
    busy = true;
    for (uint64_t i = microkit_mr_get(0); i > 0; i--) {
        sum += i;
    }
    busy = false;

    microkit_mr_set(0, ++served);
    return microkit_msginfo_new(interrupted ? ANSWER_BUSY : microkit_msginfo_get_label(info), 1);
}

void notified(microkit_channel ch)
{
    (void)ch;
}

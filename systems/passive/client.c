// Told to begin, calls the server for a while and reports how often it was answered.
#include <microkit.h>

#include <lib/bulkhead.h>

#include "passive.h"

#define SERVER 0
#define JUDGE  1

uintptr_t report_region;

void init(void)
{
}

void notified(microkit_channel ch)
{
    struct report *report = (struct report *)report_region;
    uint64_t start = process_clock();
    uint64_t end = start + process_config()->ticks_per_second * PHASE_MS / 1000;
    uint64_t served = 0;

    while (process_clock() < end) {
        microkit_mr_set(0, WORK);
        microkit_msginfo info = microkit_ppcall(SERVER, microkit_msginfo_new(ASK_WORK, 1));
        bool right = microkit_msginfo_get_label(info) == ASK_WORK && microkit_mr_get(0) > served;
        served = microkit_mr_get(0);
        report->calls++;
        report->wrong += right ? 0 : 1;
    }
    report->ticks = process_clock() - start;
    microkit_notify(ch);
}

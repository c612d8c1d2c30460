// The machine that a payload runs on, read from its device tree once, before anything else.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

struct machine {
    uint64_t entered; // CNTPCT_EL0 at the first instruction
    const void *tree;
    const char *arguments; // /chosen/bootargs
    uint64_t memory;
    uint64_t memory_size;
    uint64_t uart; // PL011
    unsigned uart_intid;
    uint64_t rtc; // PL031, 0: there is none
    unsigned rtc_intid;
    unsigned gic_version; // 2 or 3
    uint64_t gicd;
    uint64_t gicc;
    uint64_t gicr; // first range of redistributors
    uint64_t gicr_size;
    unsigned timer_virtual; // INTIDs
    unsigned timer_physical;
    bool psci_smc; // else by HVC
    unsigned cpus;
    uint64_t mpidr[CPUS_MAX]; // affinity only
    uint64_t ticks_per_second;
};

extern struct machine machine __attribute__((visibility("hidden")));

void machine_read(const void *tree, uint64_t entered);

// The value behind `name=` among the boot arguments, or what is said for its absence.
uint64_t option(const char *name, uint64_t otherwise);

// Does `text` stand there?
bool option_is(const char *name, const char *text);

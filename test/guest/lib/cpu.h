// Cores of the machine: their numbers, starting and stopping them by PSCI.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

// PSCI by the conduit that the device tree names.
int64_t psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c);

// This core: 0 is the boot core.
unsigned cpu_number(void);

// Starts a core with `run`, which may return: the core then switches itself off. Returns PSCI's answer.
int64_t cpu_on(unsigned cpu, void (*run)(void));

// The calling core, which is not the boot core, powers down until something is pending for it; it goes on with `run`, as
// after cpu_on. Returns only if PSCI refuses.
int64_t cpu_power_down(void (*run)(void));

// Waits until a core is off. False: it still was not after ten seconds.
bool cpu_wait_off(unsigned cpu);

// Ticks of CNTVCT.
static inline uint64_t now(void)
{
    uint64_t ticks;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
    return ticks;
}

uint64_t microseconds(uint64_t count); // in ticks
void delay(uint64_t ticks);            // busy

// start.S
extern void core_entry(void);
void cpu_start(void);

// What boot found out about this machine. One struct, filled on the boot core before others start, read-only after
// that except where a field says so.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/addr.h>

#include "boot.h"
#include "gic.h"
#include "memmap.h"
#include "psci.h"
#include "uart.h"

#define MACHINE_CPUS_MAX 256u // that a device tree may list

struct machine {
    const void *fdt;    // mapped read-only as long as boot goes on
    struct memmap ram;  // all of it
    struct memmap free; // boot core: what is left of it
    struct uart uart;
    struct psci psci;
    struct gic gic;
    uint32_t timer_intid;
    uint32_t vtimer_intid;           // the guests' virtual timer
    const char *core_name;           // "cortex-a53" or the like; in the tree
    uint32_t cpu_count;              // listed and usable
    uint64_t cpus[MACHINE_CPUS_MAX]; // their affinities
    struct boot_machine boot;
};

extern struct machine machine;

// Boot core. fdt: physical. Each ends in a message and the machine's end if the tree does not say enough.
void machine_read_tree(paddr_t fdt);
void machine_sort_memory(paddr_t image);
void machine_find_devices(void);

// Boot core, when boot takes no more memory for itself: the rest goes into machine.boot.
void machine_hand_over(void);

// Of the kernel's own variables, whose addresses virt_to_phys does not know: mmu.c.
paddr_t image_to_phys(const void *va);

// What the arch finds out at boot and generic code builds the first process from.
#pragma once

#include <stdint.h>

#include <abi/boot.h>
#include <base/range.h>

struct boot_machine {
    struct range
        free[BOOT_UNTYPED_MAX]; // RAM that nobody uses, page multiples, mapped in the kernel
    uint32_t free_count;
    struct range bundle; // physical; page multiple
    struct range fdt;    // physical; the page(s) that hold it, and where it starts inside
    uint64_t fdt_offset;
    uint64_t fdt_size;
    uint32_t gic_version;
    uint64_t gicv_base;
    uint64_t ticks_per_second;
    uint64_t console_base; // physical, 0: none
    uint32_t console_irq;
};

// Boot core only, all cores up, before any runs a thread. Ends in panic with a message that says what is missing
// if the bundle is damaged or memory too small: nothing can run then.
void boot_first_process(const struct boot_machine *m);

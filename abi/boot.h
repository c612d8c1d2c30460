// What the kernel hands to the first process: its capabilities, at fixed handles, and one read-only page that says
// what the machine has. Only init reads this.
#pragma once

#include <stdint.h>

#define BOOT_MAGIC 0x31746f6f62686c62u // "blhboot1"

enum boot_handle {
    BOOT_CSPACE = 1,
    BOOT_SPACE,
    BOOT_THREAD,
    BOOT_NOTIFICATION,
    BOOT_ENDPOINT,
    BOOT_IRQ_CONTROL,
    BOOT_DEVICE_MEMORY,
    BOOT_TIME,
    BOOT_CONSOLE,
    BOOT_POWER,
    BOOT_SMC,
    BOOT_BUNDLE,  // frames of the bundle, read and execute
    BOOT_FDT,     // frames of the device tree, read
    BOOT_UNTYPED, // first of boot_info.untyped_count
};

#define BOOT_CSPACE_SLOTS 8192u
#define BOOT_UNTYPED_MAX  32u

// Where things are in init's space.
#define BOOT_INFO_ADDRESS    0x100000u // struct boot_info, one page, read-only
#define BOOT_MESSAGE_ADDRESS 0x101000u // its message page
#define BOOT_STACK_TOP       0x180000u // BOOT_STACK_SIZE below it
#define BOOT_STACK_SIZE      0x10000u
#define BOOT_IMAGE_ADDRESS   0x200000u  // init's text, then data
#define BOOT_FDT_ADDRESS     0x8000000u // the device tree, read-only, at most 2 MiB
#define BOOT_BUNDLE_ADDRESS                                                                        \
    0x40000000u // the bundle, read-only, in the first 2 MiB from here: bundle_address
#define BOOT_FREE_ADDRESS 0x1000000000u // from here init maps what it likes

struct boot_untyped {
    uint64_t base; // physical
    uint64_t size; // bytes
};

struct boot_info {
    uint64_t magic;
    uint32_t version; // of this struct: 1
    uint32_t cores;   // running
    uint32_t gic_version;
    uint32_t irq_count; // INTIDs 0..irq_count - 1 exist
    uint64_t ticks_per_second;
    uint64_t bundle_size; // bytes at bundle_address
    uint64_t fdt_offset;  // of the tree inside the first page at BOOT_FDT_ADDRESS
    uint64_t fdt_size;
    uint32_t console_irq; // INTID of the kernel's UART, 0 if it has none
    uint32_t untyped_count;
    uint64_t console_base; // physical address of the kernel's UART, 0 if none
    struct boot_untyped untyped[BOOT_UNTYPED_MAX];
    uint64_t
        gicv_base; // GICv2: physical address of the two pages of a guest's CPU interface, else 0
    uint64_t bundle_address; // as far from a 2 MiB boundary as in memory: large blocks map it
};

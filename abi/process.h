// What init arranges for a process: where things are in its address space, at which handles its capabilities are,
// and the config page it is started with.
//
// A process starts at its image's entry point with x0 = PROCESS_CONFIG, sp = PROCESS_STACK_TOP and its message page
// at PROCESS_MESSAGE. Its capability space is only as long as its highest handle needs; it holds no capability to
// that space itself.
#pragma once

#include <stdint.h>

// Address space. Images are linked at PROCESS_IMAGE; everything below the stack's bottom is for segments and maps.
#define PROCESS_IMAGE   0x200000u
#define PROCESS_TOP     0x8000000000u
#define PROCESS_MESSAGE (PROCESS_TOP - 0x1000u) // message page, read-write
#define PROCESS_CONFIG  (PROCESS_TOP - 0x2000u) // struct process_config, read-only
#define PROCESS_STACK_TOP                                                                          \
    (PROCESS_TOP - 0x3000u) // above it an unmapped page; below the stack nothing

// Limits of the format.
#define PROCESS_MAX      63u // processes in a system, and VMs
#define CHANNEL_MAX      62u // channel and interrupt ids 0..61, child and vcpu ids 0..61
#define PROCESS_NAME_MAX 64u // with the final zero
#define USER_SLOT_MAX    64u // <cspace> slots 1..63

// Handles.
enum process_handle {
    PROCESS_CONSOLE = 1,                            // kernel's console, write (debugging)
    PROCESS_SMC = 2,                                // smc="true"
    PROCESS_POWER = 3,                              // power="true"
    PROCESS_NOTIFY = 8,                             // + channel: notification of the other end
    PROCESS_CALL = PROCESS_NOTIFY + CHANNEL_MAX,    // + channel: endpoint of the other end
    PROCESS_IRQ = PROCESS_CALL + CHANNEL_MAX,       // + id: irq
    PROCESS_CHILD = PROCESS_IRQ + CHANNEL_MAX,      // + child id: its thread
    PROCESS_USER = PROCESS_CHILD + CHANNEL_MAX,     // + slot: <cspace> capabilities
    PROCESS_HANDLES = PROCESS_USER + USER_SLOT_MAX, // one past the highest
};

// Bits of badges. A notification from a channel carries BIT(channel) of the receiver's id.
#define BADGE_FAULT (1ull << 62) // | child id
#define BADGE_CALL  (1ull << 63) // | channel id

#define PROCESS_DEVICE_MAX     16u
#define PROCESS_COMPATIBLE_MAX 48u

// A device that the description named and init found in this machine's device tree.
struct process_device {
    char region[PROCESS_NAME_MAX];           // the memory region's name
    char compatible[PROCESS_COMPATIBLE_MAX]; // first compatible string of the node, cut
    uint64_t vaddr;                          // where the device's registers start in this process
    uint64_t paddr;
    uint64_t size;     // bytes of registers
    uint64_t clock_hz; // of its first clock where the tree tells, else 0
    uint32_t irq;      // INTID of its first interrupt, 0 if none
    uint32_t irq_id;   // the id by which this process knows that interrupt, UINT32_MAX if none
};

#define PROCESS_CONFIG_MAGIC 0x3167666364686c62u // "blhdcfg1"

struct process_config {
    uint64_t magic;
    uint32_t version; // 1
    uint32_t cores;   // of the machine
    char name[PROCESS_NAME_MAX];
    uint64_t ticks_per_second;
    // Masks over ids.
    uint64_t irqs;
    uint64_t notifications; // may notify
    uint64_t calls;         // may call
    uint64_t children;
    uint32_t passive;
    uint32_t serves; // 1: has an endpoint (is called, or has children)
    uint32_t device_count;
    uint32_t reserved;
    struct process_device devices[PROCESS_DEVICE_MAX];
};

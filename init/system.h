// The described system as init knows it: what the bundle says, what the plan found out about this machine, and the
// capabilities of what was built. There is one, in main.c.
//
// Records of the bundle and init's own about the same thing have the same index.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/boot.h>
#include <abi/bundle_check.h>
#include <abi/process.h>
#include <abi/vm.h>

#include "device.h"
#include "layout.h"
#include "memory.h"
#include "print.h"
#include "sys.h"

// What init has room for.
#define REGIONS_MAX  512u
#define SEGMENTS_MAX 512u
#define IRQS_MAX     512u
#define VMS_MAX      PROCESS_MAX

// A memory region. A fixed place may take two pieces of memory (memory.h); everything else is one.
struct region {
    // Found by the plan.
    struct range where;   // physical; base only of fixed memory and devices until it is built
    bool is_device;       // not RAM
    bool is_fixed;        // RAM at an exact place
    bool is_in_place;     // it lies in the bundle, and nobody can write it
    struct device device; // if the description names one
    // Built.
    unsigned piece_count;
    struct piece pieces[PIECES_MAX];
    handle_t frames[PIECES_MAX]; // the whole bundle's if in place
};

// Its memory is carved wherever there is room.
static inline bool region_is_anywhere(const struct region *r)
{
    return !r->is_device && !r->is_fixed && !r->is_in_place;
}

// Its address as far as 2 MiB blocks are concerned, before it is built. Memory anywhere lies on a multiple of 2 MiB if
// it is large enough for that to matter.
static inline uint64_t region_physical(const struct region *r)
{
    return r->is_in_place ? PHYSICAL_UNKNOWN : r->where.base;
}

struct interrupt {
    uint32_t intid;
    enum irq_trigger trigger;
};

struct process {
    // Found by the plan. Masks over ids: see struct process_config.
    uint64_t irqs;
    uint64_t notifications;
    uint64_t calls;
    uint64_t children;
    uint64_t shares; // slots
    bool serves;     // has an endpoint
    uint32_t vm;     // that it is the monitor of, or BUNDLE_NONE
    unsigned tables; // page tables of its space
    // Built.
    handle_t cspace;
    handle_t space;
    handle_t thread;
    handle_t notification; // unbadged
    handle_t endpoint;     // unbadged; 0: none
};

struct vcpu {
    handle_t vcpu;
    handle_t thread;       // of the VMM, the one that enters it
    handle_t notification; // that thread's, unbadged
};

// RUNS -> OFF or FAILED, for good.
enum vm_state {
    VM_RUNS,
    VM_OFF,    // it asked for it
    VM_FAILED, // it crashed, or restarted too often
};

struct vm {
    // Found by the plan.
    bool maps_gicc;  // init maps the GICv2 CPU interface into the guest
    unsigned tables; // page tables of the guest's space
    // Built.
    handle_t space;
    handle_t config; // frames of struct vm_config
    struct vcpu vcpus[VCPU_MAX];
    // Its life: life.c.
    enum vm_state state;
    enum vm_event last;    // the event that ended it, if OFF
    uint32_t starts;       // of its VMM, beyond the first
    uint32_t restarts;     // of guest or VMM
    uint32_t recent;       // those since `window_start`
    uint64_t window_start; // ticks
};

struct system {
    struct kernel *kernel;
    const struct boot_info *boot;
    struct bundle bundle; // checked
    const void *fdt;
    void *window; // LARGE_PAGE_SIZE of init's own space, to look into frames
    struct memory memory;
    handle_t scratch;     // slot that is empty between uses
    handle_t next_handle; // first empty slot of init's
    struct region regions[REGIONS_MAX];
    struct interrupt irqs[IRQS_MAX];
    struct process processes[PROCESS_MAX];
    struct vm vms[VMS_MAX];
    handle_t gicc;   // frames of the GICv2 CPU interface for guests; 0: not made yet
    uint64_t end_at; // ticks; when the system ends, or DEADLINE_NEVER
    handle_t segments[SEGMENTS_MAX]; // frames of a segment that can be written
};

// ---- Elements, for messages -------------------------------------------------------------------------------------

struct element process_element(const struct system *s, uint32_t process);
struct element region_element(const struct system *s, uint32_t region);
// Named after its region.
struct element map_element(const struct system *s, const struct bundle_map *map);
// Named after its process.
struct element irq_element(const struct system *s, const struct bundle_irq *irq);

struct element vm_element(const struct system *s, uint32_t vm);
// Named after its VM.
struct element vcpu_element(const struct system *s, const struct bundle_vcpu *vcpu);
// Named after its region.
struct element guest_map_element(const struct system *s, const struct bundle_guest_map *map);

// ---- The rest ---------------------------------------------------------------------------------------------------

// Has the description turned the kernel's console off?
bool is_quiet(const struct system *s);

// Around what init says once the system runs: the description may have turned the kernel's console off.
void speak_up(const struct system *s);
void speak_no_more(const struct system *s);

// The fixed region of RAM with the highest address below `limit`: they are carved in this order. NULL: none is left.
struct region *next_fixed(struct system *s, uint64_t limit);

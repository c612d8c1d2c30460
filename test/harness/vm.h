// Virtual machines for kernel tests: a guest space with one or more vcpus, and VMMs (children, one a vcpu) that enter them.
// What guests execute is in guest.S.
#pragma once

#include <abi/vcpu.h>

#include "child.h"

#define GUEST_RAM   0x40000000u
#define GUEST_BYTES 0x10000u
#define GUEST_DATA  0x4000u
#define GUEST_GICC  0x8010000u

// What a guest does: the order of guest.S.
enum guest_choice {
    DO_HVC,
    DO_MMIO,
    DO_TIMER_BUSY,
    DO_TIMER_WFI,
    DO_COUNT,
    DO_FP,
    DO_SGI_WAIT,
    DO_SYSREGS,
    DO_SWEEP,
    DO_TICKS,
    DO_SLEEP,
};

// What guests say by hvc: that they are done, ready for what comes, or surprised by an exception.
#define GUEST_DONE  1u
#define GUEST_READY 2u
#define GUEST_BAD   0xbadu

// One vcpu, and the guest space that it is in.
struct guest {
    struct vcpu_page *page;
    char *ram; // first process's view
    handle_t ram_frames;
    handle_t page_frames;
    handle_t space;
    handle_t vcpu;
};

struct guest guest_new(void);
struct guest guest_beside(const struct guest *first); // another vcpu of the same VM

void guest_begin(const struct guest *g, enum guest_choice choice);
void guest_enable(const struct guest *g, unsigned intid);

// Was its last exit this hypercall?
bool guest_called(const struct vcpu_page *page, unsigned immediate);

// ---- A VMM, in a child --------------------------------------------------------------------------------------

// Shared with its child.
struct vmm {
    struct vcpu_page *page;
    volatile uint64_t stop_at; // exits
    volatile uint64_t exits;
    volatile uint64_t result; // of the last
    volatile uint64_t bits;
    volatile uint64_t deadline;
    volatile uint64_t ticks; // all of it took
    volatile uint64_t spin;  // ticks of the VMM's own after each exit
};

// Enters the guest until something else than a trap ends it, or it calls to say that it is done, or `stop_at` exits.
void vmm_run(void *argument);

// A child that has the vcpu and its page. `shared`: frames of what it is given.
struct child vmm_child(const struct guest *g, child_fn *run, void *argument, handle_t shared,
                       const struct child_options *options);

// One that does vmm_run.
struct child vmm_new_with(const struct guest *g, struct vmm **m,
                          const struct child_options *options);
struct child vmm_new(const struct guest *g, struct vmm **m, uint64_t core, uint64_t priority);

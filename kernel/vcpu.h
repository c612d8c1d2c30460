// Virtual cores: see abi/vcpu.h for what a VMM sees. The object holds a guest space and a page; a thread that holds the
// vcpu enters it (VCPU_RUN) and is the guest until something has to be handled.
//
// The thread in guest mode has its registers' pstate marked (arch_guest_mode) and, in `wait`:
//
//   WAIT_GUEST   it runs the guest, or is ready to: who has something for it kicks its core
//   WAIT_IDLE    the guest waits for an interrupt, the thread is blocked: whoever claims it wakes it, and it looks again
//
// Both are set before the inbox, the notification and the deadline are looked at for the last time; whoever posts does it
// before looking at `wait`. So one of the two always sees the other.
//
// Where the registers are: `resident` names the core whose hardware holds the guest's EL1, timer and interrupt state.
// Only that core changes it; it is given up when another vcpu takes the core, when the thread moves, and before anything
// is unbound.
#pragma once

#include <stdatomic.h>

#include <abi/vcpu.h>

#include "arch.h"
#include "object.h"

struct thread;
struct space;

#define VCPU_NOWHERE 0u // resident: else the core's number plus one

struct vcpu {
    struct obj obj;
    struct vcpu_page *page;        // bound, in the kernel's view
    struct space *space;           // bound
    bool ready;                    // both are
    uint64_t deadline;             // of the present run; its thread's
    struct thread *_Atomic thread; // who enters it; changed under the build lock
    _Atomic uint32_t resident;     // see above
    _Atomic uint64_t
        linked_raised; // sources whose physical interrupt has come and stands in no list register
    uint32_t linked[VCPU_SOURCES]; // physical INTID of a linked source, 0: not linked
    struct arch_vcpu arch;
    struct slot held[VCPU_SLOT_COUNT];
};

void vcpu_init(struct vcpu *v, struct untyped *from);

err_t vcpu_bind_check(const struct vcpu *v, enum vcpu_slot slot, const struct cap *cap) WARN_UNUSED;
void vcpu_bind(struct vcpu *v, enum vcpu_slot slot, const struct cap *cap, struct slot *source);
void vcpu_unbind(struct slot *held);
bool vcpu_dismantle_step(struct vcpu *v);

// Something was posted: the guest notices before its next instruction. Any core, no lock.
void vcpu_kick(struct vcpu *v);

// A linked interrupt has come, and is active at the controller. Any core, no lock.
void vcpu_raise(struct vcpu *v, unsigned source);

// ---- Build lock held ----------------------------------------------------------------------------------------

// Its state is in memory afterwards, in no core's hardware.
void vcpu_evict(struct vcpu *v);

// Its list registers are folded into its page.
void vcpu_sync(struct vcpu *v);

// Is its thread in guest mode?
bool vcpu_runs(const struct vcpu *v);

err_t vcpu_translate(struct vcpu *v, uint64_t va, bool el0, uint64_t *ipa) WARN_UNUSED;

// ---- On its thread's core -----------------------------------------------------------------------------------

// The guest waits for an interrupt: blocks self, the current thread, in guest mode.
void vcpu_idle(struct thread *self);

// What the hardware kept for a sleeping guest is gone: its timer has to wake it at `timer`.
void vcpu_wake_at(struct vcpu *v, uint64_t timer);

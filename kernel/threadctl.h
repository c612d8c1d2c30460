// Control of threads by whoever holds their capability: binding, starting, stopping, registers, time, end. Build lock
// held; what belongs to the thread's core is done there, by cross call.
#pragma once

#include "thread.h"

void thread_init(struct thread *t, struct untyped *from);

// Copies the capability `cap` from the slot `source` into the thread, which is stopped.
err_t thread_bind_check(const struct thread *t, enum thread_slot slot,
                        const struct cap *cap) WARN_UNUSED;
void thread_bind(struct thread *t, enum thread_slot slot, const struct cap *cap,
                 struct slot *source);

// A held slot is about to be emptied: the thread stops (it lost what it was built on; only its fault endpoint it can
// do without) and lets the object go.
void thread_unbind(struct slot *held);

// The last step of stopping, on t's core; t is neither ready nor waits any more. It gives back borrowed time.
void thread_come_to_rest(struct thread *t);

void thread_stop(struct thread *t);
void thread_start(struct thread *t);

struct thread_time {
    uint64_t budget; // ticks
    uint64_t period;
    uint32_t core;
    uint8_t priority;
};

void thread_set_time(struct thread *t, const struct thread_time *time);
void thread_set_flags(struct thread *t, unsigned flags);

// Ticks of its time that it, and passive servers on its behalf, have used up to now.
uint64_t thread_used(struct thread *t);

// Register access goes to memory, so the thread must be stopped or faulted: thread_settled.
bool thread_settled(const struct thread *t);

bool thread_dismantle_step(struct thread *t);

// Threads: what runs. See sched.h for who runs when, ipc.h for how they talk.
//
// A thread's scheduling belongs to one core at a time, `core`: only that core, interrupts off, changes the fields
// of the group "its core's". Others reach in through one word, `wait`:
//
//   wait            meaning
//   WAIT_NONE       it runs, is ready, is stopped, or somebody has just won the right to wake it
//   WAIT_RECEIVE    blocked in receive: a signaller, a caller or a deadline may wake it
//   WAIT_REPLY      blocked in call or a fault: the server that holds it (or its end, or an end of the endpoint) may
//   WAIT_QUEUED     blocked in call, in the endpoint's queue: its server takes it out
//   WAIT_GUEST      it is a guest that runs or is ready (vcpu.h): nobody claims it, who has something for it kicks
//   WAIT_IDLE       it is a guest that waits for an interrupt: whoever has something for it, or its deadline
//
// Whoever changes it from a waiting value to WAIT_NONE by compare-and-swap owns the thread: fills in its result
// registers and hands it to its core (sched_wake).
#pragma once

#include <stdatomic.h>

#include "arch.h"
#include "object.h"
#include "relaxed.h"
#include "timeq.h"

struct endpoint;
struct notification;
struct cspace;
struct space;
struct vcpu;

enum wait {
    WAIT_NONE,
    WAIT_RECEIVE,
    WAIT_REPLY,
    WAIT_QUEUED,
    WAIT_GUEST,
    WAIT_IDLE,
};

// Time that a thread may use: at most `budget` ticks in every `period`.
struct budget {
    uint64_t budget; // ticks; 0: never runs by itself
    uint64_t period; // ticks, >= budget; equal: a time slice only, never throttled
    uint64_t refill; // when the period that was begun ends
    uint64_t left;   // of this period
    uint64_t used;   // in all, for thread_info
};

struct thread {
    struct arch_regs regs; // first: the entry code saves here
    struct obj obj;

    // Bound objects, cached from the held slots; NULL or empty if unbound. Changed on its core under the build lock.
    struct cspace *cspace;
    struct space *space;
    struct notification *notification;
    struct endpoint *endpoint;
    uint64_t *message; // its message page, in the kernel's view
    struct vcpu *vcpu;

    _Atomic uint32_t wait; // enum wait; see above

    // Its core's.
    _Atomic uint32_t
        state; // enum thread_state, and from bit 8 on the core where it began; others may look
    _Atomic uint32_t
        core;         // where it is; a passive server moves with its callers. Changed by its owner
    uint32_t home;    // where it belongs
    uint8_t priority; // 0..PRIORITY_MAX
    uint8_t flags;    // enum thread_flags
    bool throttled; // ready, but its budget is used up: in the time queue instead of the run queue
    bool fault_reply;        // blocked for a fault: a reply resumes it and changes no register
    bool has_lived;          // it was stopped: other cores may still look for it where it was
    uint32_t depth;          // how many callers its time came through; 0: its own
    struct list ready;       // run queue
    struct timeq_node timer; // deadline of its wait, or end of throttling
    struct budget own;       // its time
    struct thread *donor; // whose time it runs on: itself, or its caller's donor (passive servers)
    struct thread *inbox_next; // link in a core's inbox

    // Calls. A server answers one caller at a time.
    struct thread *_Atomic caller;      // server: who waits for my reply
    struct thread *_Atomic server;      // caller: who has me, while WAIT_REPLY; NULL: it forgot me
    struct endpoint *_Atomic queued_at; // caller: whose queue, while WAIT_QUEUED
    uint64_t call_badge;                // caller: badge of the capability it called through
    struct list queue;                  // caller: link in the endpoint's queue
    uint64_t fault_words[5];            // message of a fault: info, then the words of abi/syscall.h

    struct slot held[THREAD_SLOT_COUNT];
    struct arch_fp fp;
};

static inline uint32_t thread_state(const struct thread *t)
{
    return load_relaxed(&t->state) & 0xff;
}

// Is it in this state on this very core? A yes to "ready" or "calling" stays true as long as the core does nothing
// about it: only the core itself writes its number there.
static inline bool thread_is(const struct thread *t, enum thread_state state, uint32_t core)
{
    return load_relaxed(&t->state) == (state | core << 8);
}

static inline void thread_set_state(struct thread *t, enum thread_state state, uint32_t core)
{
    store_relaxed(&t->state, state | core << 8);
}

static inline uint32_t thread_core(const struct thread *t)
{
    // Who finds it here also finds its state.
    return atomic_load_explicit(&t->core, memory_order_acquire);
}

static inline void thread_set_core(struct thread *t, uint32_t core)
{
    atomic_store_explicit(&t->core, core, memory_order_release);
}

// Tries to win the right to wake t; see the table above.
static inline bool thread_claim(struct thread *t, uint32_t from)
{
    return atomic_compare_exchange_strong(&t->wait, &from, WAIT_NONE);
}

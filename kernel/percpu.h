// What each core has of its own. Only that core touches it, interrupts off; the two inboxes are the exception.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <abi/syscall.h>
#include <base/list.h>

#include "arch.h"
#include "timeq.h"

struct thread;
struct xcall;

#define PRIORITIES    (PRIORITY_MAX + 1)
#define PRIORITY_NONE (-1) // below every thread's

struct percpu {
    struct thread *current; // NULL: idle
    uint64_t stack_top;     // of this core's kernel stack
    struct arch_percpu arch;

    struct arch_fp *fp_owner; // whose FP state the registers hold

    // Run queue: threads that are ready, the current one excluded. One bit a non-empty list.
    uint64_t ready_bits[(PRIORITIES + 63) / 64];
    int top;        // highest priority with a ready thread, or PRIORITY_NONE
    bool need_pick; // current may not be the one to go on with

    struct thread
        *preempting;     // woken, ready and above current and queue, but not in the queue; or NULL
    uint64_t since;      // when the current thread's time was last charged
    struct timeq timers; // deadlines of waits, ends of throttling

    // From other cores.
    struct thread *_Atomic inbox; // woken threads, last in first out, by thread.inbox_next
    struct xcall *_Atomic xcall;  // one cross call, posted by the holder of the build lock

    unsigned id;

    struct list
        ready[PRIORITIES]; // last: what is used more often is within reach of one instruction
};

extern struct percpu percpu[CORES_MAX];
extern unsigned core_count; // running; fixed once the first process runs

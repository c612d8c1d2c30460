// Locks. Order: the build lock, then one endpoint's lock. Interrupts are off whenever one is held.
//
// The build lock guards the tree of capabilities, the watermarks of untyped memory, page tables, and every change
// of what objects are made of. Nobody waits for it inside the kernel: a system call that finds it taken goes back
// to its svc instruction and is made again, so that a waiting core takes its interrupts and cross calls.
//
// Paths of calls, signals, interrupts and time take no build lock.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "arch.h"

struct spinlock {
    _Atomic uint32_t taken; // 0 or 1
};

static inline bool spin_trylock(struct spinlock *l)
{
    return atomic_exchange_explicit(&l->taken, 1, memory_order_acquire) == 0;
}

// For a few lines at a time: whoever holds it has interrupts off and does not wait for anybody.
static inline void spin_lock(struct spinlock *l)
{
    while (!spin_trylock(l)) {
        arch_relax();
    }
}

static inline void spin_unlock(struct spinlock *l)
{
    atomic_store_explicit(&l->taken, 0, memory_order_release);
}

extern struct spinlock build_lock;

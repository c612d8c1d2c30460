// Threads of processes: what each shares with the rest of its process, its time, and where it begins. Thread 0 is the
// process itself; a VMM (abi/vm.h) has one more for each vcpu.
#pragma once

#include "system.h"

struct thread_time {
    unsigned priority;
    unsigned core;
    uint64_t budget_us;
    uint64_t period_us;
};

// Faults of processes without a parent come to init with this badge.
#define FAULT_BADGE(process, thread) (BADGE_FAULT | (uint64_t)(thread) << 32 | (process))
#define FAULT_BADGE_PROCESS(badge)   ((uint32_t)(badge))
#define FAULT_BADGE_THREAD(badge)    ((uint32_t)(((badge) & ~BADGE_FAULT) >> 32))

// The process's capability and address space, the thread's own notification, and who hears of its faults.
err_t thread_bind(struct system *s, uint32_t process, unsigned number, handle_t thread,
                  handle_t notification) WARN_UNUSED;
err_t thread_set_time(struct system *s, handle_t thread, unsigned flags,
                      const struct thread_time *time) WARN_UNUSED;

// Registers as at the start of the process's program. It must not run.
err_t thread_begin(struct system *s, uint32_t process, handle_t thread, uint64_t sp) WARN_UNUSED;

// Who runs: fixed priorities, round robin within one, and budgets. Each core schedules its own threads.
//
// A thread's budget is `budget` ticks in every `period`. The period begins when the thread first runs after the last
// one ended; when the budget is used up, the thread is throttled until the period ends. With budget equal to period
// nothing is withheld: the budget is only the time slice after which others of the same priority get their turn.
// Time is charged to the donor: a passive server spends its caller's.
//
// All of it on the thread's core, interrupts off; sched_wake from anywhere.
#pragma once

#include "percpu.h"
#include "thread.h"

void sched_init(struct percpu *cpu, unsigned id);

// Something was left for a thread in guest mode: kicks or wakes it. Others are left alone. From anywhere.
void sched_poke(struct thread *t);

// A thread that is the caller's own (claimed, or just started): ready to run on its core.
void sched_wake(struct thread *t);

// The current thread has blocked: whatever is ready goes on.
static inline void sched_leave(void)
{
    this_cpu()->need_pick = true;
}

// The same, but `next`, claimed, is what to go on with if nothing of higher priority is ready.
void sched_leave_for(struct thread *self, struct thread *next);

// A passive thread that waits, or stops, belongs to its home core and its own time again.
void sched_go_home(struct thread *self);

// The time that t borrowed is taken back: it goes on with its own. On its core.
void sched_own_time(struct thread *t);

// The wait that the current thread is about to begin ends at `deadline`.
void sched_set_deadline(struct thread *self, uint64_t deadline);

// The wait of a thread of this core ends at `deadline` if not earlier.
void sched_advance_deadline(struct thread *t, uint64_t deadline);

// Takes a ready or running thread of this core off it; its state is in memory afterwards.
void sched_remove(struct thread *t);

// The current thread lets others of its priority go first.
void sched_give_way(struct thread *self);

// Charges the time used so far, so that budgets can be read or changed.
void sched_charge(struct percpu *cpu);

// Events, from entry.h: deadlines have passed; other cores woke threads of ours.
void sched_timer(struct percpu *cpu);
void sched_drain_inbox(struct percpu *cpu);

// The thread to go on with, NULL if none. Last thing before the kernel is left.
struct thread *sched_pick_anew(struct percpu *cpu);
static inline struct thread *sched_pick(struct percpu *cpu)
{
    return cpu->need_pick ? sched_pick_anew(cpu) : cpu->current;
}

// Scheduling: see sched.h.
#include "sched.h"

#include <stddef.h>

#include <base/bits.h>

#include "ipc.h"

#define TIMER_BATCH 16u // expired deadlines handled before interrupts are let in again

void sched_init(struct percpu *cpu, unsigned id)
{
    cpu->id = id;
    cpu->current = NULL;
    cpu->need_pick = true;
    cpu->top = PRIORITY_NONE;
    for (unsigned p = 0; p < PRIORITIES; p++) {
        list_init(&cpu->ready[p]);
    }
}

// ---- Run queue ----------------------------------------------------------------------------------------------

// Highest priority with a ready thread, where no word of ready_bits above `word` has a bit; PRIORITY_NONE if there is
// none.
static int find_top(const struct percpu *cpu, int word)
{
    while (word >= 0 && cpu->ready_bits[word] == 0) {
        word--;
    }
    return word < 0 ? PRIORITY_NONE : word * 64 + 63 - __builtin_clzll(cpu->ready_bits[word]);
}

static ALWAYS_INLINE void queue_insert(struct percpu *cpu, struct thread *t, bool first)
{
    struct list *l = &cpu->ready[t->priority];
    list_insert_before(first ? l->next : l, &t->ready);
    cpu->ready_bits[t->priority / 64] |= BIT(t->priority % 64);
    if (t->priority > cpu->top) {
        cpu->top = t->priority;
    }
}

static void queue_remove(struct percpu *cpu, struct thread *t)
{
    list_remove(&t->ready);
    if (list_empty(&cpu->ready[t->priority])) {
        cpu->ready_bits[t->priority / 64] &= ~BIT(t->priority % 64);
        if (cpu->top == t->priority) {
            cpu->top = find_top(cpu, cpu->top / 64);
        }
    }
}

// ---- Time ---------------------------------------------------------------------------------------------------

void sched_charge(struct percpu *cpu)
{
    uint64_t now = arch_now();
    if (cpu->current != NULL) {
        struct budget *b = &cpu->current->donor->own;
        uint64_t spent = now - cpu->since;
        b->used += spent;
        b->left -= spent < b->left ? spent : b->left;
    }
    cpu->since = now;
}

static bool withheld(const struct budget *b)
{
    return b->budget != b->period;
}

// Begins a new period if the old one is over, or a new slice if the old one is used up: not earlier, or a thread that
// is preempted often enough would never let its equals run. False: the budget is used up until b->refill.
static inline bool has_time(struct budget *b, uint64_t now)
{
    if (withheld(b) ? now >= b->refill : b->left == 0) {
        b->left = b->budget;
        b->refill = now + b->period;
    }
    return b->left != 0;
}

// When this core must look again: the next deadline, or the end of what t, which goes on, may use at a stretch.
static inline void set_timer(struct percpu *cpu, const struct thread *t)
{
    uint64_t when = timeq_first(&cpu->timers);
    if (t != NULL) {
        const struct budget *b = &t->donor->own;
        // A slice matters only while somebody of the same priority waits for his turn.
        bool limited = withheld(b) || cpu->top == t->priority;
        if (limited && cpu->since + b->left < when) {
            when = cpu->since + b->left;
        }
    }
    arch_timer_set(&cpu->arch, when);
}

// Until its donor's period ends; a thread that was never given time waits for ever.
static void throttle(struct percpu *cpu, struct thread *t)
{
    const struct budget *b = &t->donor->own;
    t->throttled = true;
    timeq_insert(&cpu->timers, &t->timer, b->budget == 0 ? UINT64_MAX : b->refill);
}

// ---- Switching ----------------------------------------------------------------------------------------------

// The current thread goes on. Time was charged.
static inline void stay(struct percpu *cpu, const struct thread *t)
{
    cpu->need_pick = false;
    set_timer(cpu, t);
}

// Goes on with t (NULL: nothing) on the time that the timer is set for. Returns t.
static inline struct thread *switch_threads(struct percpu *cpu, struct thread *t)
{
    struct thread *from = cpu->current;
    cpu->current = t;
    cpu->need_pick = false;
    return arch_thread_switch(from, t);
}

// Goes on with t (NULL: nothing), not current. Time was charged. Returns t.
static ALWAYS_INLINE struct thread *switch_to(struct percpu *cpu, struct thread *t)
{
    set_timer(cpu, t);
    return switch_threads(cpu, t);
}

static bool runnable(const struct thread *t)
{
    return thread_state(t) == THREAD_READY && !t->throttled;
}

// The first in the queue, taken out; NULL if there is none.
static struct thread *queue_take(struct percpu *cpu)
{
    if (cpu->top == PRIORITY_NONE) {
        return NULL;
    }
    struct thread *t = CONTAINER_OF(cpu->ready[cpu->top].next, struct thread, ready);
    queue_remove(cpu, t);
    return t;
}

// Goes on with `next` or, if it is NULL or has no time, the first in the queue that has.
static NOINLINE struct thread *pick_from_queue(struct percpu *cpu, struct thread *next)
{
    if (next == NULL) {
        next = queue_take(cpu);
    }
    while (next != NULL && !has_time(&next->donor->own, cpu->since)) {
        throttle(cpu, next);
        next = queue_take(cpu);
    }
    if (next == cpu->current) {
        stay(cpu, next);
        return next;
    }
    return switch_to(cpu, next);
}

// The current thread t has used its time up: its equals go first, or it waits until its donor has time again.
static NOINLINE struct thread *pick_after_turn(struct percpu *cpu, struct thread *t,
                                               struct thread *next)
{
    if (has_time(&t->donor->own, cpu->since)) {
        queue_insert(cpu, t, false);
    } else {
        throttle(cpu, t);
    }
    return pick_from_queue(cpu, next);
}

// Nothing is called on the usual ways, only continued with: no stack frame.
struct thread *sched_pick_anew(struct percpu *cpu)
{
    sched_charge(cpu);
    struct thread *t = cpu->current;
    struct thread *next = cpu->preempting;
    cpu->preempting = NULL;
    if (t != NULL && runnable(t)) {
        if (t->donor->own.left == 0) {
            return pick_after_turn(cpu, t, next);
        }
        if (next == NULL && t->priority >= cpu->top) {
            stay(cpu, t);
            return t;
        }
        queue_insert(cpu, t, true);
    }
    if (next == NULL || !has_time(&next->donor->own, cpu->since)) {
        return pick_from_queue(cpu, next);
    }
    return switch_to(cpu, next);
}

// ---- Waking and blocking ------------------------------------------------------------------------------------

// t goes before the current thread: straight on to it when the kernel is left, unless a still higher one comes.
static ALWAYS_INLINE void preempt(struct percpu *cpu, struct thread *t)
{
    struct thread *other = cpu->preempting;
    cpu->need_pick = true;
    if (t->priority <= cpu->top || (other != NULL && t->priority <= other->priority)) {
        queue_insert(cpu, t, false);
        return;
    }
    cpu->preempting = t;
    if (other != NULL) {
        queue_insert(cpu, other, true);
    }
}

static NOINLINE void begin_slice(struct percpu *cpu)
{
    sched_charge(cpu);
    set_timer(cpu, cpu->current);
}

// t has no deadline any more.
static void make_ready(struct percpu *cpu, struct thread *t)
{
    thread_set_state(t, THREAD_READY, cpu->id);
    struct thread *current = cpu->current;
    if (t == current) {
        cpu->need_pick = true; // it had begun to block in this very system call
        return;
    }
    if (current == NULL || t->priority > current->priority) {
        preempt(cpu, t);
        return;
    }
    queue_insert(cpu, t, false);
    if (t->priority == current->priority && !cpu->need_pick) {
        begin_slice(cpu); // it counts from now on
    }
}

// t's wait ended before its deadline.
static NOINLINE void make_ready_early(struct percpu *cpu, struct thread *t)
{
    timeq_remove(&cpu->timers, &t->timer);
    make_ready(cpu, t);
}

static void inbox_push(struct thread *t)
{
    struct percpu *cpu = &percpu[thread_core(t)];
    struct thread *first = load_relaxed(&cpu->inbox);
    do {
        t->inbox_next = first;
    } while (!atomic_compare_exchange_weak_explicit(&cpu->inbox, &first, t, memory_order_release,
                                                    memory_order_relaxed));
    arch_kick(cpu->id);
}

void sched_wake(struct thread *t)
{
    struct percpu *cpu = this_cpu();
    if (thread_core(t) != cpu->id) {
        inbox_push(t);
    } else if (timeq_queued(&t->timer)) {
        make_ready_early(cpu, t);
    } else {
        make_ready(cpu, t);
    }
}

void sched_poke(struct thread *t)
{
    // Pairs with the last look before the guest is entered or its thread sleeps: vcpu.h.
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t wait = load_relaxed(&t->wait);
    if (wait == WAIT_GUEST) {
        uint32_t core = thread_core(t);
        if (core != this_cpu()->id) { // here it looks again before it is entered
            arch_kick(core);
        }
    } else if (wait == WAIT_IDLE && thread_claim(t, WAIT_IDLE)) {
        sched_wake(t);
    }
}

void sched_drain_inbox(struct percpu *cpu)
{
    if (load_relaxed(&cpu->inbox) == NULL) {
        return;
    }
    struct thread *t = atomic_exchange_explicit(&cpu->inbox, NULL, memory_order_acquire);
    struct thread *oldest = NULL;
    while (t != NULL) {
        struct thread *next = t->inbox_next;
        t->inbox_next = oldest;
        oldest = t;
        t = next;
    }
    while (oldest != NULL) {
        t = oldest;
        oldest = t->inbox_next;
        sched_wake(t); // to this core's queue, or on to where it has moved meanwhile
    }
}

// On other time, with a slice that matters, from a wait with a deadline, or (not direct) over the queue.
static NOINLINE void leave_slowly(struct percpu *cpu, const struct thread *self,
                                  struct thread *next, bool direct)
{
    if (direct && next->donor != self->donor) {
        sched_charge(cpu);
        direct = has_time(&next->donor->own, cpu->since);
    }
    if (!direct) {
        cpu->need_pick = true;
        sched_wake(next);
        return;
    }
    timeq_remove(&cpu->timers, &next->timer);
    thread_set_state(next, THREAD_READY, cpu->id);
    (void)switch_to(cpu, next);
}

void sched_leave_for(struct thread *self, struct thread *next)
{
    struct percpu *cpu = this_cpu();
    // Straight on if nothing else would be picked; if somebody of the same priority waits, a slice matters.
    bool direct = !cpu->need_pick && thread_core(next) == cpu->id && next->priority >= cpu->top;
    if (!direct || next->donor != self->donor || next->priority == cpu->top ||
        timeq_queued(&next->timer)) {
        leave_slowly(cpu, self, next, direct);
        return;
    }
    thread_set_state(next, THREAD_READY, cpu->id);
    (void)switch_threads(cpu, next);
}

void sched_go_home(struct thread *self)
{
    struct percpu *cpu = this_cpu();
    if (cpu->current == self) {
        sched_charge(cpu);
        switch_to(cpu, NULL);
        cpu->need_pick = true;
    }
    arch_fp_evict(&self->fp);
    self->donor = self;
    self->depth = 0;
    thread_set_core(self, self->home);
}

void sched_own_time(struct thread *t)
{
    struct percpu *cpu = this_cpu();
    if (cpu->current == t) {
        sched_charge(cpu);
    }
    t->donor = t;
    t->depth = 0;
    // Throttled until somebody else's period ends: its own budget decides now.
    if (thread_is(t, THREAD_READY, cpu->id) && t->throttled) {
        timeq_remove(&cpu->timers, &t->timer);
        t->throttled = false;
        queue_insert(cpu, t, false);
    }
    cpu->need_pick = true;
}

void sched_set_deadline(struct thread *self, uint64_t deadline)
{
    timeq_insert(&this_cpu()->timers, &self->timer, deadline);
}

void sched_advance_deadline(struct thread *t, uint64_t deadline)
{
    struct percpu *cpu = this_cpu();
    if (timeq_queued(&t->timer)) {
        if (t->timer.when <= deadline) {
            return;
        }
        timeq_remove(&cpu->timers, &t->timer);
    }
    timeq_insert(&cpu->timers, &t->timer, deadline);
    set_timer(cpu, cpu->current); // who runs next has been chosen already
}

void sched_remove(struct thread *t)
{
    struct percpu *cpu = this_cpu();
    if (cpu->current == t) {
        sched_charge(cpu);
        switch_to(cpu, NULL);
    } else if (cpu->preempting == t) {
        cpu->preempting = NULL;
    } else if (t->throttled) {
        timeq_remove(&cpu->timers, &t->timer);
        t->throttled = false;
    } else {
        queue_remove(cpu, t);
    }
    cpu->need_pick = true;
}

void sched_give_way(struct thread *self)
{
    struct percpu *cpu = this_cpu();
    if (list_empty(&cpu->ready[self->priority])) {
        return;
    }
    sched_charge(cpu);
    queue_insert(cpu, self, false);
    cpu->current = NULL;
    arch_thread_switch(self, NULL);
    cpu->need_pick = true;
}

void sched_timer(struct percpu *cpu)
{
    uint64_t now = arch_now();
    for (unsigned i = 0; i < TIMER_BATCH && timeq_first(&cpu->timers) <= now; i++) {
        struct thread *t = CONTAINER_OF(cpu->timers.first, struct thread, timer);
        timeq_remove(&cpu->timers, &t->timer);
        if (t->throttled) {
            t->throttled = false;
            make_ready(cpu, t);
        } else if (thread_claim(t, WAIT_RECEIVE)) {
            ipc_deliver_timeout(t);
            make_ready(cpu, t);
        } else if (thread_claim(t, WAIT_IDLE)) {
            make_ready(cpu, t);
        }
    }
    // Charges the current thread, ends its stretch if it is over, sets the timer again.
    cpu->need_pick = true;
}

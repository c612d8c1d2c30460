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

// Highest priority with a ready thread; PRIORITY_NONE if there is none.
static int find_top(const struct percpu *cpu)
{
    if (cpu->ready_words == 0) {
        return PRIORITY_NONE;
    }
    int word = 31 - __builtin_clz(cpu->ready_words);
    return word * 64 + 63 - __builtin_clzll(cpu->ready_bits[word]);
}

static ALWAYS_INLINE void queue_insert(struct percpu *cpu, struct thread *t, bool first)
{
    struct list *l = &cpu->ready[t->priority];
    list_insert_before(first ? l->next : l, &t->ready);
    cpu->ready_bits[t->priority / 64] |= BIT(t->priority % 64);
    cpu->ready_words |= 1u << t->priority / 64;
    if (t->priority > cpu->top) {
        cpu->top = t->priority;
    }
}

static void queue_remove(struct percpu *cpu, struct thread *t)
{
    unsigned word = t->priority / 64;
    list_remove(&t->ready);
    if (list_empty(&cpu->ready[t->priority])) {
        cpu->ready_bits[word] &= ~BIT(t->priority % 64);
        cpu->ready_words &= ~((cpu->ready_bits[word] == 0 ? 1u : 0u) << word);
        cpu->top = find_top(cpu);
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

// When this core must look again: the next deadline, or the end of what the current thread may use at a stretch.
static inline void set_timer(struct percpu *cpu)
{
    uint64_t when = timeq_first(&cpu->timers);
    const struct thread *t = cpu->current;
    if (t != NULL) {
        const struct budget *b = &t->donor->own;
        // A slice matters only while somebody of the same priority waits for his turn.
        bool limited = withheld(b) || cpu->top == t->priority;
        if (limited && cpu->since + b->left < when) {
            when = cpu->since + b->left;
        }
    }
    arch_timer_set(when);
}

// Until its donor's period ends; a thread that was never given time waits for ever.
static void throttle(struct percpu *cpu, struct thread *t)
{
    const struct budget *b = &t->donor->own;
    t->throttled = true;
    timeq_insert(&cpu->timers, &t->timer, b->budget == 0 ? UINT64_MAX : b->refill);
}

// ---- Switching ----------------------------------------------------------------------------------------------

// Goes on with t (NULL: nothing) on the time that the timer is set for.
static inline void switch_threads(struct percpu *cpu, struct thread *t)
{
    arch_thread_switch(cpu->current, t);
    cpu->current = t;
    cpu->need_pick = false;
}

// Goes on with t (NULL: nothing). Time was charged.
static ALWAYS_INLINE void switch_to(struct percpu *cpu, struct thread *t)
{
    if (cpu->current != t) {
        switch_threads(cpu, t);
    }
    cpu->need_pick = false;
    set_timer(cpu);
}

static bool runnable(const struct thread *t)
{
    return thread_state(t) == THREAD_READY && !t->throttled;
}

// The current thread's turn is over for now: back into the queue, or throttled until its donor has time again.
static ALWAYS_INLINE void put_back(struct percpu *cpu, struct thread *t)
{
    struct budget *b = &t->donor->own;
    if (b->left != 0) {
        queue_insert(cpu, t, true);
    } else if (has_time(b, cpu->since)) {
        queue_insert(cpu, t, false);
    } else {
        throttle(cpu, t);
    }
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

struct thread *sched_pick_anew(struct percpu *cpu)
{
    sched_charge(cpu);
    struct thread *t = cpu->current;
    struct thread *next = cpu->preempting;
    cpu->preempting = NULL;
    if (t != NULL && runnable(t)) {
        if (next == NULL && t->donor->own.left != 0 && t->priority >= cpu->top) {
            switch_to(cpu, t);
            return t;
        }
        put_back(cpu, t);
    }
    if (next == NULL) {
        next = queue_take(cpu);
    }
    while (next != NULL && !has_time(&next->donor->own, cpu->since)) {
        throttle(cpu, next);
        next = queue_take(cpu);
    }
    switch_to(cpu, next);
    return next;
}

// ---- Waking and blocking ------------------------------------------------------------------------------------

static void forget_deadline(struct percpu *cpu, struct thread *t)
{
    if (timeq_queued(&t->timer)) {
        timeq_remove(&cpu->timers, &t->timer);
    }
}

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

static void make_ready(struct percpu *cpu, struct thread *t)
{
    thread_set_state(t, THREAD_READY, cpu->id);
    forget_deadline(cpu, t);
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
        sched_charge(cpu);
        set_timer(cpu); // the slice counts from now on
    }
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
    if (thread_core(t) == cpu->id) {
        make_ready(cpu, t);
    } else {
        inbox_push(t);
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

void sched_leave_for(struct thread *self, struct thread *next)
{
    struct percpu *cpu = this_cpu();
    if (next == NULL) {
        cpu->need_pick = true;
        return;
    }
    // Straight on if nothing else would be picked.
    bool direct = !cpu->need_pick && thread_core(next) == cpu->id && next->priority >= cpu->top;
    bool same_time = next->donor == self->donor;
    if (direct && !same_time) {
        sched_charge(cpu);
        direct = has_time(&next->donor->own, cpu->since);
    }
    if (!direct) {
        cpu->need_pick = true;
        sched_wake(next);
        return;
    }
    thread_set_state(next, THREAD_READY, cpu->id);
    forget_deadline(cpu, next);
    switch_threads(cpu, next);
    if (!same_time || next->priority == cpu->top) { // a slice matters, or matters now
        set_timer(cpu);
    }
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
    set_timer(cpu); // who runs next has been chosen already
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

// Control of threads: see threadctl.h.
#include "threadctl.h"

#include <base/bits.h>

#include "cspace.h"
#include "endpoint.h"
#include "frames.h"
#include "ipc.h"
#include "notification.h"
#include "sched.h"
#include "space.h"
#include "vcpu.h"
#include "xcall.h"

void thread_init(struct thread *t, struct untyped *from)
{
    t->obj = (struct obj){.type = OBJ_THREAD, .from = from};
    t->donor = t;
    list_init(&t->ready);
    list_init(&t->queue);
    for (unsigned i = 0; i < THREAD_SLOT_COUNT; i++) {
        slot_init(&t->held[i], SLOT_IN_THREAD, i);
    }
    arch_regs_init(&t->regs);
}

bool thread_settled(const struct thread *t)
{
    uint32_t state = thread_state(t);
    return state == THREAD_STOPPED || state == THREAD_FAULTED;
}

// ---- On the thread's core -----------------------------------------------------------------------------------

// What is done to a thread on its core. False: it has moved to another core meanwhile, try there.
typedef bool core_fn(struct thread *t, const void *arg);

struct core_call {
    core_fn *run;
    struct thread *t;
    const void *arg;
    bool done;
};

static void run_if_here(void *arg)
{
    struct core_call *call = arg;
    if (thread_core(call->t) == this_cpu()->id) {
        call->done = call->run(call->t, call->arg);
    }
}

// A passive server moves with its callers: tries until it is caught.
static void run_on_core(struct thread *t, core_fn *run, const void *arg)
{
    struct core_call call = {.run = run, .t = t, .arg = arg};
    while (!call.done) {
        xcall_run(thread_core(t), run_if_here, &call);
    }
}

enum found {
    FOUND_STOPPED,
    FOUND_READY,     // in this core's queues
    FOUND_RECEIVING, // and claimed: it is ours
    FOUND_CALLING,   // or faulted, here; an answer may be on its way to this core's inbox
    FOUND_ELSEWHERE, // it went on on another core
};

// What t is doing. Others may claim it, move it and let it run while we look, so only what is certain counts.
static enum found find(struct thread *t)
{
    struct percpu *cpu = this_cpu();
    for (;;) {
        sched_drain_inbox(cpu);
        if (thread_state(t) == THREAD_STOPPED) {
            return FOUND_STOPPED;
        }
        if (thread_is(t, THREAD_READY, cpu->id)) {
            return FOUND_READY;
        }
        if (thread_is(t, THREAD_CALLING, cpu->id) || thread_is(t, THREAD_FAULTED, cpu->id)) {
            return FOUND_CALLING;
        }
        if (thread_claim(t, WAIT_RECEIVE) || thread_claim(t, WAIT_IDLE)) {
            timeq_remove(&cpu->timers, &t->timer);
            return FOUND_RECEIVING;
        }
        if (thread_core(t) != cpu->id) {
            return FOUND_ELSEWHERE;
        }
        arch_relax(); // somebody has just claimed it, and puts it into our inbox or moves it
    }
}

// t, found calling, calls no more: it will repeat the call, unless that had been delivered; then it ends with ERR_GONE.
// False: it was answered, and is ready.
static bool end_call(struct thread *t)
{
    struct percpu *cpu = this_cpu();
    for (;;) {
        struct endpoint *ep = atomic_load(&t->queued_at);
        if (ep != NULL && endpoint_withdraw(ep, t)) {
            if (thread_state(t) != THREAD_FAULTED) {
                arch_restart_syscall(&t->regs);
            }
            return true;
        }
        if (ipc_cancel_reply(t)) {
            ipc_fail_call(t);
            return true;
        }
        sched_drain_inbox(cpu);
        if (thread_is(t, THREAD_READY, cpu->id)) {
            return false;
        }
        arch_relax(); // its server takes it out of the queue, or answers
    }
}

// Brings t to a standstill: neither ready nor waiting. Started again, it repeats what it was waiting for.
static bool halt(struct thread *t, const void *arg)
{
    (void)arg;
    switch (find(t)) {
    case FOUND_ELSEWHERE:
        return false;
    case FOUND_STOPPED:
        return true;
    case FOUND_READY:
        sched_remove(t);
        break;
    case FOUND_RECEIVING:
        if (!arch_guest_mode(&t->regs)) {
            arch_restart_syscall(&t->regs);
        }
        break;
    case FOUND_CALLING:
        if (!end_call(t)) {
            sched_remove(t);
        }
        break;
    }
    thread_come_to_rest(t);
    return true;
}

void thread_come_to_rest(struct thread *t)
{
    if (arch_guest_mode(&t->regs)) {
        arch_leave_guest_mode(&t->regs, VCPU_STOPPED, 0);
        atomic_store(&t->wait, WAIT_NONE);
    }
    thread_set_state(t, THREAD_STOPPED, this_cpu()->id);
    t->has_lived = true;
    sched_go_home(t);
}

static bool start(struct thread *t, const void *arg)
{
    (void)arg;
    sched_wake(t);
    return true;
}

// What the core's registers hold of it goes to memory.
static void evict(struct thread *t)
{
    arch_fp_evict(&t->fp);
    if (t->vcpu != NULL && atomic_load(&t->vcpu->resident) == this_cpu()->id + 1) {
        arch_vcpu_evict(t->vcpu);
    }
}

// A thread that waits for signals or calls wakes with nothing and waits again on its new core.
static bool set_time(struct thread *t, const void *arg)
{
    const struct thread_time *time = arg;
    enum found found = find(t);
    switch (found) {
    case FOUND_ELSEWHERE:
        return false;
    case FOUND_READY:
        sched_remove(t);
        break;
    case FOUND_RECEIVING:
        ipc_deliver_bits(t, 0);
        break;
    case FOUND_CALLING:
        sched_charge(this_cpu()); // its server may be running on its time
        break;
    case FOUND_STOPPED:
        break;
    }

    t->priority = time->priority;
    t->own.budget = time->budget;
    t->own.period = time->period;
    t->own.left = time->budget;
    t->own.refill = 0;
    t->home = time->core;
    if (t->donor == t) { // else it stays with its caller
        evict(t);
        // An answer that comes from now on goes to the new core, which must find there what it calls.
        thread_set_state(t, thread_state(t), time->core);
        thread_set_core(t, time->core);
        // Not before: who takes it out of a queue from now on finds it on its new core.
        if (found == FOUND_CALLING) {
            ipc_take_back_time(t);
        }
    }
    if (found == FOUND_READY || found == FOUND_RECEIVING) {
        sched_wake(t);
    }
    return true;
}

static bool set_flags(struct thread *t, const void *arg)
{
    evict(t);
    t->flags = *(const uint8_t *)arg;
    return true;
}

static bool charge_core(struct thread *t, const void *arg)
{
    (void)t;
    (void)arg;
    sched_charge(this_cpu());
    return true;
}

// ---- Operations ---------------------------------------------------------------------------------------------

void thread_stop(struct thread *t)
{
    run_on_core(t, halt, NULL);
}

void thread_start(struct thread *t)
{
    if (thread_state(t) == THREAD_READY) {
        return;
    }
    run_on_core(t, halt, NULL);
    if (t->has_lived) {
        xcall_quiesce(); // who saw it waiting before it was stopped must not find it waiting for something else
    }
    run_on_core(t, start, NULL);
}

void thread_set_time(struct thread *t, const struct thread_time *time)
{
    run_on_core(t, set_time, time);
}

void thread_set_flags(struct thread *t, unsigned flags)
{
    uint8_t value = (uint8_t)flags;
    run_on_core(t, set_flags, &value);
}

uint64_t thread_used(struct thread *t)
{
    run_on_core(t, charge_core, NULL);
    return t->own.used;
}

// ---- What it holds ------------------------------------------------------------------------------------------

static const struct {
    uint8_t type;
    uint8_t rights;
} held_kinds[THREAD_SLOT_COUNT] = {
    [THREAD_CSPACE] = {OBJ_CSPACE, RIGHT_READ},
    [THREAD_SPACE] = {OBJ_SPACE, RIGHT_WRITE},
    [THREAD_NOTIFICATION] = {OBJ_NOTIFICATION, RIGHT_READ},
    [THREAD_ENDPOINT] = {OBJ_ENDPOINT, RIGHT_READ},
    [THREAD_FAULT] = {OBJ_ENDPOINT, RIGHT_WRITE},
    [THREAD_MESSAGE] = {OBJ_FRAMES, RIGHT_READ | RIGHT_WRITE},
    [THREAD_VCPU] = {OBJ_VCPU, RIGHT_WRITE},
};

static struct notification *as_notification(struct obj *o)
{
    return CONTAINER_OF(o, struct notification, obj);
}

static struct endpoint *as_endpoint(struct obj *o)
{
    return CONTAINER_OF(o, struct endpoint, obj);
}

static struct vcpu *as_vcpu(struct obj *o)
{
    return CONTAINER_OF(o, struct vcpu, obj);
}

err_t thread_bind_check(const struct thread *t, enum thread_slot slot, const struct cap *cap)
{
    if (cap->type != held_kinds[slot].type) {
        return ERR_TYPE;
    }
    if ((cap->rights & held_kinds[slot].rights) != held_kinds[slot].rights) {
        return ERR_RIGHTS;
    }
    if (!slot_empty(&t->held[slot])) {
        return ERR_OCCUPIED;
    }
    bool taken = false;
    bool wrong = false;
    if (slot == THREAD_NOTIFICATION) {
        taken = atomic_load(&as_notification(cap->obj)->bound) != NULL;
    } else if (slot == THREAD_ENDPOINT) {
        taken = atomic_load(&as_endpoint(cap->obj)->server) != NULL;
    } else if (slot == THREAD_MESSAGE) {
        wrong = CONTAINER_OF(cap->obj, struct frames, obj)->device;
    } else if (slot == THREAD_SPACE) {
        wrong = CONTAINER_OF(cap->obj, struct space, obj)->guest;
    } else if (slot == THREAD_VCPU) {
        taken = atomic_load(&as_vcpu(cap->obj)->thread) != NULL;
    }
    if (taken || thread_state(t) != THREAD_STOPPED) {
        return ERR_BUSY;
    }
    return wrong ? ERR_INVALID : OK;
}

void thread_bind(struct thread *t, enum thread_slot slot, const struct cap *cap,
                 struct slot *source)
{
    struct frames *f;
    slot_fill(&t->held[slot], cap, source);
    switch (slot) {
    case THREAD_CSPACE:
        t->cspace = CONTAINER_OF(cap->obj, struct cspace, obj);
        break;
    case THREAD_SPACE:
        t->space = CONTAINER_OF(cap->obj, struct space, obj);
        break;
    case THREAD_NOTIFICATION:
        t->notification = as_notification(cap->obj);
        atomic_store(&t->notification->bound, t);
        break;
    case THREAD_ENDPOINT:
        t->endpoint = as_endpoint(cap->obj);
        atomic_store(&t->endpoint->server, t);
        break;
    case THREAD_MESSAGE:
        f = CONTAINER_OF(cap->obj, struct frames, obj);
        (void)frames_use(f);
        t->message = phys_to_virt(frames_page(f, frames_first(cap->badge)));
        break;
    case THREAD_VCPU:
        t->vcpu = as_vcpu(cap->obj);
        atomic_store(&t->vcpu->thread, t);
        break;
    default:
        break;
    }
}

void thread_unbind(struct slot *held)
{
    struct slot *first = held - held->index;
    struct thread *t = CONTAINER_OF(first, struct thread, held);
    if (held->index != THREAD_FAULT) {
        run_on_core(t, halt, NULL);
    }
    switch (held->index) {
    case THREAD_CSPACE:
        t->cspace = NULL;
        break;
    case THREAD_SPACE:
        t->space = NULL;
        break;
    case THREAD_NOTIFICATION:
        atomic_store(&t->notification->bound, NULL);
        t->notification = NULL;
        break;
    case THREAD_ENDPOINT:
        ipc_drop_caller(t); // it called through this endpoint
        atomic_store(&t->endpoint->server, NULL);
        t->endpoint = NULL;
        break;
    case THREAD_MESSAGE:
        t->message = NULL;
        break;
    case THREAD_VCPU:
        vcpu_evict(t->vcpu);
        atomic_store(&t->vcpu->thread, NULL);
        t->vcpu = NULL;
        break;
    default:
        break;
    }
}

bool thread_dismantle_step(struct thread *t)
{
    run_on_core(t, halt, NULL);
    ipc_drop_caller(t);
    for (unsigned i = 0; i < THREAD_SLOT_COUNT; i++) {
        if (!slot_empty(&t->held[i])) {
            slot_delete_step(&t->held[i]);
            return false;
        }
    }
    return true;
}

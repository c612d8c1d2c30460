// Making another vcpu stand still: for work on what may be in its list registers.
//
// What a running vcpu has in list registers shows in no word of its inbox, and port_sync alone doesn't help: it has left
// the inbox again before anybody can look. So a register access that reads or clears what is pending or active at
// another vcpu makes that one stand still first, works, and lets it go:
//
//   requester (lock held)                          the other vcpu's thread
//   request[other] += VGIC_HOLD, port_wake         port_run ends; or it was in a handler
//   until it stands still: unlock, port_wait, lock   vgic_wanted: vgic_serve: lock, parked = true, port_wake(requester),
//   port_sync, work                                  until nobody holds it: unlock, port_wait, lock
//   request[other] -= VGIC_HOLD, port_wake         parked = false, unlock, port_run
//
// A vcpu stands still when its thread is parked, or itself waits in or works after vgic_hold (so that two that hold each
// other both go on, one after the other), or when it is off, or when one thread serves all vcpus. All of this is looked
// at in the same critical section as the work is done in, and whoever stops standing still takes the lock first.
// A wake that is sent before the other has entered the guest ends the port_run that follows (port.h): none is missed.
// A requester takes wakes that were meant to end its next port_run, and nobody wakes it for what is requested of itself
// meanwhile: it looks at everything before its next port_run.
//
// The wait is bounded: a thread that is kept from coming (its core is given to somebody else) must not take another
// vcpu with it. What is read or cleared after that is what port_sync says.
#include "model.h"

#define HOLD_TRIES            32u
#define HOLD_TRIES_PER_SECOND 2000u

// How often a vcpu with a request that can't be finished yet is looked at.
#define TIDY_PER_SECOND 10000u

bool vgic_is_still(struct vm *vm, const struct vcpu *self, unsigned vcpu)
{
    const struct vgic *g = &vm->gic;
    uint32_t power = atomic_load(&vm->vcpu[vcpu].power);
    return (self != NULL && self->index == vcpu) || g->parked[vcpu] || g->holding[vcpu] ||
           power == VCPU_OFF || power == VCPU_HALTED ||
           port_abilities(vm->port)->threads_per_vm == 1;
}

static bool all_still(const struct vgic_work *w)
{
    for (uint32_t left = w->held; left != 0; left &= left - 1) {
        if (!vgic_is_still(w->vm, w->self, (unsigned)__builtin_ctz(left))) {
            return false;
        }
    }
    return true;
}

static void wait_without_lock(struct vgic_work *w)
{
    struct vm *vm = w->vm;
    uint64_t step = port_ticks_per_second(vm->port) / HOLD_TRIES_PER_SECOND;
    port_unlock(vm->port, &vm->lock);
    port_wait(vm->port, w->self->index, port_now(vm->port) + step);
    port_lock(vm->port, &vm->lock);
}

void vgic_hold(struct vgic_work *w, uint32_t vcpus)
{
    struct vgic *g = &w->vm->gic;
    uint32_t wanted = vcpus & ~w->held & ~(1u << w->self->index);
    w->held |= wanted;
    g->holding[w->self->index] = true;
    w->self->look = true;
    for (; wanted != 0; wanted &= wanted - 1) {
        unsigned vcpu = (unsigned)__builtin_ctz(wanted);
        atomic_fetch_add(&g->request[vcpu], VGIC_HOLD);
        if (!vgic_is_still(w->vm, w->self, vcpu)) {
            port_wake(w->vm->port, vcpu);
        }
    }
    for (unsigned tries = 0; tries < HOLD_TRIES && !all_still(w); tries++) {
        wait_without_lock(w);
    }
}

void vgic_release(struct vgic_work *w)
{
    struct vgic *g = &w->vm->gic;
    for (; w->held != 0; w->held &= w->held - 1) {
        unsigned vcpu = (unsigned)__builtin_ctz(w->held);
        atomic_fetch_sub(&g->request[vcpu], VGIC_HOLD);
        if (g->parked[vcpu]) {
            port_wake(w->vm->port, vcpu);
        }
    }
    if (w->self != NULL) {
        g->holding[w->self->index] = false;
    }
}

// ---- On the vcpu's own thread -----------------------------------------------------------------------------------

static bool is_held(const struct vgic *g, unsigned vcpu)
{
    return atomic_load(&g->request[vcpu]) >= VGIC_HOLD;
}

static void wake_holders(struct vm *vm)
{
    for (unsigned vcpu = 0; vcpu < vm->vcpus; vcpu++) {
        if (vm->gic.holding[vcpu]) {
            port_wake(vm->port, vcpu);
        }
    }
}

static void park(struct vcpu *v)
{
    struct vm *vm = v->vm;
    vm->gic.parked[v->index] = true;
    wake_holders(vm);
    while (is_held(&vm->gic, v->index)) {
        port_unlock(vm->port, &vm->lock);
        port_wait(vm->port, v->index, UINT64_MAX);
        port_lock(vm->port, &vm->lock);
    }
    vm->gic.parked[v->index] = false;
}

uint64_t vgic_serve(struct vcpu *v)
{
    struct vm *vm = v->vm;
    struct vgic_work w = {.vm = vm, .self = v, .bank = v->index};
    port_lock(vm->port, &vm->lock);
    if (is_held(&vm->gic, v->index)) {
        park(v);
    }
    if ((atomic_load(&vm->gic.request[v->index]) & VGIC_TIDY) != 0) {
        vgic_tidy(&w, v);
    }
    bool again = (atomic_load(&vm->gic.request[v->index]) & VGIC_TIDY) != 0;
    port_unlock(vm->port, &vm->lock);
    return again ? port_now(vm->port) + port_ticks_per_second(vm->port) / TIDY_PER_SECOND
                 : UINT64_MAX;
}

// Virtual cores: see vcpu.h.
#include "vcpu.h"

#include <base/bits.h>

#include "cap.h"
#include "frames.h"
#include "notification.h"
#include "sched.h"
#include "space.h"
#include "thread.h"
#include "threadctl.h"
#include "xcall.h"

void vcpu_init(struct vcpu *v, struct untyped *from)
{
    v->obj = (struct obj){.type = OBJ_VCPU, .from = from};
    for (unsigned i = 0; i < VCPU_SLOT_COUNT; i++) {
        slot_init(&v->held[i], SLOT_IN_VCPU, i);
    }
    arch_vcpu_reset(v);
}

// ---- From anywhere ------------------------------------------------------------------------------------------

void vcpu_kick(struct vcpu *v)
{
    struct thread *t = atomic_load(&v->thread);
    if (t != NULL) {
        sched_poke(t);
    }
}

void vcpu_raise(struct vcpu *v, unsigned source)
{
    atomic_fetch_or(&v->linked_raised, BIT(source));
    vcpu_kick(v);
}

// ---- On the core that has it --------------------------------------------------------------------------------

typedef void resident_fn(struct vcpu *v);

struct resident_call {
    resident_fn *run;
    struct vcpu *v;
};

static void run_if_resident(void *arg)
{
    const struct resident_call *call = arg;
    if (load_relaxed(&call->v->resident) == this_cpu()->id + 1) {
        call->run(call->v);
    }
}

static void run_where_resident(struct vcpu *v, resident_fn *run)
{
    struct resident_call call = {.run = run, .v = v};
    uint32_t resident = atomic_load(&v->resident);
    if (resident != VCPU_NOWHERE) {
        xcall_run(resident - 1, run_if_resident, &call);
    }
}

void vcpu_evict(struct vcpu *v)
{
    // Until it runs again, nobody makes it resident: its thread stands still or its VMM does without.
    run_where_resident(v, arch_vcpu_evict);
}

void vcpu_sync(struct vcpu *v)
{
    run_where_resident(v, arch_vcpu_fold);
}

bool vcpu_runs(const struct vcpu *v)
{
    const struct thread *t = atomic_load(&v->thread);
    return t != NULL && arch_guest_mode(&t->regs);
}

// Could its thread enter it while this core has it? Only the build lock starts a thread that is stopped.
static bool is_at_rest(const struct vcpu *v)
{
    const struct thread *t = atomic_load(&v->thread);
    return v->ready && !vcpu_runs(v) &&
           (t == NULL || t == this_cpu()->current || thread_state(t) == THREAD_STOPPED);
}

err_t vcpu_translate(struct vcpu *v, uint64_t va, bool el0, uint64_t *ipa)
{
    if (!is_at_rest(v)) {
        return ERR_BUSY;
    }
    // On this core, wherever it was before.
    if (atomic_load(&v->resident) != this_cpu()->id + 1) {
        vcpu_evict(v);
    }
    bool ok = arch_vcpu_translate(v, va, el0, ipa);
    if (atomic_load(&v->thread) != this_cpu()->current) {
        vcpu_evict(v); // its thread is to find it at home, or nowhere
    }
    return ok ? OK : ERR_RANGE;
}

// ---- Waiting ------------------------------------------------------------------------------------------------

static bool has_news(const struct thread *self)
{
    const struct vcpu *v = self->vcpu;
    const struct notification *n = self->notification;
    return load_relaxed(&v->page->attention) != 0 ||
           (load_relaxed(&v->linked_raised) & load_relaxed(&v->page->enabled)) != 0 ||
           (n != NULL && load_relaxed(&n->word) != 0);
}

void vcpu_idle(struct thread *self)
{
    uint64_t until = self->vcpu->deadline;
    thread_set_state(self, THREAD_RECEIVING, this_cpu()->id);
    if (until != DEADLINE_NEVER) {
        sched_set_deadline(self, until);
    }
    sched_leave();
    atomic_store(&self->wait, WAIT_IDLE);
    atomic_thread_fence(memory_order_seq_cst); // pairs with sched_poke
    if (has_news(self) && thread_claim(self, WAIT_IDLE)) {
        sched_wake(self);
    }
}

void vcpu_wake_at(struct vcpu *v, uint64_t timer)
{
    struct thread *t = atomic_load(&v->thread);
    if (t == NULL || atomic_load(&t->wait) != WAIT_IDLE || timer == DEADLINE_NEVER) {
        return;
    }
    sched_advance_deadline(t, timer);
}

// ---- What it holds ------------------------------------------------------------------------------------------

static const struct {
    uint8_t type;
    uint8_t rights;
} held_kinds[VCPU_SLOT_COUNT] = {
    [VCPU_SPACE] = {OBJ_SPACE, RIGHT_WRITE},
    [VCPU_PAGE] = {OBJ_FRAMES, RIGHT_READ | RIGHT_WRITE},
};

err_t vcpu_bind_check(const struct vcpu *v, enum vcpu_slot slot, const struct cap *cap)
{
    if (cap->type != held_kinds[slot].type) {
        return ERR_TYPE;
    }
    if ((cap->rights & held_kinds[slot].rights) != held_kinds[slot].rights) {
        return ERR_RIGHTS;
    }
    if (!slot_empty(&v->held[slot])) {
        return ERR_OCCUPIED;
    }
    bool right = slot == VCPU_SPACE ? CONTAINER_OF(cap->obj, struct space, obj)->guest
                                    : !CONTAINER_OF(cap->obj, struct frames, obj)->device;
    return right ? OK : ERR_INVALID;
}

void vcpu_bind(struct vcpu *v, enum vcpu_slot slot, const struct cap *cap, struct slot *source)
{
    slot_fill(&v->held[slot], cap, source);
    if (slot == VCPU_SPACE) {
        v->space = CONTAINER_OF(cap->obj, struct space, obj);
    } else {
        struct frames *f = CONTAINER_OF(cap->obj, struct frames, obj);
        (void)frames_use(f);
        v->page = phys_to_virt(frames_page(f, frames_first(cap->badge)));
        v->page->version = VCPU_PAGE_VERSION;
    }
    v->ready = v->space != NULL && v->page != NULL && arch_has_guests();
}

void vcpu_unbind(struct slot *held)
{
    struct slot *first = held - held->index;
    struct vcpu *v = CONTAINER_OF(first, struct vcpu, held);
    struct thread *t = atomic_load(&v->thread);
    if (t != NULL) {
        thread_stop(t);
    }
    vcpu_evict(v);
    v->ready = false;
    if (held->index == VCPU_SPACE) {
        arch_space_forget(&v->space->arch, v);
        v->space = NULL;
    } else {
        v->page = NULL;
    }
}

bool vcpu_dismantle_step(struct vcpu *v)
{
    for (unsigned i = 0; i < VCPU_SLOT_COUNT; i++) {
        if (!slot_empty(&v->held[i])) {
            slot_delete_step(&v->held[i]);
            return false;
        }
    }
    return true;
}

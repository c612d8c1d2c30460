// System calls: the way in (entry.h), and the decoding of every call that abi/syscall.h lists. Each decoder has the same
// shape: look the capabilities up, check every argument, act. Up to the act nothing has changed.
//
// What threads use all the time (call, receive, signal, irq_ack) is dispatched first and takes no lock; the rest stands
// in one table. A call that changes what objects are made of holds the build lock and has a limited amount of work; if
// the lock is taken or the work used up, it goes back to its svc and is made again.
#include <stddef.h>

#include <base/bits.h>

#include "console.h"
#include "cspace.h"
#include "entry.h"
#include "frames.h"
#include "ipc.h"
#include "irq.h"
#include "lock.h"
#include "notification.h"
#include "reap.h"
#include "retype.h"
#include "sched.h"
#include "space.h"
#include "threadctl.h"
#include "untyped.h"
#include "vcpu.h"
#include "xcall.h"

struct spinlock build_lock;

// One call being decoded: w[0..7] are arguments and, from w[1] on, results.
struct decode {
    struct thread *self;
    uint64_t *w;
    struct work work;
};

// What a decoder returns besides errors: WORK_UP, or that w holds the result and belongs to self, which may run on
// another core by now.
#define ANSWERED ((err_t)2)

typedef err_t decode_fn(struct decode *d);

// ---- Looking things up --------------------------------------------------------------------------------------

// For calls that hold no lock.
static ALWAYS_INLINE err_t lookup_unlocked(const struct decode *d, unsigned arg, enum obj_type type,
                                           unsigned rights, struct cap *out)
{
    return cspace_lookup(d->self->cspace, d->w[arg], type, rights, out);
}

static ALWAYS_INLINE err_t own_slot_of(const struct decode *d, unsigned arg, enum obj_type type,
                                       unsigned rights, struct slot **slot)
{
    return cspace_find(d->self->cspace, d->w[arg], type, rights, slot);
}

static ALWAYS_INLINE err_t lookup(const struct decode *d, unsigned arg, enum obj_type type,
                                  unsigned rights, struct cap *out)
{
    struct slot *slot;
    err_t err = own_slot_of(d, arg, type, rights, &slot);
    if (err == OK) {
        slot_get(slot, out);
    }
    return err;
}

// The slot behind a handle of the caller's own, not empty, with its capability.
static err_t own_slot(const struct decode *d, unsigned arg, struct slot **slot, struct cap *cap)
{
    *slot = cspace_slot(d->self->cspace, d->w[arg]);
    return *slot != NULL && slot_read(*slot, cap) ? OK : ERR_NO_CAP;
}

// A slot given by two arguments: a capability space and an index.
static err_t where(const struct decode *d, unsigned arg, unsigned rights, struct slot **slot)
{
    struct cap cap;
    err_t err = lookup(d, arg, OBJ_CSPACE, rights, &cap);
    if (err != OK) {
        return err;
    }
    *slot = cspace_slot(CONTAINER_OF(cap.obj, struct cspace, obj), d->w[arg + 1]);
    return *slot != NULL && d->w[arg + 1] != 0 ? OK : ERR_RANGE;
}

static err_t where_empty(const struct decode *d, unsigned arg, struct slot **slot)
{
    err_t err = where(d, arg, RIGHT_WRITE, slot);
    return err == OK && !slot_empty(*slot) ? ERR_OCCUPIED : err;
}

static err_t lookup_thread(const struct decode *d, unsigned rights, struct thread **t)
{
    struct cap cap;
    err_t err = lookup(d, 0, OBJ_THREAD, rights, &cap);
    *t = err == OK ? CONTAINER_OF(cap.obj, struct thread, obj) : NULL;
    return err;
}

// ---- Capabilities -------------------------------------------------------------------------------------------

static err_t sys_retype(struct decode *d)
{
    struct retype r = {.type = (enum obj_type)d->w[1], .size = d->w[2]};
    err_t err = own_slot_of(d, 0, OBJ_UNTYPED, RIGHT_WRITE, &r.parent);
    if (err == OK) {
        err = where_empty(d, 3, &r.to);
    }
    if (err != OK) {
        return err;
    }
    if (d->w[1] >= OBJ_TYPE_COUNT) {
        return ERR_INVALID;
    }
    // A thread that deleted itself left the rest of that work to others.
    if (!reap_all(&d->work)) {
        return WORK_UP;
    }
    r.untyped = CONTAINER_OF(slot_object(r.parent), struct untyped, obj);
    return retype_object(&r, &d->work);
}

// Gives a copy the badge that was asked for; false if its source does not allow it.
static bool derive_badge(struct cap *cap, uint64_t wanted)
{
    uint64_t from = cap->badge;
    uint64_t first = frames_first(wanted);
    uint64_t count = frames_count(wanted);
    if (wanted == 0) {
        return true;
    }
    switch (cap->type) {
    case OBJ_NOTIFICATION:
    case OBJ_ENDPOINT:
        cap->badge = wanted;
        return from == 0;
    case OBJ_FRAMES:
        cap->badge = FRAMES_RANGE(frames_first(from) + first, count);
        return count != 0 && first < frames_count(from) && count <= frames_count(from) - first;
    case OBJ_TIME:
        cap->badge = wanted;
        return (wanted & 0xff) <= (from & 0xff) && (wanted >> 8 & ~(from >> 8)) == 0;
    default:
        return false;
    }
}

static err_t sys_copy(struct decode *d)
{
    struct slot *from;
    struct slot *to;
    struct cap cap;
    err_t err = where(d, 0, RIGHT_READ, &from);
    if (err == OK) {
        err = where_empty(d, 2, &to);
    }
    if (err != OK) {
        return err;
    }
    if (!slot_read(from, &cap)) {
        return ERR_NO_CAP;
    }
    uint64_t rights = d->w[4];
    if ((cap.rights & RIGHT_COPY) == 0 || (rights & ~(uint64_t)cap.rights) != 0) {
        return ERR_RIGHTS;
    }
    // Two capabilities to one untyped would each think that all of it is theirs to revoke.
    if (cap.type == OBJ_UNTYPED || !derive_badge(&cap, d->w[5])) {
        return ERR_INVALID;
    }
    cap.rights = (uint8_t)rights;
    slot_fill(to, &cap, from);
    return OK;
}

static err_t sys_move(struct decode *d)
{
    struct slot *from;
    struct slot *to;
    err_t err = where(d, 0, RIGHT_WRITE, &from);
    if (err == OK) {
        err = where(d, 2, RIGHT_WRITE, &to);
    }
    if (err != OK) {
        return err;
    }
    if (slot_empty(from)) {
        return ERR_NO_CAP;
    }
    // A move that was interrupted goes on.
    if (!slot_empty(to) && !(to->moving && to->parent == from && to->space == NULL)) {
        return ERR_OCCUPIED;
    }
    while (!slot_move_step(to, from)) {
        if (!work_step(&d->work)) {
            return WORK_UP;
        }
    }
    return OK;
}

static err_t sys_delete(struct decode *d)
{
    struct slot *s;
    err_t err = where(d, 0, RIGHT_WRITE, &s);
    if (err != OK) {
        return err;
    }
    while (!slot_delete_step(s)) {
        if (!work_step(&d->work)) {
            return WORK_UP;
        }
    }
    return reap_all(&d->work) ? OK : WORK_UP;
}

static err_t sys_revoke(struct decode *d)
{
    struct slot *s;
    err_t err = where(d, 0, RIGHT_WRITE, &s);
    if (err != OK) {
        return err;
    }
    return slot_revoke(s, &d->work) && reap_all(&d->work) ? OK : WORK_UP;
}

static err_t sys_identify(struct decode *d)
{
    struct slot *s;
    struct cap cap;
    err_t err = own_slot(d, 0, &s, &cap);
    if (err != OK) {
        return err;
    }
    uint64_t size = 0;
    uint64_t address = 0;
    if (cap.type == OBJ_UNTYPED) {
        const struct untyped *ut = CONTAINER_OF(cap.obj, struct untyped, obj);
        size = ut->end - ut->base;
        address = ut->base;
    } else if (cap.type == OBJ_FRAMES) {
        const struct frames *f = CONTAINER_OF(cap.obj, struct frames, obj);
        size = (uint64_t)frames_count(cap.badge) * PAGE_SIZE;
        address = frames_page(f, frames_first(cap.badge)).a;
    } else if (cap.type == OBJ_CSPACE) {
        size = CONTAINER_OF(cap.obj, struct cspace, obj)->count;
    }
    d->w[1] = cap.type | (uint64_t)cap.rights << 8;
    d->w[2] = size;
    d->w[3] = cap.badge;
    d->w[4] = address;
    return OK;
}

// ---- Memory -------------------------------------------------------------------------------------------------

static err_t sys_map(struct decode *d)
{
    struct slot *frames;
    struct slot *space;
    err_t err = own_slot_of(d, 0, OBJ_FRAMES, 0, &frames);
    if (err == OK) {
        err = own_slot_of(d, 1, OBJ_SPACE, RIGHT_WRITE, &space);
    }
    if (err != OK) {
        return err;
    }
    struct space *sp = CONTAINER_OF(slot_object(space), struct space, obj);
    return space_map(sp, frames, ipa(d->w[2]), d->w[3], &d->work);
}

static err_t sys_unmap(struct decode *d)
{
    struct slot *frames;
    err_t err = own_slot_of(d, 0, OBJ_FRAMES, 0, &frames);
    return err == OK ? space_unmap(frames, &d->work) : err;
}

static err_t sys_device_frames(struct decode *d)
{
    struct retype r = {.type = OBJ_FRAMES, .size = d->w[3]};
    struct cap device;
    err_t err = lookup(d, 0, OBJ_DEVICE_MEMORY, RIGHT_WRITE, &device);
    if (err == OK) {
        err = own_slot_of(d, 1, OBJ_UNTYPED, RIGHT_WRITE, &r.parent);
    }
    if (err == OK) {
        err = where_empty(d, 4, &r.to);
    }
    if (err != OK) {
        return err;
    }
    r.untyped = CONTAINER_OF(slot_object(r.parent), struct untyped, obj);
    return retype_device_frames(&r, paddr(d->w[2]), &d->work);
}

// ---- Threads ------------------------------------------------------------------------------------------------

static err_t sys_thread_bind(struct decode *d)
{
    struct thread *t;
    struct slot *source;
    struct cap cap;
    err_t err = lookup_thread(d, RIGHT_WRITE, &t);
    if (err != OK) {
        return err;
    }
    if (d->w[1] >= THREAD_SLOT_COUNT) {
        return ERR_INVALID;
    }
    if (d->w[2] == 0) {
        while (!slot_delete_step(&t->held[d->w[1]])) {
            if (!work_step(&d->work)) {
                return WORK_UP;
            }
        }
        return reap_all(&d->work) ? OK : WORK_UP;
    }
    err = own_slot(d, 2, &source, &cap);
    if (err == OK) {
        err = thread_bind_check(t, (enum thread_slot)d->w[1], &cap);
    }
    if (err == OK) {
        thread_bind(t, (enum thread_slot)d->w[1], &cap, source);
    }
    return err;
}

static err_t sys_thread_start(struct decode *d)
{
    struct thread *t;
    err_t err = lookup_thread(d, RIGHT_WRITE, &t);
    if (err != OK) {
        return err;
    }
    if (t->space == NULL || t->own.budget == 0) {
        return ERR_INVALID;
    }
    thread_start(t);
    return OK;
}

static err_t sys_thread_stop(struct decode *d)
{
    struct thread *t;
    err_t err = lookup_thread(d, RIGHT_WRITE, &t);
    if (err == OK) {
        thread_stop(t);
    }
    return err;
}

// Checks a register range of at most `most`; the thread's registers must be in memory.
static err_t check_registers(const struct decode *d, const struct thread *t, uint64_t most)
{
    uint64_t first = d->w[1];
    uint64_t count = d->w[2];
    if (count > most || first >= REG_COUNT || count > REG_COUNT - first) {
        return ERR_INVALID;
    }
    return thread_settled(t) ? OK : ERR_BUSY;
}

static err_t sys_thread_read(struct decode *d)
{
    struct thread *t;
    uint64_t first = d->w[1];
    uint64_t count = d->w[2];
    err_t err = lookup_thread(d, RIGHT_READ, &t);
    if (err == OK) {
        err = check_registers(d, t, 6);
    }
    for (uint64_t i = 0; err == OK && i < count; i++) {
        (void)arch_reg_read(&t->regs, (unsigned)(first + i), &d->w[1 + i]);
    }
    return err;
}

static err_t sys_thread_write(struct decode *d)
{
    struct thread *t;
    err_t err = lookup_thread(d, RIGHT_WRITE, &t);
    if (err == OK) {
        err = check_registers(d, t, 5);
    }
    for (uint64_t i = 0; err == OK && i < d->w[2]; i++) {
        (void)arch_reg_write(&t->regs, (unsigned)(d->w[1] + i), d->w[3 + i]);
    }
    return err;
}

static err_t sys_thread_time(struct decode *d)
{
    struct thread *t;
    struct cap time;
    err_t err = lookup_thread(d, RIGHT_TIME, &t);
    if (err == OK) {
        err = lookup(d, 1, OBJ_TIME, RIGHT_WRITE, &time);
    }
    if (err != OK) {
        return err;
    }
    uint64_t priority = d->w[2];
    uint64_t core = d->w[3];
    uint64_t budget = d->w[4];
    uint64_t period = d->w[5];
    if (priority > PRIORITY_MAX || core >= core_count || budget > period || period > BIT(56) ||
        budget == 0) {
        return ERR_INVALID;
    }
    if (priority > (time.badge & 0xff) || (time.badge >> 8 & BIT(core)) == 0) {
        return ERR_RIGHTS;
    }
    struct thread_time set = {
        .budget = budget, .period = period, .core = (uint32_t)core, .priority = (uint8_t)priority};
    d->w[0] = OK;
    thread_set_time(t, &set);
    return ANSWERED;
}

static err_t sys_thread_flags(struct decode *d)
{
    struct thread *t;
    err_t err = lookup_thread(d, RIGHT_WRITE, &t);
    if (err != OK) {
        return err;
    }
    if ((d->w[1] & ~(uint64_t)(THREAD_PASSIVE | THREAD_FP)) != 0) {
        return ERR_INVALID;
    }
    if (thread_state(t) != THREAD_STOPPED) {
        return ERR_BUSY;
    }
    thread_set_flags(t, (unsigned)d->w[1]);
    return OK;
}

static err_t sys_thread_info(struct decode *d)
{
    struct thread *t;
    err_t err = lookup_thread(d, RIGHT_READ, &t);
    if (err == OK) {
        d->w[3] = thread_used(t);
        d->w[1] = thread_state(t);
        d->w[2] = thread_core(t);
    }
    return err;
}

// ---- Interrupts ---------------------------------------------------------------------------------------------

static err_t sys_irq_create(struct decode *d)
{
    struct retype r = {.type = OBJ_IRQ};
    struct cap control;
    err_t err = lookup(d, 0, OBJ_IRQ_CONTROL, RIGHT_WRITE, &control);
    if (err == OK) {
        err = own_slot_of(d, 1, OBJ_UNTYPED, RIGHT_WRITE, &r.parent);
    }
    if (err == OK) {
        err = where_empty(d, 4, &r.to);
    }
    if (err != OK) {
        return err;
    }
    if (d->w[2] > UINT32_MAX || d->w[3] > IRQ_EDGE) {
        return ERR_INVALID;
    }
    r.untyped = CONTAINER_OF(slot_object(r.parent), struct untyped, obj);
    return retype_irq(&r, (uint32_t)d->w[2], (enum irq_trigger)d->w[3], &d->work);
}

static err_t sys_irq_bind(struct decode *d)
{
    struct slot *source;
    struct cap irq_cap;
    struct cap cap;
    err_t err = lookup(d, 0, OBJ_IRQ, RIGHT_WRITE, &irq_cap);
    if (err == OK) {
        err = own_slot(d, 1, &source, &cap);
    }
    if (err == OK) {
        err = irq_bind_check(&cap, d->w[2]);
    }
    if (err != OK) {
        return err;
    }
    struct irq *irq = CONTAINER_OF(irq_cap.obj, struct irq, obj);
    if (!slot_empty(&irq->target)) {
        return ERR_OCCUPIED;
    }
    irq_bind(irq, &cap, (unsigned)d->w[2], source);
    return OK;
}

// ---- Virtual cores ------------------------------------------------------------------------------------------

static err_t lookup_vcpu(const struct decode *d, struct vcpu **v)
{
    struct cap cap;
    err_t err = lookup(d, 0, OBJ_VCPU, RIGHT_WRITE, &cap);
    *v = err == OK ? CONTAINER_OF(cap.obj, struct vcpu, obj) : NULL;
    return err;
}

// Not in guest mode, and in no core's hardware.
static err_t lookup_still_vcpu(const struct decode *d, struct vcpu **v)
{
    err_t err = lookup_vcpu(d, v);
    if (err == OK && vcpu_runs(*v)) {
        err = ERR_BUSY;
    }
    if (err == OK) {
        vcpu_evict(*v);
    }
    return err;
}

static err_t sys_vcpu_bind(struct decode *d)
{
    struct vcpu *v;
    struct slot *source;
    struct cap cap;
    err_t err = lookup_vcpu(d, &v);
    if (err != OK) {
        return err;
    }
    if (d->w[1] >= VCPU_SLOT_COUNT) {
        return ERR_INVALID;
    }
    if (d->w[2] == 0) {
        while (!slot_delete_step(&v->held[d->w[1]])) {
            if (!work_step(&d->work)) {
                return WORK_UP;
            }
        }
        return reap_all(&d->work) ? OK : WORK_UP;
    }
    err = own_slot(d, 2, &source, &cap);
    if (err == OK) {
        err = vcpu_bind_check(v, (enum vcpu_slot)d->w[1], &cap);
    }
    if (err == OK) {
        vcpu_bind(v, (enum vcpu_slot)d->w[1], &cap, source);
    }
    return err;
}

static err_t sys_vcpu_reset(struct decode *d)
{
    struct vcpu *v;
    err_t err = lookup_still_vcpu(d, &v);
    if (err == OK) {
        arch_vcpu_reset(v);
    }
    return err;
}

static err_t sys_vcpu_read(struct decode *d)
{
    struct vcpu *v;
    uint64_t first = d->w[1];
    uint64_t count = d->w[2];
    uint64_t values[6] = {0};
    err_t err = lookup_still_vcpu(d, &v);
    if (err == OK && (count > ARRAY_SIZE(values) || first > UINT32_MAX)) {
        err = ERR_INVALID;
    }
    for (unsigned i = 0; err == OK && i < count; i++) {
        err = arch_vcpu_reg_read(v, (unsigned)first + i, &values[i]) ? OK : ERR_INVALID;
    }
    for (unsigned i = 0; err == OK && i < count; i++) {
        d->w[1 + i] = values[i];
    }
    return err;
}

static err_t sys_vcpu_write(struct decode *d)
{
    struct vcpu *v;
    uint64_t first = d->w[1];
    uint64_t count = d->w[2];
    uint64_t old;
    err_t err = lookup_still_vcpu(d, &v);
    if (err == OK && (count > 5 || first >= VCPU_REG_ID)) {
        err = ERR_INVALID;
    }
    for (unsigned i = 0; err == OK && i < count; i++) {
        err = arch_vcpu_reg_read(v, (unsigned)first + i, &old) ? OK : ERR_INVALID;
    }
    for (unsigned i = 0; err == OK && i < count; i++) {
        arch_vcpu_reg_write(v, (unsigned)first + i, d->w[3 + i]);
    }
    return err;
}

static err_t sys_vcpu_sync(struct decode *d)
{
    struct vcpu *v;
    err_t err = lookup_vcpu(d, &v);
    if (err == OK) {
        vcpu_sync(v);
    }
    return err;
}

static err_t sys_vcpu_kick(struct decode *d)
{
    struct cap cap;
    err_t err = lookup_unlocked(d, 0, OBJ_VCPU, RIGHT_WRITE, &cap);
    if (err == OK) {
        vcpu_kick(CONTAINER_OF(cap.obj, struct vcpu, obj));
    }
    return err;
}

static err_t sys_vcpu_translate(struct decode *d)
{
    struct vcpu *v;
    err_t err = lookup_vcpu(d, &v);
    return err == OK ? vcpu_translate(v, d->w[1], d->w[2] != 0, &d->w[1]) : err;
}

// ---- The machine --------------------------------------------------------------------------------------------

static err_t sys_console_write(struct decode *d)
{
    struct cap cap;
    err_t err = lookup_unlocked(d, 0, OBJ_CONSOLE, RIGHT_WRITE, &cap);
    if (err != OK) {
        return err;
    }
    const uint64_t most = 6 * sizeof(uint64_t);
    if (d->w[1] > most) {
        return ERR_INVALID;
    }
    console_write((const char *)&d->w[2], (unsigned)d->w[1]);
    return OK;
}

static err_t sys_console_mode(struct decode *d)
{
    struct cap cap;
    err_t err = lookup_unlocked(d, 0, OBJ_CONSOLE, RIGHT_EXECUTE, &cap);
    if (err != OK) {
        return err;
    }
    if (d->w[1] > CONSOLE_ON) {
        return ERR_INVALID;
    }
    console_set(d->w[1] == CONSOLE_ON);
    return OK;
}

static err_t sys_system_off(struct decode *d)
{
    struct cap cap;
    err_t err = lookup_unlocked(d, 0, OBJ_POWER, RIGHT_WRITE, &cap);
    if (err != OK) {
        return err;
    }
    if (d->w[1] > UINT8_MAX || d->w[2] > SYSTEM_RESET) {
        return ERR_INVALID;
    }
    console_force("bulkhead: %s, code %u\n", d->w[2] == SYSTEM_RESET ? "reset" : "off",
                  (unsigned)d->w[1]);
    arch_off(d->w[2] == SYSTEM_RESET);
}

static err_t sys_smc(struct decode *d)
{
    struct cap cap;
    err_t err = lookup_unlocked(d, 0, OBJ_SMC, RIGHT_WRITE, &cap);
    if (err != OK) {
        return err;
    }
    uint64_t words[8] = {0};
    for (unsigned i = 0; i < 7; i++) {
        words[i] = d->w[1 + i];
    }
    arch_firmware_call(words);
    for (unsigned i = 0; i < 4; i++) {
        d->w[1 + i] = words[i];
    }
    return OK;
}

// ---- Dispatch -----------------------------------------------------------------------------------------------

static const struct call {
    decode_fn *decode;
    bool build; // holds the build lock
} calls[SYSCALL_COUNT] = {
    [SYS_retype] = {sys_retype, true},
    [SYS_copy] = {sys_copy, true},
    [SYS_move] = {sys_move, true},
    [SYS_delete] = {sys_delete, true},
    [SYS_revoke] = {sys_revoke, true},
    [SYS_identify] = {sys_identify, true},
    [SYS_map] = {sys_map, true},
    [SYS_unmap] = {sys_unmap, true},
    [SYS_device_frames] = {sys_device_frames, true},
    [SYS_thread_bind] = {sys_thread_bind, true},
    [SYS_thread_start] = {sys_thread_start, true},
    [SYS_thread_stop] = {sys_thread_stop, true},
    [SYS_thread_read] = {sys_thread_read, true},
    [SYS_thread_write] = {sys_thread_write, true},
    [SYS_thread_time] = {sys_thread_time, true},
    [SYS_thread_flags] = {sys_thread_flags, true},
    [SYS_thread_info] = {sys_thread_info, true},
    [SYS_irq_create] = {sys_irq_create, true},
    [SYS_irq_bind] = {sys_irq_bind, true},
    [SYS_console_write] = {sys_console_write, false},
    [SYS_console_mode] = {sys_console_mode, false},
    [SYS_system_off] = {sys_system_off, false},
    [SYS_smc] = {sys_smc, false},
    [SYS_vcpu_bind] = {sys_vcpu_bind, true},
    [SYS_vcpu_reset] = {sys_vcpu_reset, true},
    [SYS_vcpu_read] = {sys_vcpu_read, true},
    [SYS_vcpu_write] = {sys_vcpu_write, true},
    [SYS_vcpu_sync] = {sys_vcpu_sync, true},
    [SYS_vcpu_kick] = {sys_vcpu_kick, false},
    [SYS_vcpu_translate] = {sys_vcpu_translate, true},
};

static NOINLINE struct thread *signal(struct thread *self, uint64_t *w)
{
    struct cap cap;
    err_t err = cspace_lookup(self->cspace, w[0], OBJ_NOTIFICATION, RIGHT_WRITE, &cap);
    w[0] = (uint64_t)err;
    if (err == OK) {
        notification_signal(CONTAINER_OF(cap.obj, struct notification, obj), cap.badge);
    }
    return sched_pick(this_cpu());
}

static NOINLINE struct thread *acknowledge(struct thread *self, uint64_t *w)
{
    struct cap cap;
    err_t err = cspace_lookup(self->cspace, w[0], OBJ_IRQ, RIGHT_WRITE, &cap);
    w[0] = (uint64_t)err;
    if (err == OK) {
        irq_ack(CONTAINER_OF(cap.obj, struct irq, obj));
    }
    return self;
}

static ALWAYS_INLINE void run(struct thread *self, const struct call *call)
{
    struct decode d = {.self = self, .w = arch_words(&self->regs)};
    err_t err = call->decode(&d);
    if (err <= 0) {
        d.w[0] = (uint64_t)err;
    } else if (err == WORK_UP) {
        arch_restart_syscall(&d.self->regs);
    }
}

static NOINLINE struct thread *decode_locked(struct thread *self, const struct call *call)
{
    if (!spin_trylock(&build_lock)) {
        arch_restart_syscall(&self->regs);
        arch_relax();
        return sched_pick(this_cpu());
    }
    run(self, call);
    // From here on others may change self's registers, if it was stopped.
    spin_unlock(&build_lock);
    return sched_pick(this_cpu());
}

static NOINLINE struct thread *decode_unlocked(struct thread *self, const struct call *call)
{
    run(self, call);
    return sched_pick(this_cpu());
}

static inline struct thread *decode(struct thread *self, const struct call *call)
{
    return call->build ? decode_locked(self, call) : decode_unlocked(self, call);
}

static NOINLINE struct thread *yield(struct thread *self, uint64_t *w)
{
    w[0] = OK;
    sched_give_way(self);
    return sched_pick(this_cpu());
}

static NOINLINE struct thread *unknown(struct thread *self, unsigned number)
{
    uint64_t pc = 0;
    (void)arch_reg_read(&self->regs, REG_PC, &pc);
    return entry_fault(self, FAULT_SYSCALL, pc, number, 0, false);
}

// Nothing is called from here, only continued with: no stack frame on the way to the frequent calls.
struct thread *entry_syscall(struct thread *self, unsigned number)
{
    uint64_t *w = arch_words(&self->regs);
    // Servers and their clients live on these two; in which order a switch tries its cases is the compiler's choice.
    if (number == SYS_call) {
        return ipc_call(self, w);
    }
    if (number == SYS_receive) {
        return ipc_receive(self, w);
    }
    if (number > SYS_clock) {
        return number < SYSCALL_COUNT ? decode(self, &calls[number]) : unknown(self, number);
    }
    if (number == SYS_signal) {
        return signal(self, w);
    }
    switch (number) {
    case SYS_irq_ack:
        return acknowledge(self, w);
    case SYS_yield:
        return yield(self, w);
    default: // SYS_clock
        w[0] = OK;
        w[1] = arch_now();
        return self;
    }
}

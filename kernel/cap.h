// Capabilities: reading slots without a lock, filling and emptying them under the build lock, and the tree of
// derivations that revoke follows. object.h has the data and its rules.
#pragma once

#include "object.h"
#include "relaxed.h"
#include "work.h"

struct cspace;

static inline void slot_take(const struct slot *s, uint64_t meta, struct cap *out)
{
    out->obj = load_relaxed(&s->obj);
    out->badge = load_relaxed(&s->badge);
    out->type = (uint8_t)meta;
    out->rights = (uint8_t)(meta >> 8);
}

// A consistent copy of the slot's capability, OBJ_NONE if it is empty; false if it was changing just now.
static inline bool slot_copy(const struct slot *s, struct cap *out)
{
    uint64_t meta = atomic_load_explicit(&s->meta, memory_order_acquire);
    slot_take(s, meta, out);
    // Pairs with slot_write and slot_erase: meta changes on both.
    atomic_thread_fence(memory_order_acquire);
    return load_relaxed(&s->meta) == meta;
}

// The same; false if it is empty, too.
static inline bool slot_read(const struct slot *s, struct cap *out)
{
    return slot_copy(s, out) && out->type != OBJ_NONE;
}

// Does a capability with this in its meta have the type and the rights? One comparison if so.
static inline err_t meta_check(uint64_t meta, enum obj_type type, unsigned rights)
{
    if ((meta & (0xff | rights << 8)) == (type | rights << 8)) {
        return OK;
    }
    if ((uint8_t)meta == OBJ_NONE) {
        return ERR_NO_CAP;
    }
    return (uint8_t)meta != type ? ERR_TYPE : ERR_RIGHTS;
}

static inline bool slot_empty(const struct slot *s)
{
    return (uint8_t)load_relaxed(&s->meta) == OBJ_NONE;
}

void slot_init(struct slot *s, enum slot_place place, unsigned index);

// ---- The rest: build lock held ------------------------------------------------------------------------------

// What the slot holds: nobody else changes it now.
static inline void slot_get(const struct slot *s, struct cap *out)
{
    slot_take(s, load_relaxed(&s->meta), out);
}

static inline struct obj *slot_object(const struct slot *s)
{
    return load_relaxed(&s->obj);
}

static inline uint8_t slot_rights(const struct slot *s)
{
    return (uint8_t)(load_relaxed(&s->meta) >> 8);
}

// Fills an empty slot. `parent` is what it derives from; NULL for the capabilities of boot.
void slot_fill(struct slot *s, const struct cap *cap, struct slot *parent);

// One bounded step of moving a capability, its children and its mapping into an empty slot. In between the new slot
// is a copy derived from the old one, so that every step leaves a sound tree. True when the old one is empty.
bool slot_move_step(struct slot *to, struct slot *from);

// One bounded step towards an empty slot: hands a child to the slot's parent, undoes a part of its mapping, or
// lets its holder go and clears it. True when it is empty.
bool slot_delete_step(struct slot *s);

// Empties every slot derived from s. False: the work is up, call again.
bool slot_revoke(struct slot *s, struct work *work);

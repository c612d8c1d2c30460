// Capabilities: reading slots without a lock, filling and emptying them under the build lock, and the tree of
// derivations that revoke follows. object.h has the data and its rules.
#pragma once

#include "object.h"
#include "work.h"

struct cspace;

// A consistent copy of the slot's capability; false if it is empty (or was changing just now).
static inline bool slot_read(const struct slot *s, struct cap *out)
{
    uint64_t meta = atomic_load_explicit(&s->meta, memory_order_acquire);
    out->obj = atomic_load_explicit(&s->obj, memory_order_relaxed);
    out->badge = atomic_load_explicit(&s->badge, memory_order_relaxed);
    // Pairs with slot_fill and slot_clear: meta changes on both.
    atomic_thread_fence(memory_order_acquire);
    out->type = (uint8_t)meta;
    out->rights = (uint8_t)(meta >> 8);
    return atomic_load_explicit(&s->meta, memory_order_relaxed) == meta && out->type != OBJ_NONE;
}

static inline bool slot_empty(const struct slot *s)
{
    return (uint8_t)atomic_load_explicit(&s->meta, memory_order_relaxed) == OBJ_NONE;
}

void slot_init(struct slot *s, enum slot_place place, unsigned index);

// ---- The rest: build lock held ------------------------------------------------------------------------------

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

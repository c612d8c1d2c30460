// Capability spaces: flat tables of slots. A handle is an index; slot 0 is never used.
#pragma once

#include <stddef.h>

#include "cap.h"

struct cspace {
    struct obj obj;
    uint32_t count;      // slots, slot 0 included
    uint32_t dismantled; // slots already emptied, while it is dead
    struct slot slots[];
};

static inline size_t cspace_bytes(uint64_t count)
{
    return sizeof(struct cspace) + count * sizeof(struct slot);
}

void cspace_init(struct cspace *cs, uint32_t count, struct untyped *from);

// Slot 0 is always empty: whoever fills a slot checks for it.
static inline struct slot *cspace_slot(struct cspace *cs, uint64_t index)
{
    return cs != NULL && index < cs->count ? &cs->slots[index] : NULL;
}

// The capability behind a handle, checked for type and rights. Takes no lock; see object.h for how long it is good.
static inline err_t cspace_lookup(struct cspace *cs, uint64_t handle, enum obj_type type,
                                  unsigned rights, struct cap *out)
{
    struct slot *s = cspace_slot(cs, handle);
    if (s == NULL || !slot_copy(s, out)) {
        return ERR_NO_CAP;
    }
    return meta_check(out->type | (uint64_t)out->rights << 8, type, rights);
}

// The slot behind a handle, its capability checked in the same way. Build lock held.
static inline err_t cspace_find(struct cspace *cs, uint64_t handle, enum obj_type type,
                                unsigned rights, struct slot **out)
{
    *out = cspace_slot(cs, handle);
    return *out != NULL ? meta_check(load_relaxed(&(*out)->meta), type, rights) : ERR_NO_CAP;
}

bool cspace_dismantle_step(struct cspace *cs);

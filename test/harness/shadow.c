// The model: see shadow.h.
#include "shadow.h"

#include <assert.h>

#include <base/str.h>

static_assert(SHADOW_GROUP >= THREAD_SLOT_COUNT && SHADOW_GROUP >= SHADOW_CSPACE_SLOTS,
              "slots of an object");

void shadow_begin(struct shadow *s, uint64_t size)
{
    memset(s, 0, sizeof(*s));
    s->objects[0] = (struct shadow_object){.type = OBJ_UNTYPED,
                                           .from = SHADOW_NOBODY,
                                           .refs = 1,
                                           .size = size,
                                           .bound = SHADOW_NOBODY};
    s->slots[0] = (struct shadow_slot){
        .type = OBJ_UNTYPED, .rights = RIGHT_ALL, .object = 0, .parent = SHADOW_NOBODY};
}

int16_t shadow_free_object(const struct shadow *s)
{
    for (int16_t i = 0; i < (int16_t)SHADOW_OBJECTS; i++) {
        if (s->objects[i].type == OBJ_NONE) {
            return i;
        }
    }
    return SHADOW_NOBODY;
}

void shadow_retype(struct shadow *s, int16_t untyped, enum obj_type type, uint64_t size, int16_t to)
{
    int16_t new = shadow_free_object(s);
    int16_t from = s->slots[untyped].object;
    s->objects[new] = (struct shadow_object){
        .type = (uint8_t)type, .from = from, .refs = 1, .size = size, .bound = SHADOW_NOBODY};
    s->objects[from].live++;
    s->slots[to] = (struct shadow_slot){
        .type = (uint8_t)type,
        .rights = RIGHT_ALL,
        .object = new,
        .parent = untyped,
        .badge = type == OBJ_FRAMES ? FRAMES_RANGE(0, size / PAGE_SIZE) : 0,
    };
}

void shadow_copy(struct shadow *s, int16_t from, int16_t to, uint8_t rights, uint64_t badge)
{
    s->slots[to] = (struct shadow_slot){
        .type = s->slots[from].type,
        .rights = rights,
        .object = s->slots[from].object,
        .parent = from,
        .badge = badge,
    };
    s->objects[s->slots[from].object].refs++;
}

void shadow_bind(struct shadow *s, int16_t thread, enum thread_slot which, int16_t from)
{
    int16_t held = shadow_group(thread, which);
    if (from == SHADOW_NOBODY) {
        s->slots[held] = (struct shadow_slot){.type = OBJ_SPACE,
                                              .rights = RIGHT_ALL,
                                              .object = SHADOW_NOBODY,
                                              .parent = SHADOW_NOBODY};
        return;
    }
    shadow_copy(s, from, held, s->slots[from].rights, s->slots[from].badge);
    if (which == THREAD_NOTIFICATION) {
        s->objects[s->slots[from].object].bound = thread;
    }
}

static void hand_children_to(struct shadow *s, int16_t from, int16_t to)
{
    for (unsigned i = 0; i < SHADOW_ALL; i++) {
        if (s->slots[i].type != OBJ_NONE && s->slots[i].parent == from) {
            s->slots[i].parent = to;
        }
    }
}

void shadow_move(struct shadow *s, int16_t from, int16_t to)
{
    s->slots[to] = s->slots[from];
    s->slots[from] = (struct shadow_slot){0};
    hand_children_to(s, from, to);
}

void shadow_unmap(struct shadow *s, int16_t slot)
{
    s->slots[slot].mapped = false;
}

void shadow_map(struct shadow *s, int16_t slot, int16_t space, uint64_t address, uint64_t flags)
{
    struct shadow_slot *p = &s->slots[slot];
    p->mapped = true;
    p->space = space;
    p->address = address;
    p->flags = flags;
}

bool shadow_taken(const struct shadow *s, int16_t space, uint64_t address, uint64_t pages)
{
    for (unsigned i = 0; i < SHADOW_ALL; i++) {
        const struct shadow_slot *p = &s->slots[i];
        if (p->type == OBJ_FRAMES && p->mapped && p->space == space &&
            address < p->address + shadow_pages(p) * PAGE_SIZE &&
            p->address < address + pages * PAGE_SIZE) {
            return true;
        }
    }
    return false;
}

bool shadow_derive(const struct shadow_slot *from, uint64_t wanted, uint64_t *badge)
{
    *badge = from->badge;
    if (wanted == 0) {
        return from->type != OBJ_UNTYPED;
    }
    uint64_t first = wanted >> 32;
    uint64_t count = wanted & 0xffffffff;
    switch (from->type) {
    case OBJ_NOTIFICATION:
    case OBJ_ENDPOINT:
        *badge = wanted;
        return from->badge == 0;
    case OBJ_FRAMES:
        *badge = FRAMES_RANGE((from->badge >> 32) + first, count);
        return count != 0 && first + count <= shadow_pages(from);
    default:
        return false;
    }
}

// ---- Ends ---------------------------------------------------------------------------------------------------

// A thread loses what it held in a slot: it stops, unless that was its fault endpoint.
static void let_go(struct shadow *s, int16_t slot)
{
    int16_t holder = (int16_t)((unsigned)(slot - (int16_t)SHADOW_SLOTS) / SHADOW_GROUP);
    unsigned which = (unsigned)(slot - (int16_t)SHADOW_SLOTS) % SHADOW_GROUP;
    if (slot < (int16_t)SHADOW_SLOTS || s->objects[holder].type != OBJ_THREAD) {
        return;
    }
    if (which != THREAD_FAULT) {
        s->objects[holder].started = false;
    }
    if (which == THREAD_NOTIFICATION) {
        s->objects[s->slots[slot].object].bound = SHADOW_NOBODY;
    }
}

// Empties a slot; an object without capabilities is marked as dying.
static void empty(struct shadow *s, int16_t slot)
{
    struct shadow_slot *p = &s->slots[slot];
    hand_children_to(s, slot, p->parent);
    let_go(s, slot);
    // What the process is built on (its space, its cspace) is nobody's object here.
    if (p->object != SHADOW_NOBODY && --s->objects[p->object].refs == 0) {
        s->objects[p->object].dying = true;
    }
    *p = (struct shadow_slot){0};
}

static void empty_group(struct shadow *s, int16_t object)
{
    for (unsigned i = 0; i < SHADOW_GROUP; i++) {
        if (s->slots[shadow_group(object, i)].type != OBJ_NONE) {
            empty(s, shadow_group(object, i));
        }
    }
}

static void forget_mappings(struct shadow *s, int16_t space)
{
    for (unsigned i = 0; i < SHADOW_ALL; i++) {
        if (s->slots[i].type == OBJ_FRAMES && s->slots[i].mapped && s->slots[i].space == space) {
            s->slots[i].mapped = false;
        }
    }
}

// Takes dying objects apart until none is left that can be.
static void reap(struct shadow *s)
{
    for (int16_t i = 0; i < (int16_t)SHADOW_OBJECTS; i++) {
        struct shadow_object *o = &s->objects[i];
        if (o->type == OBJ_NONE || !o->dying || o->live != 0) {
            continue;
        }
        if (o->type == OBJ_CSPACE || o->type == OBJ_THREAD) {
            empty_group(s, i);
        } else if (o->type == OBJ_SPACE) {
            forget_mappings(s, i);
        }
        if (o->from != SHADOW_NOBODY) {
            s->objects[o->from].live--;
        }
        *o = (struct shadow_object){0};
        i = -1; // others may be dying now
    }
}

void shadow_delete(struct shadow *s, int16_t slot)
{
    if (s->slots[slot].type != OBJ_NONE) {
        empty(s, slot);
        reap(s);
    }
}

void shadow_revoke(struct shadow *s, int16_t slot)
{
    if (s->slots[slot].type == OBJ_NONE) {
        return;
    }
    for (int16_t i = 0; i < (int16_t)SHADOW_ALL; i++) {
        if (s->slots[i].type != OBJ_NONE && s->slots[i].parent == slot) {
            empty(s, i); // its children are the slot's now
            i = -1;
        }
    }
    reap(s);
}

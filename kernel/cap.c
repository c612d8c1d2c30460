// Capabilities: see cap.h.
#include "cap.h"

#include <stddef.h>

#include "irq.h"
#include "reap.h"
#include "space.h"
#include "thread.h"
#include "threadctl.h"
#include "vcpu.h"

#define META_SEQUENCE (1ull << 32)

static uint64_t meta_next(uint64_t meta, uint8_t type, uint8_t rights)
{
    return ((meta & ~(META_SEQUENCE - 1)) + META_SEQUENCE) | (uint64_t)rights << 8 | type;
}

void slot_init(struct slot *s, enum slot_place place, unsigned index)
{
    *s = (struct slot){.place = place & 3, .index = index & 31};
    list_init(&s->maps);
}

static void tree_link(struct slot *s, struct slot *parent)
{
    s->parent = parent;
    s->prev = NULL;
    s->next = NULL;
    if (parent != NULL) {
        s->next = parent->child;
        if (s->next != NULL) {
            s->next->prev = s;
        }
        parent->child = s;
    }
}

static void tree_unlink(struct slot *s)
{
    if (s->prev != NULL) {
        s->prev->next = s->next;
    } else if (s->parent != NULL) {
        s->parent->child = s->next;
    }
    if (s->next != NULL) {
        s->next->prev = s->prev;
    }
    s->parent = NULL;
    s->prev = NULL;
    s->next = NULL;
}

static void tree_hand_over(struct slot *child, struct slot *parent)
{
    child->moving = false; // its source goes another way
    tree_unlink(child);
    tree_link(child, parent);
}

static void slot_write(struct slot *s, const struct cap *cap)
{
    uint64_t meta = load_relaxed(&s->meta);
    store_relaxed(&s->obj, cap->obj);
    store_relaxed(&s->badge, cap->badge);
    atomic_store_explicit(&s->meta, meta_next(meta, cap->type, cap->rights), memory_order_release);
}

static void slot_erase(struct slot *s)
{
    uint64_t meta = load_relaxed(&s->meta);
    store_relaxed(&s->meta, meta_next(meta, OBJ_NONE, 0));
    // Pairs with slot_read: who sees what follows sees meta changed.
    atomic_thread_fence(memory_order_release);
    store_relaxed(&s->obj, NULL);
}

void slot_fill(struct slot *s, const struct cap *cap, struct slot *parent)
{
    cap->obj->refs++;
    s->moving = false;
    tree_link(s, parent);
    slot_write(s, cap);
}

bool slot_move_step(struct slot *to, struct slot *from)
{
    struct cap cap;
    if (slot_empty(to) && slot_read(from, &cap)) {
        slot_fill(to, &cap, from);
        to->moving = true;
    }
    struct slot *child = from->child == to ? to->next : from->child;
    if (child != NULL) {
        tree_hand_over(child, to);
        return false;
    }
    tree_hand_over(to, from->parent);
    tree_unlink(from);
    space_move_mapping(to, from);
    load_relaxed(&from->obj)->refs--; // `to` holds it: never the last
    slot_erase(from);
    return true;
}

static void slot_release_holder(struct slot *s)
{
    switch (s->place) {
    case SLOT_IN_THREAD:
        thread_unbind(s);
        break;
    case SLOT_IN_IRQ:
        irq_unbind(s);
        break;
    case SLOT_IN_VCPU:
        vcpu_unbind(s);
        break;
    default:
        break;
    }
}

bool slot_delete_step(struct slot *s)
{
    if (slot_empty(s)) {
        return true;
    }
    if (s->child != NULL) {
        tree_hand_over(s->child, s->parent);
        return false;
    }
    if (s->space != NULL) {
        space_unmap_step(s);
        return false;
    }
    slot_release_holder(s);
    struct obj *obj = load_relaxed(&s->obj);
    tree_unlink(s);
    slot_erase(s);
    if (--obj->refs == 0) {
        reap_add(obj);
    }
    return true;
}

bool slot_revoke(struct slot *s, struct work *work)
{
    // Deleting a child hands its children to s, so this ends when nothing derived is left.
    while (s->child != NULL) {
        slot_delete_step(s->child);
        if (s->child != NULL && !work_step(work)) {
            return false;
        }
    }
    return true;
}

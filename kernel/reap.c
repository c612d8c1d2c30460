// Taking dead objects apart: see reap.h.
#include "reap.h"

#include <stddef.h>

#include <base/bits.h>

#include "cspace.h"
#include "endpoint.h"
#include "irq.h"
#include "space.h"
#include "thread.h"
#include "threadctl.h"
#include "untyped.h"
#include "vcpu.h"

static struct obj *dead; // first of the objects to take apart; guarded by the build lock

void reap_add(struct obj *o)
{
    o->dead = true;
    // Memory lives as long as what was carved out of it.
    if (o->type == OBJ_UNTYPED && CONTAINER_OF(o, struct untyped, obj)->live != 0) {
        return;
    }
    o->next_dead = dead;
    dead = o;
}

// One bounded step; true when nothing of the object is left to let go.
static bool dismantle_step(struct obj *o)
{
    switch (o->type) {
    case OBJ_CSPACE:
        return cspace_dismantle_step(CONTAINER_OF(o, struct cspace, obj));
    case OBJ_THREAD:
        return thread_dismantle_step(CONTAINER_OF(o, struct thread, obj));
    case OBJ_SPACE:
        return space_dismantle_step(CONTAINER_OF(o, struct space, obj));
    case OBJ_ENDPOINT:
        return endpoint_dismantle_step(CONTAINER_OF(o, struct endpoint, obj));
    case OBJ_IRQ:
        return irq_dismantle_step(CONTAINER_OF(o, struct irq, obj));
    case OBJ_VCPU:
        return vcpu_dismantle_step(CONTAINER_OF(o, struct vcpu, obj));
    default:
        return true;
    }
}

static void release(struct obj *o)
{
    struct untyped *from = o->from;
    if (from == NULL) {
        return;
    }
    from->live--;
    if (from->live == 0 && from->obj.dead) {
        reap_add(&from->obj);
    }
}

bool reap_all(struct work *work)
{
    while (dead != NULL) {
        struct obj *o = dead;
        if (dismantle_step(o)) {
            // A step may have added others in front; taking out exactly o keeps them.
            struct obj **at = &dead;
            while (*at != o) {
                at = &(*at)->next_dead;
            }
            *at = o->next_dead;
            release(o);
        }
        if (dead != NULL && !work_step(work)) {
            return false;
        }
    }
    return true;
}

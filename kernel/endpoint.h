// Endpoint: where calls to one server thread arrive. The server receives from the endpoint it is bound to; callers
// find it waiting and hand their message over without a lock, or queue up here.
#pragma once

#include <base/list.h>

#include "lock.h"
#include "object.h"

struct thread;

struct endpoint {
    struct obj obj;
    struct thread *_Atomic server; // who receives; changed under the build lock
    struct spinlock lock;          // guards the queue, and `closed`
    struct list queue;             // callers, by thread.queue, first come first served
    bool closed;                   // no caller may queue up any more
};

void endpoint_init(struct endpoint *ep, struct untyped *from);

// Puts a caller (state and message complete, wait still WAIT_NONE) at the end of the queue and marks it WAIT_QUEUED.
// False: the endpoint is closed.
bool endpoint_enqueue(struct endpoint *ep, struct thread *caller);

// Takes out the first caller and claims it; NULL if there is none.
struct thread *endpoint_dequeue(struct endpoint *ep);

// Takes a caller out, because it stops. False: its server was faster, it is no longer queued.
bool endpoint_withdraw(struct endpoint *ep, struct thread *caller);

static inline bool endpoint_has_callers(const struct endpoint *ep)
{
    return !list_empty(&ep->queue);
}

// Wakes one queued caller with an error; true when there is none.
bool endpoint_dismantle_step(struct endpoint *ep);

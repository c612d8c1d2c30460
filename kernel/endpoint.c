// Endpoints: see endpoint.h.
#include "endpoint.h"

#include <base/bits.h>

#include "ipc.h"
#include "sched.h"
#include "thread.h"

void endpoint_init(struct endpoint *ep, struct untyped *from)
{
    ep->obj = (struct obj){.type = OBJ_ENDPOINT, .from = from};
    list_init(&ep->queue);
}

bool endpoint_enqueue(struct endpoint *ep, struct thread *caller)
{
    spin_lock(&ep->lock);
    bool open = !ep->closed;
    if (open) {
        caller->queued_at = ep;
        list_insert_before(&ep->queue, &caller->queue);
        atomic_store(&caller->wait, WAIT_QUEUED);
    }
    spin_unlock(&ep->lock);
    return open;
}

// Every thread in the queue is WAIT_QUEUED, and only the lock's holder changes that.
static void take_out(struct thread *caller)
{
    list_remove(&caller->queue);
    caller->queued_at = NULL;
    atomic_store(&caller->wait, WAIT_NONE);
}

struct thread *endpoint_dequeue(struct endpoint *ep)
{
    struct thread *caller = NULL;
    spin_lock(&ep->lock);
    if (!list_empty(&ep->queue)) {
        caller = CONTAINER_OF(ep->queue.next, struct thread, queue);
        take_out(caller);
    }
    spin_unlock(&ep->lock);
    return caller;
}

bool endpoint_withdraw(struct endpoint *ep, struct thread *caller)
{
    spin_lock(&ep->lock);
    bool queued = atomic_load(&caller->wait) == WAIT_QUEUED;
    if (queued) {
        take_out(caller);
    }
    spin_unlock(&ep->lock);
    return queued;
}

bool endpoint_dismantle_step(struct endpoint *ep)
{
    spin_lock(&ep->lock);
    ep->closed = true;
    spin_unlock(&ep->lock);

    struct thread *caller = endpoint_dequeue(ep);
    if (caller == NULL) {
        return true;
    }
    ipc_fail_call(caller);
    sched_wake(caller);
    return false;
}

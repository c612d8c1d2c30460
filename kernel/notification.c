// Notifications: see notification.h.
#include "notification.h"

#include "ipc.h"
#include "sched.h"
#include "thread.h"

void notification_init(struct notification *n, struct untyped *from)
{
    n->obj = (struct obj){.type = OBJ_NOTIFICATION, .from = from};
}

void notification_signal(struct notification *n, uint64_t bits)
{
    atomic_fetch_or(&n->word, bits);

    // Either we find the receiver waiting, or its re-check in ipc_receive finds our bits: both sides' accesses are
    // sequentially consistent.
    struct thread *t = atomic_load(&n->bound);
    if (t != NULL && thread_claim(t, WAIT_RECEIVE)) {
        ipc_deliver_bits(t, atomic_exchange(&n->word, 0));
        sched_wake(t);
    } else if (t != NULL) {
        sched_poke(t); // a guest leaves its VMM's thread to it
    }
}

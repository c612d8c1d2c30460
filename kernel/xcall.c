// Cross calls: see xcall.h. One call per target core at a time, since only the holder of the build lock posts.
#include "xcall.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "percpu.h"
#include "sched.h"

struct xcall {
    void (*run)(void *arg);
    void *arg;
    _Atomic bool done;
};

static void post(unsigned core, struct xcall *call)
{
    atomic_store_explicit(&percpu[core].xcall, call, memory_order_release); // pairs with xcall_poll
    arch_kick(core);
}

static void await(struct xcall *call)
{
    while (!atomic_load_explicit(&call->done, memory_order_acquire)) {
        // The other core may be waiting for a thread that lies in our inbox, answered here before it was moved there.
        sched_drain_inbox(this_cpu());
        arch_relax();
    }
}

void xcall_run(unsigned core, void (*run)(void *arg), void *arg)
{
    if (core == this_cpu()->id) {
        run(arg);
        return;
    }
    struct xcall call = {.run = run, .arg = arg};
    post(core, &call);
    await(&call);
}

static void nothing(void *arg)
{
    (void)arg;
}

void xcall_quiesce(void)
{
    struct xcall calls[CORES_MAX];
    unsigned self = this_cpu()->id;
    for (unsigned core = 0; core < core_count; core++) {
        calls[core] = (struct xcall){.run = nothing};
        if (core != self) {
            post(core, &calls[core]);
        }
    }
    for (unsigned core = 0; core < core_count; core++) {
        if (core != self) {
            await(&calls[core]);
        }
    }
}

void xcall_poll(void)
{
    struct percpu *cpu = this_cpu();
    struct xcall *call = atomic_exchange_explicit(&cpu->xcall, NULL, memory_order_acquire);
    if (call != NULL) {
        call->run(call->arg);
        atomic_store_explicit(&call->done, true, memory_order_release); // pairs with await
    }
}

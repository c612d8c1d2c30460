// Entries other than system calls: see entry.h.
#include "entry.h"

#include "console.h"
#include "ipc.h"
#include "irq.h"
#include "sched.h"
#include "threadctl.h"
#include "xcall.h"

struct thread *entry_fault(struct thread *self, enum fault_label label, uint64_t pc,
                           uint64_t address, uint64_t syndrome, bool fetch)
{
    const uint64_t words[4] = {pc, address, syndrome, fetch};
    if (!ipc_fault(self, label, words)) {
        console_printf("kernel: a thread faulted and nobody handles its faults: stopped "
                       "(pc %#lx, address %#lx, syndrome %#lx)\n",
                       pc, address, syndrome);
        sched_remove(self);
        thread_come_to_rest(self);
    }
    return sched_pick(this_cpu());
}

void entry_timer(void)
{
    sched_timer(this_cpu());
}

void entry_kick(void)
{
    sched_drain_inbox(this_cpu());
    xcall_poll();
}

void entry_irq(uint32_t intid)
{
    irq_deliver(intid);
}

struct thread *entry_resume(void)
{
    return sched_pick(this_cpu());
}

// The event loop of a process: see loop.h. Runs on the process's only thread.
#include "loop.h"

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>
#include <lib/bulkhead.h>
#include <lib/syscall.h>

#include "crash.h"
#include "deferred.h"
#include "fault.h"
#include "message.h"

// The kernel ends a wait by its deadline only if nothing else is there. A process that always finds
// something looks at the clock itself, every so many entries.
#define BUSY_ROUNDS_MAX 16u

void bulkhead_loop_init(struct loop *l)
{
    *l = (struct loop){.deadline = DEADLINE_NEVER};
}

void bulkhead_loop_start(void)
{
    for (unsigned id = 0; id < CHANNEL_MAX; id++) {
        if ((microkit_irqs & BIT(id)) != 0) {
            seL4_IRQHandler_Ack(PROCESS_IRQ + id);
        }
    }
}

static void enter_notified(uint64_t bits)
{
    while (bits != 0) {
        notified((microkit_channel)__builtin_ctzll(bits));
        bits &= bits - 1;
    }
}

static void enter_protected(struct loop *l, uint64_t badge, seL4_MessageInfo_t info)
{
    l->reply = message_info(protected((microkit_channel)(badge & ~BADGE_CALL), info));
    l->reply_due = true;
}

static void enter_fault(struct loop *l, uint64_t badge, seL4_MessageInfo_t kernel_info)
{
    microkit_child child = (microkit_child)(badge & ~BADGE_FAULT);
    seL4_MessageInfo_t info = bulkhead_fault_message(child, kernel_info);
    seL4_MessageInfo_t reply = {{0}};
    if (fault(child, info, &reply)) {
        l->reply_due = bulkhead_fault_reply(child, info, reply);
        l->reply = 0;
    }
}

static void enter_deadline(struct loop *l)
{
    l->deadline = DEADLINE_NEVER;
    deadline();
}

static void check_deadline(struct loop *l)
{
    if (l->deadline == DEADLINE_NEVER || ++l->busy_rounds < BUSY_ROUNDS_MAX) {
        return;
    }
    l->busy_rounds = 0;
    if (sys_clock() >= l->deadline) {
        enter_deadline(l);
    }
}

void bulkhead_loop_once(struct loop *l)
{
    uint64_t flags = l->reply_due ? RECEIVE_REPLY : 0;
    uint64_t info = l->reply;
    uint64_t badge;

    bulkhead_deferred_flush();
    l->reply_due = false;
    l->reply = 0;
    err_t err = sys_receive(flags, l->deadline, &info, message_words(), &badge);
    if (err == ERR_TIMEOUT) {
        l->busy_rounds = 0;
        enter_deadline(l);
        return;
    }
    if (err != OK) {
        bulkhead_crash("event loop: error receiving", err);
        return;
    }

    if ((info & INFO_NOTIFICATION) != 0) {
        enter_notified(badge); // may be none: a late wake-up
    } else if ((badge & BADGE_CALL) != 0) {
        enter_protected(l, badge, (seL4_MessageInfo_t){{info}});
    } else if ((badge & BADGE_FAULT) != 0) {
        enter_fault(l, badge, (seL4_MessageInfo_t){{info}});
    }
    check_deadline(l);
}

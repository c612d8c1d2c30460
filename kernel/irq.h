// Device interrupts as objects: who holds the irq may acknowledge it; what it signals is a notification capability
// that the irq holds, or a vcpu's: then it is linked, goes to the guest without a process, and the guest's end of
// interrupt ends it. After an interrupt was delivered it stays quiet until it is acknowledged.
#pragma once

#include "object.h"

struct irq {
    struct obj obj;
    uint32_t intid;
    bool edge;
    struct slot
        target; // notification, with the badge to signal; or vcpu, its badge the source it is linked to
};

// intid is available (irq_check); masked until the first acknowledgement.
err_t irq_check(uint32_t intid) WARN_UNUSED;
void irq_init(struct irq *irq, uint32_t intid, enum irq_trigger trigger, struct untyped *from);

// May the interrupt go to `cap`: a notification, or source `link` of a vcpu?
err_t irq_bind_check(const struct cap *cap, uint64_t link) WARN_UNUSED;

// Copies the capability `cap` of slot `source` into the irq; the interrupt then goes to the core of the notification's
// or the vcpu's thread.
void irq_bind(struct irq *irq, const struct cap *cap, unsigned link, struct slot *source);
void irq_unbind(struct slot *target);

void irq_ack(struct irq *irq);
void irq_deliver(uint32_t intid);

bool irq_dismantle_step(struct irq *irq);

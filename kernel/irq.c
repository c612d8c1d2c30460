// Device interrupts: see irq.h.
#include "irq.h"

#include <stddef.h>

#include <base/bits.h>

#include "cap.h"
#include "notification.h"
#include "thread.h"
#include "vcpu.h"

#define INTID_MAX 1020u // shared interrupts end here in both versions of the GIC

static struct irq *_Atomic table[INTID_MAX]; // by INTID; changed under the build lock

err_t irq_check(uint32_t intid)
{
    if (intid >= INTID_MAX || !arch_irq_available(intid)) {
        return ERR_INVALID;
    }
    return atomic_load(&table[intid]) == NULL ? OK : ERR_OCCUPIED;
}

void irq_init(struct irq *irq, uint32_t intid, enum irq_trigger trigger, struct untyped *from)
{
    irq->obj = (struct obj){.type = OBJ_IRQ, .from = from};
    irq->intid = intid;
    irq->edge = trigger == IRQ_EDGE;
    slot_init(&irq->target, SLOT_IN_IRQ, 0);
    arch_irq_configure(intid, irq->edge, 0);
    atomic_store(&table[intid], irq);
}

err_t irq_bind_check(const struct cap *cap, uint64_t link)
{
    if (cap->type != OBJ_NOTIFICATION && cap->type != OBJ_VCPU) {
        return ERR_TYPE;
    }
    if ((cap->rights & RIGHT_WRITE) == 0) {
        return ERR_RIGHTS;
    }
    if (cap->type == OBJ_NOTIFICATION) {
        return OK;
    }
    if (link < VCPU_SOURCE_SPI || link >= VCPU_SOURCES) {
        return ERR_INVALID;
    }
    return CONTAINER_OF(cap->obj, struct vcpu, obj)->linked[link] == 0 ? OK : ERR_OCCUPIED;
}

void irq_bind(struct irq *irq, const struct cap *cap, unsigned link, struct slot *source)
{
    struct cap held = *cap;
    const struct thread *t;
    if (cap->type == OBJ_VCPU) {
        struct vcpu *v = CONTAINER_OF(cap->obj, struct vcpu, obj);
        held.badge = link;
        v->linked[link] = irq->intid;
        t = atomic_load(&v->thread);
    } else {
        t = atomic_load(&CONTAINER_OF(cap->obj, struct notification, obj)->bound);
    }
    slot_fill(&irq->target, &held, source);
    arch_irq_configure(irq->intid, irq->edge, t != NULL ? t->home : 0);
}

void irq_unbind(struct slot *target)
{
    struct cap cap;
    arch_irq_mask(CONTAINER_OF(target, struct irq, target)->intid);
    if (slot_read(target, &cap) && cap.type == OBJ_VCPU) {
        struct vcpu *v = CONTAINER_OF(cap.obj, struct vcpu, obj);
        v->linked[cap.badge] = 0;
        atomic_fetch_and(&v->linked_raised, ~BIT(cap.badge));
        vcpu_sync(v); // and whoever has just made it resident sees that it is not linked
    }
}

void irq_ack(struct irq *irq)
{
    if (!irq->obj.dead) {
        arch_irq_unmask(irq->intid);
    }
}

void irq_deliver(uint32_t intid)
{
    struct cap cap;
    struct irq *irq = intid < INTID_MAX ? atomic_load(&table[intid]) : NULL;
    if (irq == NULL || !slot_read(&irq->target, &cap)) {
        return;
    }
    if (cap.type == OBJ_VCPU) {
        vcpu_raise(CONTAINER_OF(cap.obj, struct vcpu, obj), (unsigned)cap.badge);
    } else {
        notification_signal(CONTAINER_OF(cap.obj, struct notification, obj), cap.badge);
    }
}

bool irq_dismantle_step(struct irq *irq)
{
    arch_irq_mask(irq->intid);
    atomic_store(&table[irq->intid], NULL);
    return slot_delete_step(&irq->target);
}

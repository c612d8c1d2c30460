// What the parts of the virtual interrupt controller share. Nobody outside vmm/gic/ includes it.
#pragma once

#include <base/bits.h>
#include <spec/gicv2.h>
#include <spec/gicv3.h>

#include "../vm.h"

#define VGIC_INTIDS        (VGIC_PRIVATE + VGIC_SPIS)
#define VGIC_PRIORITY_MASK 0xf8u // 32 levels: what list registers of either version hold at least
#define VGIC_NOWHERE       VCPU_MAX    // a target that does not exist
#define VGIC_IIDR          0x4200043bu // product 0x42 of implementer 0x43b

// Somebody who works on the model, with the lock.
struct vgic_work {
    struct vm *vm;
    struct vcpu *self; // on whose thread, NULL: none that is known
    unsigned bank;     // whose private interrupts are meant
    uint32_t held;     // vcpus that stand still for it: hold.c
    uint32_t disabled; // vcpus for which something was disabled
};

// An interrupt, and where it is.
struct vgic_ref {
    struct vgic_irq *irq;
    struct vcpu *home; // in whose inbox it has a place, NULL: in none
    uint64_t bit;      // its place there
    uint32_t intid;
    unsigned source;
};

// ---- vgic.c: one interrupt --------------------------------------------------------------------------------------

struct vgic_ref vgic_ref(struct vm *vm, unsigned bank, uint32_t intid); // intid < VGIC_INTIDS

// Is it enabled, and its group?
bool vgic_effective(const struct vgic *g, const struct vgic_irq *irq);

// Is its line high, and does that alone make it pending?
static inline bool vgic_line_pends(const struct vgic_irq *irq)
{
    return !irq->edge && atomic_load(&irq->line);
}

bool vgic_pending(const struct vgic_ref *i); // what an inbox says: after port_sync all there is
bool vgic_active(const struct vgic_ref *i);

// Latches it as pending: an edge, or the guest's wish.
void vgic_pend(struct vgic_work *w, const struct vgic_ref *i);

// Enable, group, priority or configuration has changed.
void vgic_update(struct vgic_work *w, struct vgic_ref *i);

// The kernel is to look at the inbox of `home`: VCPU_ATTENTION_*.
void vgic_attend(struct vm *vm, const struct vcpu *self, struct vcpu *home, uint64_t attention);

// ---- slots.c: where shared interrupts are -----------------------------------------------------------------------

// Gives it a slot in its target's inbox if it needs one and has none.
void vgic_place(struct vgic_work *w, struct vgic_ref *i);

// Gives it a slot even if it need not be delivered now. False: there is none, or no target.
bool vgic_place_always(struct vgic_work *w, struct vgic_ref *i);

// Its target may have changed.
void vgic_retarget(struct vgic_work *w, struct vgic_ref *i);

// Gives the slots of a vcpu out again. It stands still.
void vgic_tidy(struct vgic_work *w, struct vcpu *v);

// The same for all that need it and are off, whose threads will not do it.
void vgic_tidy_idle(struct vgic_work *w);

// ---- hold.c: making vcpus stand still ---------------------------------------------------------------------------

bool vgic_is_still(struct vm *vm, const struct vcpu *self, unsigned vcpu);

// Returns when the vcpus whose bits are set stand still. The lock is let go meanwhile. Needs w->self.
void vgic_hold(struct vgic_work *w, uint32_t vcpus);
void vgic_release(struct vgic_work *w);

// ---- Register accesses ------------------------------------------------------------------------------------------

// registers.c: the families that distributor and redistributors have in common, for the INTIDs from `first` up to
// `end`. False: it is none of them. Takes the lock.
bool vgic_families(struct bus_access *a, unsigned bank, uint32_t first, uint32_t end);

// sgi.c: GICD_SGIR, version 2. No lock.
void vgic_write_sgir(struct vcpu *v, uint32_t value);

// Ends with what work on the model leaves to be done: distributor.c, registers.c, vgic_set_line.
void vgic_finish(struct vgic_work *w);

bus_fn vgic_distributor_access;
bus_fn vgic_redistributor_access;

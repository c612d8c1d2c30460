// Where shared interrupts are: a slot in one vcpu's inbox, or in none.
//
// One that is to be delivered needs a slot; it gets one in its target's inbox and keeps it. From then on that vcpu is
// its home: whatever makes it pending goes there, and its pending and active state is there, or in that core's list
// registers. A slot can be taken away only while its vcpu stands still, with port_sync done: so that nothing of it is
// in a list register. An interrupt that loses its slot takes a pending state along as `latched`. So it is never in
// two places, and never in none.
//
// Two things call for that: a vcpu's slots are used up, or an interrupt's target is no longer its home. Both set
// VGIC_TIDY in the vcpu's request word. Its own thread then does vgic_tidy before it enters the guest again (vgic_serve,
// after port_wake); for a vcpu that is off, whoever sees it with the lock does. Until then an interrupt that waits for
// a slot waits in the model, and one that is to move is still delivered at its old home. An active one stays there
// until the guest has ended it, which the VMM does not see: the request stays set meanwhile, and port_run is limited.
//
// Tidying takes out all that is not active, and gives slots to those that wait by priority.
#include "model.h"

static uint32_t vcpu_mask(const struct vm *vm)
{
    return (1u << vm->vcpus) - 1;
}

static uint32_t affinity_mask(const struct vm *vm, uint64_t route)
{
    uint64_t affinity = route & GICD_IROUTER_AFFINITY;
    return affinity < vm->vcpus ? 1u << affinity : 0;
}

// The vcpus that may get it.
static uint32_t target_mask(const struct vm *vm, const struct vgic_irq *irq)
{
    if (vm->gic.version == 2) {
        return vm->vcpus == 1 ? 1 : irq->targets;
    }
    return (irq->route & GICD_IROUTER_IRM) != 0 ? vcpu_mask(vm) : affinity_mask(vm, irq->route);
}

static bool is_on(const struct vm *vm, unsigned vcpu)
{
    uint32_t power = atomic_load(&vm->vcpu[vcpu].power);
    return power == VCPU_ON || power == VCPU_STARTING;
}

// Of several: its home if that is on, else the first that is on, else the first.
static unsigned choose(const struct vm *vm, const struct vgic_irq *irq)
{
    uint32_t mask = target_mask(vm, irq);
    if (mask == 0) {
        return VGIC_NOWHERE;
    }
    unsigned first = (unsigned)__builtin_ctz(mask);
    if ((mask & (mask - 1)) == 0) {
        return first;
    }
    if (irq->slot != 0 && (mask & 1u << irq->home) != 0 && is_on(vm, irq->home)) {
        return irq->home;
    }
    for (unsigned v = first; v < vm->vcpus; v++) {
        if ((mask & 1u << v) != 0 && is_on(vm, v)) {
            return v;
        }
    }
    return first;
}

static bool wants_slot(const struct vgic *g, const struct vgic_irq *irq)
{
    return (irq->latched || vgic_line_pends(irq)) && vgic_effective(g, irq);
}

static unsigned free_slot(const struct vgic *g, unsigned vcpu)
{
    unsigned slot = 0;
    while (slot < VGIC_SLOTS && g->slot_owner[vcpu][slot] != 0) {
        slot++;
    }
    return slot;
}

static void ask_tidy(struct vgic_work *w, unsigned vcpu)
{
    uint32_t before = atomic_fetch_or(&w->vm->gic.request[vcpu], VGIC_TIDY);
    if (w->self != NULL && w->self->index == vcpu) {
        w->self->look = true;
    } else if ((before & VGIC_TIDY) == 0) {
        port_wake(w->vm->port, vcpu);
    }
}

bool vgic_place_always(struct vgic_work *w, struct vgic_ref *i)
{
    struct vgic *g = &w->vm->gic;
    unsigned target = choose(w->vm, i->irq);
    if (target == VGIC_NOWHERE) {
        return false;
    }
    unsigned slot = free_slot(g, target);
    if (slot == VGIC_SLOTS) {
        ask_tidy(w, target);
        return false;
    }
    g->slot_owner[target][slot] = (uint16_t)(i->intid - VGIC_PRIVATE + 1);
    i->irq->slot = (uint8_t)(slot + 1);
    i->irq->home = (uint8_t)target;
    *i = vgic_ref(w->vm, w->bank, i->intid);
    vgic_update(w, i);
    if (i->irq->latched) {
        i->irq->latched = false;
        vgic_pend(w, i);
    }
    return true;
}

void vgic_place(struct vgic_work *w, struct vgic_ref *i)
{
    if (i->irq->slot == 0 && wants_slot(&w->vm->gic, i->irq)) {
        // Without success it waits for a slot, or for a target.
        (void)vgic_place_always(w, i);
    }
}

void vgic_retarget(struct vgic_work *w, struct vgic_ref *i)
{
    if (i->home == NULL) {
        vgic_place(w, i);
    } else if (choose(w->vm, i->irq) != i->home->index) {
        ask_tidy(w, i->home->index);
    }
}

static void take_out(struct vgic *g, const struct vgic_ref *i)
{
    struct vcpu_page *page = i->home->page;
    atomic_fetch_and(&page->enabled, ~i->bit);
    atomic_fetch_and(&page->line, ~i->bit);
    if ((atomic_fetch_and(&page->pending, ~i->bit) & i->bit) != 0) {
        i->irq->latched = true;
    }
    g->slot_owner[i->home->index][i->irq->slot - 1] = 0;
    i->irq->slot = 0;
}

// Those that can't leave since they are active.
static bool empty_slots(struct vgic_work *w, struct vcpu *v)
{
    bool again = false;
    for (unsigned slot = 0; slot < VGIC_SLOTS; slot++) {
        uint16_t owner = w->vm->gic.slot_owner[v->index][slot];
        if (owner == 0) {
            continue;
        }
        struct vgic_ref i = vgic_ref(w->vm, 0, VGIC_PRIVATE + owner - 1);
        if (vgic_active(&i)) {
            again |= choose(w->vm, i.irq) != v->index;
        } else {
            take_out(&w->vm->gic, &i);
        }
    }
    return again;
}

// The levels of priority at which something wants a slot, a bit each: bit 0 is the highest.
static uint32_t levels_waiting(const struct vgic *g)
{
    uint32_t levels = 0;
    for (unsigned spi = 0; spi < VGIC_SPIS; spi++) {
        if (g->spi[spi].slot == 0 && wants_slot(g, &g->spi[spi])) {
            levels |= 1u << (g->spi[spi].priority >> 3);
        }
    }
    return levels;
}

static void place_level(struct vgic_work *w, unsigned level)
{
    for (unsigned spi = 0; spi < VGIC_SPIS; spi++) {
        if (w->vm->gic.spi[spi].priority >> 3 == level) {
            struct vgic_ref i = vgic_ref(w->vm, 0, VGIC_PRIVATE + spi);
            vgic_place(w, &i);
        }
    }
}

void vgic_tidy(struct vgic_work *w, struct vcpu *v)
{
    struct vgic *g = &w->vm->gic;
    port_sync(w->vm->port, v->index);
    atomic_fetch_and(&g->request[v->index], ~VGIC_TIDY);
    if (empty_slots(w, v)) {
        ask_tidy(w, v->index);
    }
    for (uint32_t levels = levels_waiting(g); levels != 0; levels &= levels - 1) {
        place_level(w, (unsigned)__builtin_ctz(levels));
    }
    vgic_attend(w->vm, w->self, v, VCPU_ATTENTION_NEW | VCPU_ATTENTION_FOLD);
}

void vgic_tidy_idle(struct vgic_work *w)
{
    for (unsigned v = 0; v < w->vm->vcpus; v++) {
        if ((atomic_load(&w->vm->gic.request[v]) & VGIC_TIDY) != 0 && !is_on(w->vm, v)) {
            vgic_tidy(w, &w->vm->vcpu[v]);
        }
    }
}

// Has it one that is to be elsewhere?
static bool has_strays(const struct vgic_work *w, unsigned vcpu)
{
    const struct vgic *g = &w->vm->gic;
    for (unsigned slot = 0; slot < VGIC_SLOTS; slot++) {
        uint16_t owner = g->slot_owner[vcpu][slot];
        if (owner != 0 && choose(w->vm, &g->spi[owner - 1]) != vcpu) {
            return true;
        }
    }
    return false;
}

void vgic_power_changed(struct vcpu *self)
{
    struct vgic_work w = {.vm = self->vm, .self = self};
    for (unsigned v = 0; v < self->vm->vcpus; v++) {
        if (!is_on(self->vm, v) && has_strays(&w, v)) {
            atomic_fetch_or(&self->vm->gic.request[v], VGIC_TIDY);
        }
    }
    vgic_tidy_idle(&w);
}

// The model of one interrupt: how its state gets into an inbox, lines, reset. Contract: vgic.h; inboxes: abi/vcpu.h.
//
// The order of writes to an inbox: first what describes a source (source, enabled), then what makes it deliverable
// (pending, line), then `attention`, then the kick. The kernel reads them the other way round.
#include "vgic.h"

#include "model.h"

struct vgic_ref vgic_ref(struct vm *vm, unsigned bank, uint32_t intid)
{
    struct vgic *g = &vm->gic;
    struct vgic_ref i = {.intid = intid};
    if (intid < VGIC_PRIVATE) {
        i.irq = &g->private[bank][intid];
        i.home = &vm->vcpu[bank];
        i.source = intid;
    } else {
        i.irq = &g->spi[intid - VGIC_PRIVATE];
        if (i.irq->slot != 0) {
            i.home = &vm->vcpu[i.irq->home];
            i.source = VCPU_SOURCE_SPI + i.irq->slot - 1;
        }
    }
    i.bit = BIT(i.source);
    return i;
}

bool vgic_effective(const struct vgic *g, const struct vgic_irq *irq)
{
    uint64_t group = irq->group1 ? GICD_CTLR_GROUP1 : GICD_CTLR_GROUP0;
    return irq->enabled && (atomic_load_explicit(&g->ctlr, memory_order_relaxed) & group) != 0;
}

bool vgic_pending(const struct vgic_ref *i)
{
    bool posted = i->home != NULL &&
                  ((atomic_load(&i->home->page->pending) | atomic_load(&i->home->page->asserted)) &
                   i->bit) != 0;
    return posted || i->irq->latched || vgic_line_pends(i->irq);
}

bool vgic_active(const struct vgic_ref *i)
{
    return i->home != NULL && (atomic_load(&i->home->page->active) & i->bit) != 0;
}

// Whoever sets a bit of `attention` kicks afterwards, or is the vcpu's own thread, which enters the guest afterwards:
// so nobody need kick for bits that were set already.
void vgic_attend(struct vm *vm, const struct vcpu *self, struct vcpu *home, uint64_t attention)
{
    uint64_t before = atomic_fetch_or(&home->page->attention, attention);
    if (home != self && (before & attention) != attention) {
        port_kick(vm->port, home->index);
    }
}

void vgic_pend(struct vgic_work *w, const struct vgic_ref *i)
{
    if (i->home != NULL) {
        atomic_fetch_or(&i->home->page->pending, i->bit);
        vgic_attend(w->vm, w->self, i->home, VCPU_ATTENTION_NEW);
    } else {
        struct vgic_ref placed = *i;
        i->irq->latched = true;
        vgic_place(w, &placed);
    }
}

static void set_bit(_Atomic uint64_t *word, uint64_t bit, bool on)
{
    if (on) {
        atomic_fetch_or(word, bit);
    } else {
        atomic_fetch_and(word, ~bit);
    }
}

static uint64_t source_word(const struct vgic_ref *i)
{
    unsigned flags =
        (i->irq->group1 ? VCPU_SOURCE_GROUP1 : 0) | (i->irq->edge ? 0 : VCPU_SOURCE_LEVEL);
    return VCPU_SOURCE(i->intid, i->irq->priority, flags);
}

void vgic_update(struct vgic_work *w, struct vgic_ref *i)
{
    if (i->home == NULL) {
        vgic_place(w, i);
        return;
    }
    struct vcpu_page *page = i->home->page;
    bool enabled = vgic_effective(&w->vm->gic, i->irq);
    bool was_enabled = (atomic_load(&page->enabled) & i->bit) != 0;
    bool line = vgic_line_pends(i->irq);
    bool was_line = (atomic_load(&page->line) & i->bit) != 0;
    uint64_t word = source_word(i);
    if (atomic_load(&page->source[i->source]) == word && enabled == was_enabled &&
        line == was_line) {
        return;
    }
    atomic_store(&page->source[i->source], word);
    set_bit(&page->enabled, i->bit, enabled);
    set_bit(&page->line, i->bit, line);
    if (was_enabled && !enabled) {
        w->disabled |= 1u << i->home->index;
    }
    vgic_attend(w->vm, w->self, i->home, VCPU_ATTENTION_NEW | VCPU_ATTENTION_FOLD);
}

// ---- Lines ------------------------------------------------------------------------------------------------------

static void show_line(struct vm *vm, struct vcpu *self, const struct vgic_ref *i, bool high)
{
    set_bit(&i->home->page->line, i->bit, high);
    vgic_attend(vm, self, i->home, high ? VCPU_ATTENTION_NEW : VCPU_ATTENTION_FOLD);
}

void vgic_set_line_locked(struct vm *vm, uint32_t intid, bool high)
{
    if (intid < VGIC_PRIVATE || intid >= VGIC_INTIDS) {
        return;
    }
    struct vgic_work w = {.vm = vm};
    struct vgic_ref i = vgic_ref(vm, 0, intid);
    if (atomic_exchange(&i.irq->line, high) == high) {
        return;
    }
    if (i.irq->edge) {
        if (high) {
            vgic_pend(&w, &i);
        }
    } else if (i.home != NULL) {
        show_line(vm, NULL, &i, high);
    } else if (high) {
        vgic_place(&w, &i);
    }
    vgic_retarget(&w, &i);
    vgic_finish(&w);
}

void vgic_set_line(struct vm *vm, uint32_t intid, bool high)
{
    port_lock(vm->port, &vm->lock);
    vgic_set_line_locked(vm, intid, high);
    port_unlock(vm->port, &vm->lock);
}

// Without the lock: the configuration is read from the inbox, and who changes it (registers.c) makes this vcpu stand
// still first.
void vgic_set_private_line(struct vcpu *v, uint32_t intid, bool high)
{
    if (intid < INTID_PPI || intid >= VGIC_PRIVATE) {
        return;
    }
    struct vgic_ref i = vgic_ref(v->vm, v->index, intid);
    if (atomic_exchange(&i.irq->line, high) == high) {
        return;
    }
    if ((VCPU_SOURCE_FLAGS(atomic_load(&v->page->source[intid])) & VCPU_SOURCE_LEVEL) != 0) {
        show_line(v->vm, v, &i, high);
    } else if (high) {
        atomic_fetch_or(&v->page->pending, i.bit);
        vgic_attend(v->vm, v, v, VCPU_ATTENTION_NEW);
    }
}

// ---- Everything -------------------------------------------------------------------------------------------------

static void reset_irq(struct vgic_irq *irq, bool edge, bool enabled)
{
    irq->priority = 0;
    irq->enabled = enabled;
    irq->group1 = false;
    irq->edge = edge;
    irq->latched = false;
    irq->slot = 0;
    irq->home = 0;
    irq->targets = 0;
    irq->route = 0;
}

static void empty_inbox(struct vcpu_page *page)
{
    atomic_store(&page->enabled, 0);
    atomic_store(&page->pending, 0);
    atomic_store(&page->line, 0);
    atomic_store(&page->active, 0);
    for (unsigned sgi = 0; sgi < INTID_PPI; sgi++) {
        atomic_store(&page->sgi_senders[sgi], 0);
    }
}

// Version 2 has its SGIs enabled for ever.
static void reset_vcpu(struct vm *vm, struct vcpu *v)
{
    struct vgic *g = &vm->gic;
    struct vgic_work w = {.vm = vm, .self = v};
    port_sync(vm->port, v->index);
    empty_inbox(v->page);
    for (uint32_t intid = 0; intid < VGIC_PRIVATE; intid++) {
        bool sgi = intid < INTID_PPI;
        reset_irq(&g->private[v->index][intid], sgi, sgi && g->version == 2);
        struct vgic_ref i = vgic_ref(vm, v->index, intid);
        vgic_update(&w, &i);
    }
    for (unsigned slot = 0; slot < VGIC_SLOTS; slot++) {
        g->slot_owner[v->index][slot] = 0;
    }
    atomic_fetch_and(&g->request[v->index], ~VGIC_TIDY);
    atomic_store(&g->waker[v->index], (uint32_t)(GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP));
    vgic_attend(vm, v, v, VCPU_ATTENTION_NEW | VCPU_ATTENTION_FOLD);
}

void vgic_reset(struct vm *vm)
{
    atomic_store(&vm->gic.ctlr, 0);
    for (unsigned spi = 0; spi < VGIC_SPIS; spi++) {
        reset_irq(&vm->gic.spi[spi], false, false);
    }
    for (unsigned v = 0; v < vm->vcpus; v++) {
        reset_vcpu(vm, &vm->vcpu[v]);
    }
}

err_t vgic_create(struct vm *vm)
{
    struct bus_range distributor = {
        .where = {VGIC_DISTRIBUTOR, VGIC_DISTRIBUTOR_SIZE},
        .access = vgic_distributor_access,
        .device = vm,
        .name = "interrupt distributor",
    };
    struct bus_range redistributor = {
        .where = {VGIC_REDISTRIBUTOR, (uint64_t)vm->vcpus * GICR_FRAMES_SIZE},
        .access = vgic_redistributor_access,
        .device = vm,
        .name = "interrupt redistributors",
    };
    vm->gic.version = vm->config->gic_version;
    err_t err = bus_add(&vm->bus, distributor);
    if (err == OK && vm->gic.version == 3) {
        err = bus_add(&vm->bus, redistributor);
    }
    if (err == OK) {
        vgic_reset(vm);
    }
    return err;
}

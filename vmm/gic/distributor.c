// The distributor's registers: IHI 0048B 4.3 and IHI 0069 12.9. What has a few bits for each interrupt is in
// registers.c, GICD_SGIR in sgi.c; the rest is here. Version 3 has affinity routing and one security state for good,
// and no LPIs. What there isn't reads as zero and ignores writes.
#include "identification.h"
#include "model.h"

// Registers that never change, and GICD_CTLR: no lock.
static uint32_t read_constant(const struct vm *vm, uint64_t offset)
{
    const struct vgic *g = &vm->gic;
    bool v3 = g->version == 3;
    switch (offset) {
    case GICD_CTLR:
        return atomic_load_explicit(&g->ctlr, memory_order_relaxed) |
               (v3 ? (uint32_t)(GICD_CTLR_ARE | GICD_CTLR_DS) : 0);
    case GICD_TYPER:
        return (VGIC_INTIDS / 32 - 1) |
               (v3 ? 9u << GICD_TYPER_IDBITS_SHIFT : (vm->vcpus - 1) << GICD_TYPER_CPUS_SHIFT);
    case GICD_IIDR:
        return VGIC_IIDR;
    default:
        return vgic_identification(offset, v3 ? GICD_PIDR4 : GICD_PIDR4_V2, g->version);
    }
}

// ---- GICD_CTLR --------------------------------------------------------------------------------------------------

static void update_all(struct vgic_work *w)
{
    for (unsigned v = 0; v < w->vm->vcpus; v++) {
        for (uint32_t intid = 0; intid < VGIC_PRIVATE; intid++) {
            struct vgic_ref i = vgic_ref(w->vm, v, intid);
            vgic_update(w, &i);
        }
    }
    for (uint32_t intid = VGIC_PRIVATE; intid < VGIC_INTIDS; intid++) {
        struct vgic_ref i = vgic_ref(w->vm, 0, intid);
        vgic_update(w, &i);
    }
}

static void write_ctlr(struct vgic_work *w, uint64_t value)
{
    uint32_t groups = (uint32_t)(value & (GICD_CTLR_GROUP0 | GICD_CTLR_GROUP1));
    if (atomic_exchange(&w->vm->gic.ctlr, groups) != groups) {
        update_all(w);
    }
}

// ---- GICD_IROUTER -----------------------------------------------------------------------------------------------

// 64 bits, or either half.
static void access_route(struct vgic_work *w, struct bus_access *a)
{
    uint32_t intid = (uint32_t)(a->offset - GICD_IROUTER) / 8;
    unsigned shift = (unsigned)(a->offset & 4) * 8;
    uint64_t mask = a->size == 8 ? UINT64_MAX : (uint64_t)UINT32_MAX << shift;
    if (intid < VGIC_PRIVATE || intid >= VGIC_INTIDS) {
        return;
    }
    struct vgic_ref i = vgic_ref(w->vm, 0, intid);
    if (a->write) {
        uint64_t route = (i.irq->route & ~mask) | (a->value << shift & mask);
        i.irq->route = route & (GICD_IROUTER_AFFINITY | GICD_IROUTER_IRM);
        vgic_retarget(w, &i);
    } else {
        a->value = (i.irq->route & mask) >> shift;
    }
}

// ---- An access --------------------------------------------------------------------------------------------------

static void access_route_or_ctlr(struct bus_access *a)
{
    struct vm *vm = a->vcpu->vm;
    struct vgic_work w = {.vm = vm, .self = a->vcpu, .bank = a->vcpu->index};
    port_lock(vm->port, &vm->lock);
    if (a->offset == GICD_CTLR) {
        write_ctlr(&w, a->value);
    } else {
        access_route(&w, a);
    }
    vgic_finish(&w);
    port_unlock(vm->port, &vm->lock);
}

static bool is_route(const struct vm *vm, const struct bus_access *a)
{
    return vm->gic.version == 3 && a->offset >= GICD_IROUTER && a->offset < GICD_IROUTER_END &&
           a->size >= 4 && is_aligned(a->offset, a->size);
}

enum handled vgic_distributor_access(void *device, struct bus_access *a)
{
    struct vm *vm = device;
    bool v2 = vm->gic.version == 2;
    bool word = a->size == 4 && is_aligned(a->offset, 4);
    if (!a->write) {
        a->value = 0;
    }
    // First what guests do often.
    if (v2 && word && a->write && a->offset == GICD_SGIR) {
        vgic_write_sgir(a->vcpu, (uint32_t)a->value);
        return HANDLED;
    }
    if (word && !a->write && a->offset < GICD_IGROUPR) {
        a->value = read_constant(vm, a->offset);
        return HANDLED;
    }
    if (vgic_families(a, a->vcpu->index, v2 ? 0 : VGIC_PRIVATE, VGIC_INTIDS)) {
        return HANDLED;
    }
    if (is_route(vm, a) || (word && a->write && a->offset == GICD_CTLR)) {
        access_route_or_ctlr(a);
    } else if (word && !a->write) {
        a->value = read_constant(vm, a->offset);
    }
    return HANDLED;
}

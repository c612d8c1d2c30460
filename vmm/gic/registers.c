// The families of registers that hold a few bits for each interrupt: the same for both versions, and in version 3 for
// the distributor (shared interrupts) and each redistributor (private ones). Arm IHI 0048B 4.3, IHI 0069 12.9.
//
// Reads and writes of what is pending or active, which may be in list registers, go through vgic_hold and port_sync
// first, for the vcpus concerned: `live`. Accesses of a width or alignment that a family doesn't have read as zero and
// are ignored.
#include "model.h"

struct family {
    uint16_t offset; // of the register for INTID 0
    uint16_t end;
    uint8_t bits; // for each interrupt
    bool bytes;   // may be accessed bytewise
    bool ones;    // only ones that are written mean something
    bool live_read;
    bool live_write;
    unsigned (*get)(const struct vgic_work *w, const struct vgic_ref *i);
    void (*set)(struct vgic_work *w, struct vgic_ref *i, unsigned value);
};

static bool is_sgi(const struct vgic_ref *i)
{
    return i->intid < INTID_PPI;
}

static bool is_version_2(const struct vgic_work *w)
{
    return w->vm->gic.version == 2;
}

// ---- Group, enable, priority, configuration ---------------------------------------------------------------------

static unsigned get_group(const struct vgic_work *w, const struct vgic_ref *i)
{
    (void)w;
    return i->irq->group1;
}

static void set_group(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    i->irq->group1 = value != 0;
    vgic_update(w, i);
}

static unsigned get_enabled(const struct vgic_work *w, const struct vgic_ref *i)
{
    (void)w;
    return i->irq->enabled;
}

static void set_enabled(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    (void)value;
    i->irq->enabled = true;
    vgic_update(w, i);
}

static void clear_enabled(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    (void)value;
    if (!(is_version_2(w) && is_sgi(i))) {
        i->irq->enabled = false;
        vgic_update(w, i);
    }
}

static unsigned get_priority(const struct vgic_work *w, const struct vgic_ref *i)
{
    (void)w;
    return i->irq->priority;
}

static void set_priority(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    i->irq->priority = (uint8_t)(value & VGIC_PRIORITY_MASK);
    vgic_update(w, i);
}

static unsigned get_config(const struct vgic_work *w, const struct vgic_ref *i)
{
    (void)w;
    return i->irq->edge ? 2 : 0;
}

static void set_config(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    if (!is_sgi(i)) {
        i->irq->edge = (value & 2) != 0;
        vgic_update(w, i);
    }
}

// ---- Pending and active -----------------------------------------------------------------------------------------

static unsigned get_pending(const struct vgic_work *w, const struct vgic_ref *i)
{
    (void)w;
    return vgic_pending(i);
}

static void set_pending(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    (void)value;
    if (!(is_version_2(w) && is_sgi(i))) {
        vgic_pend(w, i);
    }
}

static void clear_pending(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    (void)value;
    if (is_version_2(w) && is_sgi(i)) {
        return;
    }
    i->irq->latched = false;
    if (i->home != NULL) {
        atomic_fetch_and(&i->home->page->pending, ~i->bit);
        vgic_attend(w->vm, w->self, i->home, VCPU_ATTENTION_FOLD);
    }
}

static unsigned get_active(const struct vgic_work *w, const struct vgic_ref *i)
{
    (void)w;
    return vgic_active(i);
}

// Limit: a shared interrupt that has neither slot nor pending state, while all slots of its target are taken, can't be
// made active by a write.
static void set_active(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    (void)value;
    if (i->home != NULL || vgic_place_always(w, i)) {
        atomic_fetch_or(&i->home->page->active, i->bit);
        vgic_attend(w->vm, w->self, i->home, VCPU_ATTENTION_FOLD);
    }
}

static void clear_active(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    (void)value;
    if (i->home != NULL) {
        atomic_fetch_and(&i->home->page->active, ~i->bit);
        vgic_attend(w->vm, w->self, i->home, VCPU_ATTENTION_NEW | VCPU_ATTENTION_FOLD);
    }
}

// ---- Version 2: targets, senders of SGIs ------------------------------------------------------------------------

// With one core there are no targets to choose from: the registers are reserved.
static unsigned get_targets(const struct vgic_work *w, const struct vgic_ref *i)
{
    if (!is_version_2(w) || w->vm->vcpus == 1) {
        return 0;
    }
    return i->intid < VGIC_PRIVATE ? 1u << w->bank : i->irq->targets;
}

static void set_targets(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    if (is_version_2(w) && w->vm->vcpus > 1 && i->intid >= VGIC_PRIVATE) {
        i->irq->targets = (uint8_t)(value & ((1u << w->vm->vcpus) - 1));
        vgic_retarget(w, i);
    }
}

static unsigned get_senders(const struct vgic_work *w, const struct vgic_ref *i)
{
    return is_version_2(w) ? atomic_load(&i->home->page->sgi_senders[i->intid]) : 0;
}

static void add_senders(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    uint8_t senders = (uint8_t)(value & ((1u << w->vm->vcpus) - 1));
    if (is_version_2(w) && senders != 0) {
        atomic_fetch_or(&i->home->page->sgi_senders[i->intid], senders);
        vgic_pend(w, i);
    }
}

// Another vcpu may send one meanwhile (sgi.c): first the sender, then the pending bit. Whoever clears looks again
// after clearing, so that no sender is left without the bit.
static void remove_senders(struct vgic_work *w, struct vgic_ref *i, unsigned value)
{
    if (!is_version_2(w)) {
        return;
    }
    struct vcpu_page *page = i->home->page;
    _Atomic uint8_t *senders = &page->sgi_senders[i->intid];
    uint8_t kept = (uint8_t)~value;
    if ((atomic_fetch_and(senders, kept) & kept) == 0) {
        atomic_fetch_and(&page->pending, ~i->bit);
        if (atomic_load(senders) != 0) {
            atomic_fetch_or(&page->pending, i->bit);
        }
    }
    vgic_attend(w->vm, w->self, i->home, VCPU_ATTENTION_NEW | VCPU_ATTENTION_FOLD);
}

// ---- The table --------------------------------------------------------------------------------------------------

// The configuration counts as live when written: vgic_set_private_line reads it without the lock.
// clang-format off
static const struct family families[] = {
    //  offset           end    bits bytes ones  live: read write
    {GICD_IGROUPR,     0x100,  1, false, false, false, false, get_group,    set_group},
    {GICD_ISENABLER,   0x180,  1, false, true,  false, false, get_enabled,  set_enabled},
    {GICD_ICENABLER,   0x200,  1, false, true,  false, false, get_enabled,  clear_enabled},
    {GICD_ISPENDR,     0x280,  1, false, true,  true,  false, get_pending,  set_pending},
    {GICD_ICPENDR,     0x300,  1, false, true,  true,  true,  get_pending,  clear_pending},
    {GICD_ISACTIVER,   0x380,  1, false, true,  true,  true,  get_active,   set_active},
    {GICD_ICACTIVER,   0x400,  1, false, true,  true,  true,  get_active,   clear_active},
    {GICD_IPRIORITYR,  0x800,  8, true,  false, false, false, get_priority, set_priority},
    {GICD_ITARGETSR,   0xc00,  8, true,  false, false, false, get_targets,  set_targets},
    {GICD_ICFGR,       0xd00,  2, false, false, false, true,  get_config,   set_config},
    {GICD_CPENDSGIR,   0xf20,  8, true,  true,  true,  true,  get_senders,  remove_senders},
    {GICD_SPENDSGIR,   0xf30,  8, true,  true,  true,  false, get_senders,  add_senders},
};
// clang-format on

static const struct family *find(uint64_t offset)
{
    for (unsigned f = 0; f < ARRAY_SIZE(families); f++) {
        if (offset < families[f].end) {
            return offset >= families[f].offset ? &families[f] : NULL;
        }
    }
    return NULL;
}

// ---- An access --------------------------------------------------------------------------------------------------

// An access to a family: `count` interrupts from `first` on.
struct span {
    const struct family *family;
    uint32_t first;
    uint32_t count;
};

static unsigned value_of(const struct span *s, uint64_t value, uint32_t n)
{
    return (unsigned)(value >> n * s->family->bits) & ((1u << s->family->bits) - 1);
}

// Is interrupt n of the span meant by this access?
static bool is_meant(const struct span *s, const struct bus_access *a, uint32_t n)
{
    return !a->write || !s->family->ones || value_of(s, a->value, n) != 0;
}

static uint32_t homes(const struct vgic_work *w, const struct span *s, const struct bus_access *a)
{
    uint32_t mask = 0;
    for (uint32_t n = 0; n < s->count; n++) {
        struct vgic_ref i = vgic_ref(w->vm, w->bank, s->first + n);
        if (i.home != NULL && is_meant(s, a, n)) {
            mask |= 1u << i.home->index;
        }
    }
    return mask;
}

// While the lock was let go, an interrupt may have got another home: then that one is held as well.
static void hold_homes(struct vgic_work *w, const struct span *s, const struct bus_access *a)
{
    uint32_t mask = homes(w, s, a);
    uint32_t self = 1u << w->self->index;
    while ((mask & ~w->held & ~self) != 0) {
        vgic_hold(w, mask);
        mask = homes(w, s, a);
    }
    for (; mask != 0; mask &= mask - 1) {
        port_sync(w->vm->port, (unsigned)__builtin_ctz(mask));
    }
}

static void read_span(struct vgic_work *w, const struct span *s, struct bus_access *a)
{
    if (s->family->live_read) {
        hold_homes(w, s, a);
    }
    for (uint32_t n = 0; n < s->count; n++) {
        struct vgic_ref i = vgic_ref(w->vm, w->bank, s->first + n);
        a->value |= (uint64_t)s->family->get(w, &i) << n * s->family->bits;
    }
}

static void write_span(struct vgic_work *w, const struct span *s, struct bus_access *a)
{
    if (s->family->live_write) {
        hold_homes(w, s, a);
    }
    for (uint32_t n = 0; n < s->count; n++) {
        if (is_meant(s, a, n)) {
            struct vgic_ref i = vgic_ref(w->vm, w->bank, s->first + n);
            s->family->set(w, &i, value_of(s, a->value, n));
        }
    }
}

// What was disabled elsewhere must not be delivered any more when the write has ended: port_sync has it folded.
void vgic_finish(struct vgic_work *w)
{
    uint32_t self = w->self != NULL ? 1u << w->self->index : 0;
    for (w->disabled &= ~self; w->disabled != 0; w->disabled &= w->disabled - 1) {
        port_sync(w->vm->port, (unsigned)__builtin_ctz(w->disabled));
    }
    vgic_tidy_idle(w);
    vgic_release(w);
}

bool vgic_families(struct bus_access *a, unsigned bank, uint32_t first, uint32_t end)
{
    const struct family *f = find(a->offset);
    if (f == NULL) {
        return false;
    }
    struct span s = {
        .family = f,
        .first = (uint32_t)(a->offset - f->offset) * 8 / f->bits,
        .count = a->size * 8u / f->bits,
    };
    bool width = a->size == 4 || (a->size == 1 && f->bytes);
    if (!width || !is_aligned(a->offset, a->size) || s.first < first || s.first >= end) {
        return true;
    }
    struct vm *vm = a->vcpu->vm;
    struct vgic_work w = {.vm = vm, .self = a->vcpu, .bank = bank};
    port_lock(vm->port, &vm->lock);
    if (a->write) {
        write_span(&w, &s, a);
    } else {
        read_span(&w, &s, a);
    }
    vgic_finish(&w);
    port_unlock(vm->port, &vm->lock);
    return true;
}

void vgic_deactivate(struct vcpu *v, uint32_t intid)
{
    struct bus_access a = {
        .vcpu = v,
        .offset = GICD_ICACTIVER + intid / 32 * 4,
        .size = 4,
        .write = true,
        .value = BIT(intid % 32),
    };
    if (intid < VGIC_INTIDS) {
        (void)vgic_families(&a, v->index, 0, VGIC_INTIDS);
    }
}

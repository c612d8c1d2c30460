// The short ways into a list register: the virtual timer's interrupt, and the usual news. Nearly every interrupt of a guest
// comes by one of them; what they leave alone, vgic.c does. See vgic.h.
#include "vgic_lists.h"

bool vgic_timer(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    const struct vcpu_page *p = v->page;
    uint64_t wanted = peek64(&p->enabled) & ~peek64(&p->active) & BIT(TIMER_SOURCE);
    if (wanted == 0 || s->crowded) {
        return false;
    }
    uint64_t lr = describe_source(peek64(&p->source[TIMER_SOURCE]), TIMER_SOURCE) | ICH_LR_HW |
                  (uint64_t)machine.vtimer_intid << ICH_LR_PINTID_SHIFT | ICH_LR_PENDING;
    if (!ops()->put_quickly(s, TIMER_SOURCE, lr)) {
        return false;
    }
    s->latched &= ~BIT(TIMER_SOURCE);
    return true;
}

static inline bool put_latched(struct vcpu *v, unsigned source, uint64_t lr)
{
    struct vgic_state *s = &v->arch.vgic;
    if (!ops()->put_quickly(s, source, lr)) {
        return false;
    }
    atomic_fetch_and_explicit(&v->page->pending, ~BIT(source), memory_order_relaxed);
    s->latched |= BIT(source);
    return true;
}

// Of version 2, an SGI's sender stands in its list register: one. Whoever has sent it meanwhile has its turn when this one
// is ended: it has set `attention` after that was looked at, so somebody looks again.
static inline bool put_from_sender(struct vcpu *v, unsigned source, uint64_t lr)
{
    _Atomic uint8_t *senders = &v->page->sgi_senders[source];
    uint8_t sender = atomic_load(senders);
    if (sender == 0 || (sender & (sender - 1)) != 0) {
        return false;
    }
    lr |= (uint64_t)__builtin_ctz(sender) << ICH_LR_PINTID_SHIFT;
    if (!put_latched(v, source, lr)) {
        return false;
    }
    if ((atomic_fetch_and(senders, (uint8_t)~sender) & ~sender) != 0) {
        atomic_fetch_or(&v->page->pending, BIT(source));
    }
    return true;
}

bool vgic_place_quickly(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    struct vcpu_page *p = v->page;
    uint64_t bit = deliverable(v);
    bool one = bit != 0 && (bit & (bit - 1)) == 0 && (bit & peek64(&p->pending)) != 0;
    if (!one || s->crowded || (s->held | peek64(&p->active)) != 0) {
        return false;
    }
    unsigned source = (unsigned)__builtin_ctzll(bit);
    uint64_t config = peek64(&p->source[source]);
    bool level = (VCPU_SOURCE_FLAGS(config) & VCPU_SOURCE_LEVEL) != 0;
    if (source >= INTID_SPI || source == TIMER_SOURCE || level) {
        return false;
    }
    uint64_t lr = describe_source(config, source) | ICH_LR_PENDING;
    return source < INTID_PPI && machine.gic.version == 2 ? put_from_sender(v, source, lr)
                                                          : put_latched(v, source, lr);
}

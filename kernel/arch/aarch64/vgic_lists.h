// What vgic.c and vgic_quick.c, which decide, and vgicv2.c and vgicv3.c share: see vgic.h.
#pragma once

#include <base/bits.h>
#include <base/peek.h>
#include <spec/gich.h>

#include "guest.h"
#include "machine.h"
#include "vcpu.h"
#include "vgic.h"

static inline const struct vgic_ops *ops(void)
{
    return machine.gic.vgic;
}

// What waits to be delivered. What is active outside list registers has to be ended first.
static inline uint64_t deliverable(const struct vcpu *v)
{
    const struct vcpu_page *p = v->page;
    uint64_t raised = peek64(&v->linked_raised);
    return (peek64(&p->pending) | raised | (peek64(&p->line) & ~v->arch.vgic.placed)) &
           peek64(&p->enabled) & ~peek64(&p->active);
}

// What a list register says of it in any case.
static inline uint64_t describe_source(uint64_t config, uint64_t intid)
{
    bool group1 = (VCPU_SOURCE_FLAGS(config) & VCPU_SOURCE_GROUP1) != 0;
    return intid | (uint64_t)VCPU_SOURCE_PRIORITY(config) << ICH_LR_PRIORITY_SHIFT |
           (group1 ? ICH_LR_GROUP1 : 0);
}

// List register n gets `lr`, for `source`: what is remembered of that.
static inline void vgic_note(struct vgic_state *s, unsigned n, unsigned source, uint64_t lr)
{
    bool tells = (lr & (ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI;
    unsigned before = s->source[n];
    if (s->at[before] == n) {
        s->placed &= ~BIT(before);
    }
    s->source[n] = (uint8_t)source;
    s->at[source] = (uint8_t)n;
    s->placed |= BIT(source);
    s->tells = tells ? s->tells | BIT(n) : s->tells & ~BIT(n);
}

// What put_quickly does, for one version. Where it stood last is best, if nobody has got that since.
static ALWAYS_INLINE bool vgic_put_into_one_of(uint64_t empty, struct vgic_state *s,
                                               unsigned source, uint64_t lr,
                                               void (*write)(unsigned n, uint64_t value))
{
    unsigned n = s->at[source];
    empty &= ~s->tells;
    if ((s->placed & BIT(source)) == 0) {
        if (empty == 0) {
            return false;
        }
        n = (unsigned)__builtin_ctzll(empty);
        vgic_note(s, n, source, lr);
    } else if ((empty & BIT(n)) == 0) {
        return false;
    }
    write(n, lr);
    return true;
}

// The usual news: one private interrupt, an edge or an SGI, that is in no list register has become pending, and nothing
// else is to be done. False: it is not so, and nothing has changed.
bool vgic_place_quickly(struct vcpu *v);

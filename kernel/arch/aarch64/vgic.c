// See vgic.h.
#include "vgic.h"

#include "gic.h"
#include "percpu.h"
#include "vgic_lists.h"

#define NOWHERE UINT32_MAX

static uint32_t physical_of(const struct vcpu *v, unsigned source)
{
    return source == TIMER_SOURCE ? machine.vtimer_intid : v->linked[source];
}

void vgic_init_core(void)
{
    ops()->control(0);
    for (unsigned i = 0; i < machine.gic.lists; i++) {
        ops()->write(i, 0);
    }
}

// ---- One interrupt ------------------------------------------------------------------------------------------------

// What a list register says of a source, without its state. 0: the inbox names no interrupt that exists.
static uint64_t describe(const struct vcpu *v, unsigned source)
{
    uint64_t config = peek64(&v->page->source[source]);
    uint64_t intid = source;
    if (source >= VCPU_SOURCE_SPI) {
        intid = VCPU_SOURCE_INTID(config) & (machine.gic.version == 2 ? GICH_LR_VINTID : 0xffffff);
        if (intid < INTID_SPI || (intid >= INTID_SPI_END && intid < 8192)) {
            return 0;
        }
    }
    uint64_t lr = describe_source(config, intid);
    uint32_t physical = physical_of(v, source);
    if (physical != 0) {
        lr |= ICH_LR_HW | (uint64_t)physical << ICH_LR_PINTID_SHIFT;
    } else if ((VCPU_SOURCE_FLAGS(config) & VCPU_SOURCE_LEVEL) != 0) {
        lr |= ICH_LR_EOI; // its line is looked at again then
    }
    return lr;
}

// Version 2 tells the guest who sent an SGI: each sender's comes by itself.
static uint64_t take_sender(struct vcpu *v, unsigned source, bool active)
{
    if (machine.gic.version != 2 || source >= INTID_PPI) {
        return 0;
    }
    unsigned sender = v->page->sgi_active_sender[source] & 7u;
    uint64_t eoi = 0;
    if (!active) {
        _Atomic uint8_t *senders = &v->page->sgi_senders[source];
        uint8_t now = atomic_load(senders);
        sender = now != 0 ? (unsigned)__builtin_ctz(now) : 0;
        uint8_t others = (uint8_t) ~(1u << sender);
        if ((atomic_fetch_and(senders, others) & others) != 0) {
            atomic_fetch_or(&v->page->pending,
                            BIT(source)); // the next one's turn comes when this one is ended
            eoi = ICH_LR_EOI;
        }
    }
    return (uint64_t)sender << ICH_LR_PINTID_SHIFT |
           eoi; // where the physical INTID of others stands
}

static NOINLINE void put(struct vcpu *v, unsigned n, unsigned source, uint64_t lr)
{
    vgic_note(&v->arch.vgic, n, source, lr);
    ops()->write(n, lr);
}

// Puts a pending source into an empty list register. False: it needs none, there is no such interrupt.
static bool place(struct vcpu *v, unsigned n, unsigned source)
{
    struct vgic_state *s = &v->arch.vgic;
    uint64_t lr = describe(v, source);
    uint64_t bit = BIT(source);
    bool latched = (peek64(&v->page->pending) & bit) != 0;
    if (latched) {
        atomic_fetch_and(&v->page->pending, ~bit);
    }
    s->latched = latched ? s->latched | bit : s->latched & ~bit;
    atomic_fetch_and(&v->linked_raised, ~bit);
    if (lr == 0) {
        s->placed |= bit; // its line may stay up
        s->at[source] = VGIC_NO_LIST;
        return false;
    }
    put(v, n, source, lr | take_sender(v, source, false) | ICH_LR_PENDING);
    return true;
}

static bool place_active(struct vcpu *v, unsigned n, unsigned source)
{
    uint64_t lr = describe(v, source);
    atomic_fetch_and(&v->page->active, ~BIT(source));
    if (lr == 0) {
        return false;
    }
    if (source == TIMER_SOURCE) {
        machine.gic.ops->activate(machine.vtimer_intid);
    }
    v->arch.vgic.held &= ~BIT(source);
    put(v, n, source, lr | take_sender(v, source, true) | ICH_LR_ACTIVE);
    return true;
}

// Where a source stands; NOWHERE: in no list register, or the guest has ended it.
static inline uint32_t find(const struct vcpu *v, unsigned source, uint64_t empty)
{
    const struct vgic_state *s = &v->arch.vgic;
    unsigned n = s->at[source];
    bool there = (s->placed & BIT(source)) != 0 && n != VGIC_NO_LIST && (empty & BIT(n)) == 0;
    return there ? n : NOWHERE;
}

// ---- Linked interrupts --------------------------------------------------------------------------------------------

bool vgic_timer_asserts(void)
{
    const uint64_t wanted = CNT_CTL_ENABLE | CNT_CTL_ISTATUS;
    return (sysreg_read(cntv_ctl_el0) & (wanted | CNT_CTL_IMASK)) == wanted;
}

// The guest has ended it without the list register that does this to the physical interrupt, too.
static void end_linked(struct vcpu *v, unsigned source)
{
    uint32_t physical = physical_of(v, source);
    if (physical != 0 && (peek64(&v->linked_raised) & BIT(source)) == 0) {
        machine.gic.ops->deactivate(physical);
    }
}

// The VMM has ended some that had been taken out while active.
static void end_held(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    uint64_t left = s->held & ~peek64(&v->page->active);
    s->held &= ~left;
    for (; left != 0; left &= left - 1) {
        end_linked(v, (unsigned)__builtin_ctzll(left));
    }
}

// It was raised, and is wanted now: is it still asserted? If not, the controller may raise it anew.
static bool still_raised(struct vcpu *v, unsigned source)
{
    bool latched = (peek64(&v->page->pending) & BIT(source)) != 0;
    if (source != TIMER_SOURCE || latched || vgic_timer_asserts()) {
        return true;
    }
    atomic_fetch_and(&v->linked_raised, ~BIT(source));
    machine.gic.ops->deactivate(machine.vtimer_intid);
    return false;
}

void vgic_timer_sample(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    uint32_t n = find(v, TIMER_SOURCE, ops()->empty());
    if (n == NOWHERE) {
        s->placed &= ~BIT(TIMER_SOURCE);
        return;
    }
    bool pending = (ops()->read(n) & (ICH_LR_PENDING | ICH_LR_ACTIVE)) == ICH_LR_PENDING;
    if (pending && (s->latched & BIT(TIMER_SOURCE)) == 0 && !vgic_timer_asserts()) {
        ops()->write(n, 0);
        s->placed &= ~BIT(TIMER_SOURCE);
        machine.gic.ops->deactivate(machine.vtimer_intid);
    }
}

// ---- All of them --------------------------------------------------------------------------------------------------

// The list registers that the guest has emptied name nothing any more.
static uint64_t clean(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    for (uint64_t left = ops()->ended() & machine.gic.all_lists; left != 0; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        ops()->write(n, 0);
        s->tells &= ~BIT(n);
        end_linked(v, s->source[n]);
    }
    uint64_t empty = ops()->empty() & machine.gic.all_lists;
    for (uint64_t left = empty; left != 0; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        if (s->at[s->source[n]] == n) {
            s->placed &= ~BIT(s->source[n]);
        }
    }
    return empty;
}

// Of version 2: an SGI that stands in a list register comes again.
static void sgi_again(struct vcpu *v, unsigned source, uint32_t n, uint64_t lr)
{
    if ((lr & ICH_LR_PENDING) == 0) {
        put(v, n, source, lr | ICH_LR_EOI);
        return;
    }
    // From its own sender it comes no more than once; the others have their turn when it is ended.
    _Atomic uint8_t *senders = &v->page->sgi_senders[source];
    uint8_t bit = (uint8_t)(1u << (lr >> ICH_LR_PINTID_SHIFT & 7u));
    atomic_fetch_and(&v->page->pending, ~BIT(source));
    atomic_fetch_and(senders, (uint8_t)~bit);
    if (atomic_load(senders) != 0) {
        atomic_fetch_or(&v->page->pending, BIT(source));
        put(v, n, source, lr | ICH_LR_EOI);
    }
}

// A linked interrupt that stands in a list register comes again. Hardware has no state for "active, and pending": while
// it is active the register is made one that tells its end, and the physical interrupt stays active for the next one.
static void linked_again(struct vcpu *v, unsigned source, uint32_t n, uint64_t lr)
{
    if ((lr & ICH_LR_PENDING) == 0) {
        put(v, n, source, (lr & ~ICH_LR_HW & ~ICH_LR_PINTID) | ICH_LR_EOI);
        return;
    }
    v->arch.vgic.latched |= peek64(&v->page->pending) & BIT(source);
    atomic_fetch_and(&v->page->pending, ~BIT(source));
    atomic_fetch_and(&v->linked_raised, ~BIT(source));
}

// A source that is pending again while it stands in list register n. If it has to wait until that is empty, a
// maintenance interrupt tells. `crowded`: others wait; if they are more urgent, it must not be pending before them.
static void pend_again(struct vcpu *v, unsigned source, uint32_t n, bool crowded)
{
    uint64_t lr = ops()->read(n);
    if (machine.gic.version == 2 && source < INTID_PPI) {
        sgi_again(v, source, n, lr);
    } else if (physical_of(v, source) != 0) {
        linked_again(v, source, n, lr);
    } else if (crowded && (lr & ICH_LR_PENDING) == 0) {
        put(v, n, source, lr | ICH_LR_EOI);
    } else {
        atomic_fetch_and(&v->page->pending, ~BIT(source));
        v->arch.vgic.latched |= BIT(source);
        put(v, n, source, lr | ICH_LR_PENDING | (describe(v, source) & ICH_LR_EOI));
    }
}

// Places one by one what there is room for. False: something has to wait.
static bool place_all(struct vcpu *v, uint64_t empty)
{
    bool all = true;
    uint64_t active = peek64(&v->page->active) & ~v->arch.vgic.placed;
    for (; active != 0; active &= active - 1) {
        if (empty == 0) {
            return false;
        }
        if (place_active(v, (unsigned)__builtin_ctzll(empty), (unsigned)__builtin_ctzll(active))) {
            empty &= empty - 1;
        }
    }
    for (uint64_t left = deliverable(v); left != 0; left &= left - 1) {
        unsigned source = (unsigned)__builtin_ctzll(left);
        if (!still_raised(v, source)) {
            continue;
        }
        uint32_t n = find(v, source, ops()->empty());
        if (n != NOWHERE) {
            pend_again(v, source, n, false);
        } else if (empty == 0) {
            all = false;
        } else if (place(v, (unsigned)__builtin_ctzll(empty), source)) {
            empty &= empty - 1;
        }
    }
    return all;
}

// ---- Back into the inbox ------------------------------------------------------------------------------------------

// A list register's interrupt goes back to where it came from.
static void take_out(struct vcpu *v, unsigned n)
{
    struct vgic_state *s = &v->arch.vgic;
    unsigned source = s->source[n];
    uint64_t bit = BIT(source);
    uint64_t lr = ops()->read(n);
    ops()->write(n, 0);
    if ((lr & (ICH_LR_PENDING | ICH_LR_ACTIVE)) == 0) {
        end_linked(v, source);
        return;
    }
    bool sgi2 = machine.gic.version == 2 && source < INTID_PPI;
    unsigned sender = (unsigned)(lr >> ICH_LR_PINTID_SHIFT) & 7u;
    if ((lr & ICH_LR_PENDING) != 0) {
        if ((lr & ICH_LR_HW) != 0 &&
            physical_of(v, source) != 0) { // else it was unlinked meanwhile
            atomic_fetch_or(&v->linked_raised, bit);
        }
        if ((s->latched & bit) != 0) {
            if (sgi2) {
                atomic_fetch_or(&v->page->sgi_senders[source], (uint8_t)(1u << sender));
            }
            atomic_fetch_or(&v->page->pending, bit);
        }
    }
    if ((lr & ICH_LR_ACTIVE) != 0) {
        if (sgi2) {
            v->page->sgi_active_sender[source] = (uint8_t)sender;
        }
        atomic_fetch_or(&v->page->active, bit);
        s->held |= physical_of(v, source) != 0 ? bit : 0;
    }
}

static void take_all_out(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    for (uint64_t left = ~ops()->empty() & machine.gic.all_lists; left != 0; left &= left - 1) {
        take_out(v, (unsigned)__builtin_ctzll(left));
    }
    s->placed = 0;
    s->latched = 0;
    s->tells = 0;
}

// ---- More than there is room for ----------------------------------------------------------------------------------

static unsigned priority_of(const struct vcpu *v, unsigned source)
{
    return VCPU_SOURCE_PRIORITY(peek64(&v->page->source[source]));
}

// The most urgent of a set that is not empty; the lower number among equals.
static unsigned most_urgent(const struct vcpu *v, uint64_t set)
{
    unsigned best = (unsigned)__builtin_ctzll(set);
    for (uint64_t left = set & (set - 1); left != 0; left &= left - 1) {
        unsigned source = (unsigned)__builtin_ctzll(left);
        if (priority_of(v, source) < priority_of(v, best)) {
            best = source;
        }
    }
    return best;
}

// The guest has ended so many interrupts that stood in no list register: the most urgent active ones.
static void retire(struct vcpu *v, uint64_t count)
{
    struct vgic_state *s = &v->arch.vgic;
    for (; count != 0; count--) {
        uint64_t outside = peek64(&v->page->active) & ~s->placed;
        if (outside == 0) {
            return;
        }
        unsigned source = most_urgent(v, outside);
        atomic_fetch_and(&v->page->active, ~BIT(source));
        s->held &= ~BIT(source);
        end_linked(v, source);
    }
}

// Everything out, then in by priority: active ones first, but one place is kept for what may interrupt them.
static void place_sorted(struct vcpu *v)
{
    take_all_out(v);
    unsigned n = 0;
    unsigned lists = machine.gic.lists;
    uint64_t active = peek64(&v->page->active);
    while (active != 0 && n + 1 < lists) {
        unsigned source = most_urgent(v, active);
        active &= ~BIT(source);
        n += place_active(v, n, source) ? 1 : 0;
    }
    uint64_t left = deliverable(v);
    while (left != 0) {
        unsigned source = most_urgent(v, left);
        left &= ~BIT(source);
        if (!still_raised(v, source)) {
            continue;
        }
        uint32_t at = find(v, source, ops()->empty());
        if (at != NOWHERE) {
            pend_again(v, source, at, true);
        } else if (n < lists) {
            n += place(v, n, source) ? 1 : 0;
        }
    }
}

// Of what waits, what stands in a list register already has its own way to tell that this is empty: with NPIE for it,
// the maintenance interrupt would never end.
static void update_control(struct vcpu *v)
{
    struct vgic_state *s = &v->arch.vgic;
    bool outside = (peek64(&v->page->active) & ~s->placed) != 0;
    bool waiting = (deliverable(v) & ~s->placed) != 0;
    uint64_t trap = outside ? ops()->trap_end(ops()->vmcr()) : 0;
    uint64_t tell = outside && trap == 0 ? ICH_HCR_LRENPIE : 0;
    s->crowded = outside || waiting;
    s->trapped = trap != 0;
    ops()->control(ICH_HCR_EN | (waiting ? ICH_HCR_NPIE : 0) | tell | trap);
}

// What the guest has ended outside list registers since it was last looked at. If it ends in two steps, in any order, a
// count of ends says nothing (and may be one of priority drops): its VMM is told which it deactivates.
static void catch_up(struct vcpu *v)
{
    if (v->arch.vgic.crowded && !v->arch.vgic.trapped) {
        retire(v, ops()->ended_elsewhere());
    }
}

static NOINLINE void update_fully(struct vcpu *v, uint64_t attention)
{
    struct vgic_state *s = &v->arch.vgic;
    bool was_crowded = s->crowded;
    catch_up(v);
    end_held(v);
    if ((attention & VCPU_ATTENTION_FOLD) != 0) {
        take_all_out(v);
    }
    if (!place_all(v, clean(v))) {
        place_sorted(v);
        update_control(v);
    } else if (was_crowded) {
        update_control(v);
    }
}

uint64_t vgic_update(struct vcpu *v)
{
    uint64_t attention = atomic_exchange(&v->page->attention, 0);
    if (attention != VCPU_ATTENTION_NEW || !vgic_place_quickly(v)) {
        update_fully(v, attention);
    }
    return attention;
}

void vgic_maintain(struct vcpu *v)
{
    // Also to what has ended: a level that is still high is placed again, since it is placed no more.
    update_fully(v, atomic_exchange(&v->page->attention, 0));
}

// The timer's line is its own: it may have risen while its interrupt is disabled or active, or fallen since it came.
static void show_asserted(struct vcpu *v)
{
    uint64_t timer = BIT(TIMER_SOURCE);
    uint64_t others = peek64(&v->linked_raised) & ~timer;
    atomic_store(&v->page->asserted, others | (vgic_timer_asserts() ? timer : 0));
}

static void fold(struct vcpu *v)
{
    catch_up(v);
    take_all_out(v);
    show_asserted(v);
    v->arch.vgic.crowded = false;
    ops()->control(ICH_HCR_EN); // nothing is to be told until it is put back
}

void vgic_fold(struct vcpu *v)
{
    fold(v);
    atomic_fetch_or(&v->page->attention, VCPU_ATTENTION_NEW); // or it would not be put back
}

// ---- Coming and going ---------------------------------------------------------------------------------------------

static void route_linked(const struct vcpu *v)
{
    for (unsigned source = VCPU_SOURCE_SPI; source < VCPU_SOURCES; source++) {
        if (v->linked[source] != 0) {
            machine.gic.ops->route(v->linked[source], this_cpu()->id);
        }
    }
}

void vgic_load(struct vcpu *v)
{
    ops()->load(&v->arch.vgic);
    ops()->control(ICH_HCR_EN);
    v->arch.vgic.crowded = false;
    route_linked(v);
    atomic_fetch_or(&v->page->attention, VCPU_ATTENTION_NEW);
}

// The timer's interrupt belongs to the core: it must be inactive for the next guest, and comes again for this one. What is
// folded is put back by vgic_load. `attention` stays as it is: who finds a bit set in it need not kick.
void vgic_unload(struct vcpu *v)
{
    fold(v);
    uint64_t timer = BIT(TIMER_SOURCE);
    bool raised = (atomic_fetch_and(&v->linked_raised, ~timer) & timer) != 0;
    if (raised || (v->arch.vgic.held & timer) != 0) {
        machine.gic.ops->deactivate(machine.vtimer_intid);
    }
    v->arch.vgic.held &= ~timer;
    ops()->save(&v->arch.vgic);
    ops()->control(0);
}

bool vgic_awaits(const struct vcpu *v, bool masked)
{
    if (peek64(&v->page->attention) != 0 ||
        (peek64(&v->linked_raised) & peek64(&v->page->enabled)) != 0) {
        return true;
    }
    uint64_t vmcr = ops()->vmcr();
    for (uint64_t left = ~ops()->empty() & machine.gic.all_lists; left != 0; left &= left - 1) {
        uint64_t lr = ops()->read((unsigned)__builtin_ctzll(left));
        if ((lr & (ICH_LR_PENDING | ICH_LR_ACTIVE)) == ICH_LR_PENDING &&
            (masked || ops()->passes(vmcr, lr))) {
            return true;
        }
    }
    return false;
}

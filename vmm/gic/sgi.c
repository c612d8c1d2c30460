// Software-generated interrupts: GICD_SGIR (version 2), the SGI registers of the CPU interface (version 3). Hot: no
// lock, only the target's inbox.
#include "model.h"

// Who is to be kicked for it is left to the sender's next run, which is what comes next: that saves a system call. Whom
// an earlier SGI of the same instruction left there is kicked now.
static ALWAYS_INLINE void post(struct vcpu *sender, struct vcpu *target, unsigned intid)
{
    struct vcpu_page *page = target->page;
    atomic_fetch_or_explicit(&page->pending, BIT(intid), memory_order_release);
    uint64_t before = atomic_fetch_or(&page->attention, VCPU_ATTENTION_NEW);
    if (target == sender || (before & VCPU_ATTENTION_NEW) != 0) {
        return;
    }
    if (sender->kick != PORT_NOBODY) {
        port_kick(sender->vm->port, sender->kick - 1);
    }
    sender->kick = target->index + 1;
    sender->look = true;
}

// An SGI of another group than the target has configured is not forwarded.
static bool takes_group(struct vcpu *target, unsigned intid, bool group1)
{
    uint64_t source = atomic_load_explicit(&target->page->source[intid], memory_order_relaxed);
    return ((VCPU_SOURCE_FLAGS(source) & VCPU_SOURCE_GROUP1) != 0) == group1;
}

// Cores are numbered in Aff0, all in one cluster of affinity 0.0.0.
static uint32_t listed(const struct vcpu *v, uint64_t value, uint32_t all)
{
    if ((value & ICC_SGI1R_ALL_OTHERS) != 0) {
        return all & ~(1u << v->index);
    }
    return (value & ICC_SGI1R_CLUSTER) == 0 ? (uint32_t)(value & ICC_SGI1R_LIST) & all : 0;
}

enum handled vgic_write_sgi_register(struct vcpu *v, unsigned op2, uint64_t value)
{
    struct vm *vm = v->vm;
    if (vm->gic.version != 3) {
        return UNHANDLED;
    }
    v->exits[TRACE_SGI]++;
    unsigned intid = (unsigned)(value >> ICC_SGI1R_INTID_SHIFT) & 0xf;
    bool group1 = op2 != 6 && op2 != 7; // with one security state the alias is for group 0
    uint32_t targets = listed(v, value, (1u << vm->vcpus) - 1);
    for (; targets != 0; targets &= targets - 1) {
        struct vcpu *target = &vm->vcpu[__builtin_ctz(targets)];
        if (takes_group(target, intid, group1)) {
            post(v, target, intid);
        }
    }
    return HANDLED;
}

// First who, then that: the kernel takes the sender when it takes the interrupt.
void vgic_write_sgir(struct vcpu *v, uint32_t value)
{
    struct vm *vm = v->vm;
    unsigned intid = value & 0xf;
    uint32_t self = 1u << v->index;
    uint32_t all = (1u << vm->vcpus) - 1;
    uint32_t targets = 0; // the fourth filter is reserved
    switch (value >> 24 & 3) {
    case GICD_SGIR_LIST:
        targets = value >> GICD_SGIR_TARGET_SHIFT & all;
        break;
    case GICD_SGIR_OTHERS:
        targets = all & ~self;
        break;
    case GICD_SGIR_SELF:
        targets = self;
        break;
    }
    v->exits[TRACE_SGI]++;
    for (; targets != 0; targets &= targets - 1) {
        struct vcpu *target = &vm->vcpu[__builtin_ctz(targets)];
        atomic_fetch_or(&target->page->sgi_senders[intid], (uint8_t)self);
        post(v, target, intid);
    }
}

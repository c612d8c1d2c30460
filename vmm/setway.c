// Cache maintenance by set and way, for a guest that is about to turn its caches off or has just done so: what it wrote
// through its caches must be in memory afterwards, and nothing old may come back out of them.
//
// On a machine of many cores set and way reach one core's caches only, and other guests' lines among them; so the
// kernel traps them, and here all the guest's RAM is cleaned and invalidated to the point of coherency instead. More is
// permitted: a line may be written back at any time. That holds for DC ISW, too, which discards: a guest uses it when
// its caches hold nothing that it wants.
//
// That takes long, and a guest walks through thousands of sets, so it happens once in each sequence, at its beginning:
// what the guest wrote before the sequence is safe then, and of what it writes during the sequence no order with the
// instructions is promised on hardware either. Whether the caches are on does not matter: some guests clean first, some
// turn them off first, and both do it once each time they turn them off.
//
// A sequence touches no line twice, and goes from the inner levels outwards. So a new one has begun when the level
// falls, or when the operand comes again that was the first for its level.
#include "setway.h"

#include "vm.h"

#define SETWAY_NONE    1u // no operand: bit 0 of one is reserved
#define SETWAY_OPERAND 0xfffffffeu

static uint32_t level_of(uint32_t operand)
{
    return operand >> 1 & (SETWAY_LEVELS - 1);
}

static void begin(struct setway *s)
{
    for (unsigned i = 0; i < SETWAY_LEVELS; i++) {
        s->first[i] = SETWAY_NONE;
    }
}

void setway_reset(struct vcpu *v)
{
    v->setway.level = SETWAY_LEVELS;
    begin(&v->setway);
}

void setway_write(struct vcpu *v, uint32_t iss, uint64_t operand)
{
    (void)iss;
    struct setway *s = &v->setway;
    uint32_t at = (uint32_t)operand & SETWAY_OPERAND;
    uint32_t level = level_of(at);
    if (level < s->level || at == s->first[level]) {
        const struct vm_config *config = v->vm->config;
        begin(s);
        port_publish(v->vm->port, (const void *)(uintptr_t)config->ram_vaddr, config->ram_size);
    }
    if (s->first[level] == SETWAY_NONE) {
        s->first[level] = at;
    }
    s->level = level;
}

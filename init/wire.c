// Wires between processes: see wire.h.
#include "wire.h"

#include <base/bits.h>

#include "make.h"

// What one end may do to the other.
static err_t wire_end(struct system *s, const struct bundle_end *from, const struct bundle_end *to)
{
    const struct process *target = &s->processes[to->process];
    err_t err = OK;
    if (from->notify != 0) {
        err = sys_copy(s->kernel, here(target->notification),
                       slot_of(s, from->process, PROCESS_NOTIFY + from->id), RIGHT_WRITE,
                       BIT(to->id));
    }
    if (err == OK && from->call != 0) {
        err = sys_copy(s->kernel, here(target->endpoint),
                       slot_of(s, from->process, PROCESS_CALL + from->id), RIGHT_WRITE,
                       BADGE_CALL | to->id);
    }
    return err;
}

static bool wire_channels(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->channels.count; i++) {
        const struct bundle_end *end = bundle_channel(&s->bundle, i)->end;
        for (unsigned from = 0; from < 2; from++) {
            err_t err = wire_end(s, &end[from], &end[1 - from]);
            if (err != OK) {
                refuse(s->kernel, process_element(s, end[from].process), "its channel %u: %s",
                       end[from].id, err_text(err));
                return false;
            }
        }
    }
    return true;
}

// The interrupt signals the process's notification with the bit of its id; the process may acknowledge it.
static err_t wire_irq(struct system *s, uint32_t i)
{
    const struct bundle_irq *record = bundle_irq(&s->bundle, i);
    handle_t irq;
    err_t err = make_irq(s, &s->irqs[i], &irq);
    if (err == OK) {
        err = sys_copy(s->kernel, here(s->processes[record->process].notification),
                       here(s->scratch), RIGHT_WRITE, BIT(record->id));
    }
    if (err == OK) {
        err = sys_irq_bind(s->kernel, irq, s->scratch);
    }
    if (err == OK) {
        err = sys_delete(s->kernel, here(s->scratch));
    }
    if (err == OK) {
        err = sys_copy(s->kernel, here(irq), slot_of(s, record->process, PROCESS_IRQ + record->id),
                       RIGHT_WRITE, 0);
    }
    return err;
}

static bool wire_irqs(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->irqs.count; i++) {
        err_t err = wire_irq(s, i);
        if (err != OK) {
            refuse(s->kernel, irq_element(s, bundle_irq(&s->bundle, i)), "interrupt %u: %s",
                   s->irqs[i].intid, err_text(err));
            return false;
        }
    }
    return true;
}

static bool wire_children(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->processes.count; i++) {
        const struct bundle_process *record = bundle_process(&s->bundle, i);
        if (record->parent == BUNDLE_NONE) {
            continue;
        }
        err_t err = sys_copy(s->kernel, here(s->processes[i].thread),
                             slot_of(s, record->parent, PROCESS_CHILD + record->child_id),
                             RIGHT_READ | RIGHT_WRITE, 0);
        if (err != OK) {
            refuse(s->kernel, process_element(s, i), "for its parent: %s", err_text(err));
            return false;
        }
    }
    return true;
}

static err_t wire_share(struct system *s, const struct bundle_share *share)
{
    const struct bundle_process *record = bundle_process(&s->bundle, share->of);
    struct place to = slot_of(s, share->process, PROCESS_USER + share->slot);
    switch ((enum bundle_share_kind)share->kind) {
    case SHARE_THREAD:
        return sys_copy(s->kernel, here(s->processes[share->of].thread), to,
                        RIGHT_READ | RIGHT_WRITE | RIGHT_TIME, 0);
    case SHARE_SPACE:
        return sys_copy(s->kernel, here(s->processes[share->of].space), to,
                        RIGHT_READ | RIGHT_WRITE, 0);
    case SHARE_TIME:
        break;
    }
    // Time as that process has it: its core, its priority at most.
    return sys_copy(s->kernel, here(BOOT_TIME), to, RIGHT_WRITE,
                    TIME_BADGE(record->priority, BIT(record->core)));
}

static bool wire_shares(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->shares.count; i++) {
        const struct bundle_share *share = bundle_share(&s->bundle, i);
        err_t err = wire_share(s, share);
        if (err != OK) {
            refuse(s->kernel, process_element(s, share->process), "its slot %u: %s", share->slot,
                   err_text(err));
            return false;
        }
    }
    return true;
}

bool build_wires(struct system *s)
{
    return wire_channels(s) && wire_irqs(s) && wire_children(s) && wire_shares(s);
}

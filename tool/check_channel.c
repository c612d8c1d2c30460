// Checks of channels, interrupts, and the ids by which processes know them: see check.h.
#include "check.h"

#include <string.h>

#include <abi/bundle.h>
#include <abi/process.h>

#include "assign.h"

typedef unsigned long long ull;

// Channels.

// A call lends time upwards only: the one who serves must have the higher priority.
static void check_call(struct model *m, const struct end *caller, const struct end *callee)
{
    if (caller->pp && caller->process != NULL && caller->process == callee->process) {
        diag_error(m->diag, xml_at(caller->node.xml, "pp"),
                   "'%s' cannot call itself, remove pp=\"true\"", caller->pd);
    } else if (caller->pp && caller->process != NULL && callee->process != NULL &&
               callee->process->priority <= caller->process->priority) {
        diag_error(m->diag, xml_at(caller->node.xml, "pp"),
                   "'%s' (priority %llu) may call only upwards, give '%s' a priority higher than "
                   "its %llu",
                   caller->pd, (ull)caller->process->priority, callee->pd,
                   (ull)callee->process->priority);
    }
}

void check_channels(struct model *m)
{
    const struct table *ends = model_table(m, KIND_END);
    for (struct end *end = table_first(ends); end != NULL; end = table_next(ends, end)) {
        end->process = check_process(m, &end->node, end->pd);
    }
    const struct table *t = model_table(m, KIND_CHANNEL);
    for (struct channel *c = table_first(t); c != NULL; c = table_next(t, c)) {
        if (c->end_count != 2) {
            continue;
        }
        if (c->end[0]->pp && c->end[1]->pp) {
            diag_error(m->diag, xml_at(c->end[1]->node.xml, "pp"),
                       "both ends may not call each other, remove one pp=\"true\"");
            continue;
        }
        check_call(m, c->end[0], c->end[1]);
        check_call(m, c->end[1], c->end[0]);
    }
}

// Interrupts.

static bool has_x86_attribute(const struct irq *irq)
{
    return xml_has(irq->node.xml, "pin") || xml_has(irq->node.xml, "pcidev");
}

static void check_device_irq(struct model *m, struct irq *irq)
{
    const struct xml *x = irq->node.xml;
    irq->region = check_region(m, &irq->node, "device", irq->device);
    if (irq->region != NULL && irq->region->device == NULL) {
        diag_error(m->diag, xml_at(x, "device"),
                   "memory region '%s' is no device, give it device=\"...\" or use irq here",
                   irq->region->name);
    }
    if (xml_has(x, "irq")) {
        diag_error(m->diag, xml_at(x, "irq"), "irq does not go with device, remove one of the two");
    }
    if (xml_has(x, "trigger")) {
        diag_error(m->diag, xml_at(x, "trigger"),
                   "the device tree says how a device's interrupt triggers, remove trigger");
    }
}

static void check_numbered_irq(struct model *m, const struct irq *irq)
{
    const struct xml *x = irq->node.xml;
    if (!xml_has(x, "irq") && !has_x86_attribute(irq)) {
        diag_error(m->diag, x->offset,
                   "<irq> names no interrupt, add irq=\"NUMBER\" or device=\"REGION\"");
    }
    if (xml_has(x, "index")) {
        diag_error(m->diag, xml_at(x, "index"), "index goes with device only, remove it");
    }
}

// What makes two <irq> the same interrupt; null if this one isn't known.
static const char *irq_identity(struct model *m, const struct irq *irq)
{
    if (irq->region != NULL) {
        return arena_format(m->arena, "interrupt %llu of device '%s'", (ull)irq->index,
                            irq->region->name);
    }
    return irq->number == 0 ? NULL : arena_format(m->arena, "interrupt %llu", (ull)irq->number);
}

void check_irqs(struct model *m)
{
    struct names taken;
    names_init(&taken, m->arena);
    const struct table *t = model_table(m, KIND_IRQ);
    for (struct irq *irq = table_first(t); irq != NULL; irq = table_next(t, irq)) {
        if (irq->device != NULL) {
            check_device_irq(m, irq);
        } else {
            check_numbered_irq(m, irq);
        }
        const char *identity = irq_identity(m, irq);
        const struct node *first =
            identity == NULL ? NULL : names_add(&taken, identity, &irq->node);
        if (first != NULL) {
            diag_error(m->diag, xml_at(irq->node.xml, irq->device == NULL ? "irq" : "device"),
                       "%s is taken in line %u, give it one owner", identity, check_line(m, first));
        }
    }
}

// Ids.

static void take(struct model *m, struct node **slot, struct node *node, const char *attribute,
                 const char *what, const char *whose)
{
    struct node *earlier = *slot;
    if (earlier == NULL) {
        *slot = node;
        return;
    }
    if (earlier->xml->offset > node->xml->offset) {
        *slot = node;
        node = earlier;
    }
    diag_error(m->diag, xml_at(node->xml, attribute),
               "%s is used already in '%s' (line %u), choose another", what, whose,
               check_line(m, *slot));
}

static void take_id(struct model *m, struct process *p, struct node *node, uint64_t id)
{
    if (p != NULL && id != ID_NONE) {
        take(m, &p->ids[id], node, "id", arena_format(m->arena, "id %llu", (ull)id), p->name);
    }
}

static void take_child_id(struct model *m, struct process *p, struct node *node, uint64_t id)
{
    if (p != NULL && id != ID_NONE) {
        take(m, &p->child_ids[id], node, "id", arena_format(m->arena, "child id %llu", (ull)id),
             p->name);
    }
}

static uint32_t share_kind(const char *element)
{
    return strcmp(element, "cap_tcb") == 0  ? SHARE_THREAD
           : strcmp(element, "cap_sc") == 0 ? SHARE_TIME
                                            : SHARE_SPACE;
}

static void take_slots(struct model *m)
{
    const struct table *t = model_table(m, KIND_SHARE);
    for (struct share *s = table_first(t); s != NULL; s = table_next(t, s)) {
        struct process *p = model_owner(&s->node);
        s->of = check_process(m, &s->node, s->pd);
        s->kind = share_kind(s->node.xml->name);
        if (s->slot != 0) {
            take(m, &p->slots[s->slot], &s->node, "slot",
                 arena_format(m->arena, "slot %llu", (ull)s->slot), p->name);
        }
    }
}

void check_ids(struct model *m)
{
    const struct table *t = model_table(m, KIND_IRQ);
    for (struct irq *irq = table_first(t); irq != NULL; irq = table_next(t, irq)) {
        take_id(m, model_owner(&irq->node), &irq->node, irq->id);
    }
    t = model_table(m, KIND_END);
    for (struct end *end = table_first(t); end != NULL; end = table_next(t, end)) {
        take_id(m, end->process, &end->node, end->id);
    }
    t = model_table(m, KIND_PROCESS);
    for (struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        take_child_id(m, p->parent, &p->node, p->id);
    }
    t = model_table(m, KIND_VCPU);
    for (struct vcpu *vcpu = table_first(t); vcpu != NULL; vcpu = table_next(t, vcpu)) {
        take_child_id(m, model_owner(&vcpu->node), &vcpu->node, vcpu->id);
    }
    take_slots(m);
}

// Symbols.

void check_symbols(struct model *m)
{
    struct names set;
    names_init(&set, m->arena);
    for (uint32_t i = 0; i < m->assignment_count; i++) {
        struct assignment *a = &m->assignments[i];
        const char *key = arena_format(m->arena, "%u %s", a->process->node.index, a->symbol);
        const struct assignment *first = names_add(&set, key, a);
        if (assign_is_reserved(a->symbol)) {
            diag_error(m->diag, a->offset,
                       "'%.64s' is set by the tool itself, choose another symbol", a->symbol);
        } else if (first != NULL) {
            diag_error(m->diag, a->offset,
                       "symbol '%.64s' of '%s' is set already in line %u, choose another",
                       a->symbol, a->process->name, source_line(m->diag->source, first->offset));
        }
    }
}

// See assign.h.
#include "assign.h"

#include <stdlib.h>
#include <string.h>

#include <base/bits.h>

// Counts when there is no room yet, so that one walk serves to count and to fill.
static void add(struct model *m, const struct node *node, const char *attribute, const char *symbol,
                struct assignment assignment)
{
    if (symbol == NULL || *symbol == '\0' || assignment.process == NULL) {
        return;
    }
    if (m->assignments != NULL) {
        assignment.symbol = symbol;
        assignment.xml = node->xml;
        assignment.offset = xml_at(node->xml, attribute);
        m->assignments[m->assignment_count] = assignment;
    }
    m->assignment_count++;
}

static void add_id(struct model *m, const struct node *node, const char *symbol,
                   struct process *process, uint64_t id)
{
    add(m, node, "setvar_id", symbol,
        (struct assignment){.process = process, .kind = ASSIGN_VALUE, .value = id});
}

static void walk_maps(struct model *m)
{
    const struct table *t = model_table(m, KIND_MAP);
    for (struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        struct process *p = model_owner(&map->node);
        add(m, &map->node, "setvar_vaddr", map->setvar_vaddr,
            (struct assignment){.process = p, .kind = ASSIGN_VALUE, .value = map->vaddr});
        if (map->region != NULL) {
            add(m, &map->node, "setvar_size", map->setvar_size,
                (struct assignment){
                    .process = p, .kind = ASSIGN_REGION_SIZE, .region = map->region});
            add(m, &map->node, "setvar_prefill_size", map->setvar_prefill_size,
                (struct assignment){
                    .process = p, .kind = ASSIGN_PREFILL_SIZE, .region = map->region});
        }
    }
}

static void walk_ids(struct model *m)
{
    const struct table *t = model_table(m, KIND_PROCESS);
    for (struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        add_id(m, &p->node, p->setvar_id, p->parent, p->id);
    }
    t = model_table(m, KIND_IRQ);
    for (struct irq *irq = table_first(t); irq != NULL; irq = table_next(t, irq)) {
        add_id(m, &irq->node, irq->setvar_id, model_owner(&irq->node), irq->id);
    }
    t = model_table(m, KIND_VCPU);
    for (struct vcpu *vcpu = table_first(t); vcpu != NULL; vcpu = table_next(t, vcpu)) {
        add_id(m, &vcpu->node, vcpu->setvar_id, model_owner(&vcpu->node), vcpu->id);
    }
    t = model_table(m, KIND_END);
    for (struct end *end = table_first(t); end != NULL; end = table_next(t, end)) {
        add_id(m, &end->node, end->setvar_id, end->process, end->id);
    }
}

static void walk_setvars(struct model *m)
{
    const struct table *t = model_table(m, KIND_SETVAR);
    for (struct setvar *s = table_first(t); s != NULL; s = table_next(t, s)) {
        add(m, &s->node, "symbol", s->symbol,
            (struct assignment){.process = model_owner(&s->node),
                                .kind = ASSIGN_REGION_PADDR,
                                .region = s->region});
    }
}

static void walk(struct model *m)
{
    m->assignment_count = 0;
    walk_maps(m);
    walk_ids(m);
    walk_setvars(m);
}

static int compare(const void *a, const void *b)
{
    const struct assignment *x = a;
    const struct assignment *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void assign_collect(struct model *m)
{
    m->assignments = NULL;
    walk(m);
    m->assignments = arena_alloc(m->arena, m->assignment_count * sizeof(m->assignments[0]));
    walk(m);
    qsort(m->assignments, m->assignment_count, sizeof(m->assignments[0]), compare);
}

bool assign_is_reserved(const char *symbol)
{
    static const char *const reserved[] = {
        "microkit_name",          "microkit_passive", "microkit_irqs",
        "microkit_notifications", "microkit_pps",
    };
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        if (strcmp(symbol, reserved[i]) == 0) {
            return true;
        }
    }
    return false;
}

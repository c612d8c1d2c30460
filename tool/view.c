// See view.h.
#include "view.h"

#include <string.h>

#include "memory.h"

const struct end *view_other_end(const struct end *end)
{
    const struct channel *c = (const struct channel *)end->node.parent;
    return c->end[0] == end ? c->end[1] : c->end[0];
}

const char *view_irq(struct arena *a, const struct irq *irq)
{
    if (irq->region != NULL) {
        return arena_format(a, "interrupt %llu of device '%s'", (unsigned long long)irq->index,
                            irq->region->name);
    }
    return arena_format(a, "interrupt %llu", (unsigned long long)irq->number);
}

const char *view_share(const struct share *s)
{
    static const char *const names[] = {"thread", "time", "address space"}; // bundle_share_kind
    return names[s->kind];
}

const struct irq *view_irq_of(const struct process *p, unsigned id)
{
    const struct node *user = p->ids[id];
    return user != NULL && strcmp(user->xml->name, "irq") == 0 ? (const struct irq *)user : NULL;
}

const struct end *view_end_of(const struct process *p, unsigned id)
{
    const struct node *user = p->ids[id];
    return user != NULL && strcmp(user->xml->name, "end") == 0 ? (const struct end *)user : NULL;
}

const char *view_policy(uint64_t policy)
{
    static const char *const names[] = {"restart", "stop", "shutdown"}; // enum vm_policy
    return names[policy];
}

const char *view_cores(struct arena *a, const struct model *m, const struct vm *vm)
{
    const char *list = "";
    const struct table *t = model_table(m, KIND_VCPU);
    for (const struct vcpu *v = table_first(t); v != NULL; v = table_next(t, v)) {
        if (v->node.parent == &vm->node) {
            list = arena_format(a, "%s%s%llu", list, *list == '\0' ? "" : " ",
                                (unsigned long long)v->cpu);
        }
    }
    return list;
}

const char *view_mapper(struct arena *a, const struct map *map)
{
    const struct process *p = model_owner(&map->node);
    if (!memory_is_of_vm(map)) {
        return p->name;
    }
    return arena_format(a, "%s's virtual machine %s", p->name,
                        ((const struct vm *)map->node.parent)->name);
}

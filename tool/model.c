// See model.h.
#include "model.h"

#include <string.h>

void *model_add(struct model *m, enum kind kind, size_t size, const struct xml *xml,
                struct node *parent)
{
    struct table *t = &m->tables[kind];
    if (t->count == t->capacity) {
        uint32_t capacity = t->capacity == 0 ? 16 : 2 * t->capacity;
        void **nodes = arena_alloc(m->arena, capacity * sizeof(nodes[0]));
        if (t->count > 0) {
            memcpy(nodes, t->nodes, t->count * sizeof(nodes[0]));
        }
        t->nodes = nodes;
        t->capacity = capacity;
    }
    struct node *node = arena_alloc(m->arena, size);
    node->xml = xml;
    node->parent = parent;
    node->index = t->count;
    t->nodes[t->count++] = node;
    return node;
}

void *model_child(const struct model *m, enum kind kind, const struct node *parent,
                  const char *name)
{
    const struct table *t = model_table(m, kind);
    for (struct node *node = table_first(t); node != NULL; node = table_next(t, node)) {
        if (node->parent == parent && strcmp(node->xml->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

bool model_is_prefilled(const struct region *r)
{
    return r->prefill_path != NULL || r->text != NULL;
}

struct process *model_owner(const struct node *node)
{
    for (node = node->parent; node != NULL; node = node->parent) {
        if (strcmp(node->xml->name, "protection_domain") == 0) {
            return (struct process *)(uintptr_t)node;
        }
    }
    return NULL;
}

void model_link(struct model *m)
{
    const struct table *t = model_table(m, KIND_PROCESS);
    for (struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        p->parent = model_owner(&p->node);
    }
    t = model_table(m, KIND_IMAGE);
    for (struct image *image = table_first(t); image != NULL; image = table_next(t, image)) {
        model_owner(&image->node)->image = image;
    }
    t = model_table(m, KIND_VM);
    for (struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        model_owner(&vm->node)->vm = vm;
    }
    t = model_table(m, KIND_PREFILL);
    for (struct text_element *e = table_first(t); e != NULL; e = table_next(t, e)) {
        ((struct region *)e->node.parent)->text = e;
    }
    t = model_table(m, KIND_END);
    for (struct end *end = table_first(t); end != NULL; end = table_next(t, end)) {
        struct channel *c = (struct channel *)end->node.parent;
        if (c->end_count < 2) {
            c->end[c->end_count] = end;
        }
        c->end_count++;
    }
}

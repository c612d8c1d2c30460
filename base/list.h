// Circular doubly linked list, intrusive. An empty head and an unlinked node point at themselves.
#pragma once

#include <stdbool.h>

struct list {
    struct list *next;
    struct list *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

// Puts `node` in front of `pos`; with `pos` the head, at the tail.
static inline void list_insert_before(struct list *pos, struct list *node)
{
    node->prev = pos->prev;
    node->next = pos;
    pos->prev->next = node;
    pos->prev = node;
}

static inline void list_insert_after(struct list *pos, struct list *node)
{
    list_insert_before(pos->next, node);
}

// Leaves `node` unlinked, so that removing it twice does no harm.
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

// See span.h.
#include "span.h"

#include <stdlib.h>
#include <string.h>

void spans_add(struct spans *s, struct span span)
{
    if (s->count == s->capacity) {
        s->capacity = s->capacity == 0 ? 32 : 2 * s->capacity;
        struct span *items = arena_alloc(s->arena, s->capacity * sizeof(items[0]));
        if (s->count > 0) {
            memcpy(items, s->items, s->count * sizeof(items[0]));
        }
        s->items = items;
    }
    s->items[s->count++] = span;
}

static int compare(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;
    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->range.base != y->range.base) {
        return x->range.base < y->range.base ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static uint64_t last_byte(const struct span *s)
{
    return s->range.base + (s->range.size - 1);
}

void spans_compare(struct spans *s, spans_refuse_fn *refuse, void *context)
{
    if (s->count == 0) {
        return;
    }
    qsort(s->items, s->count, sizeof(s->items[0]), compare);
    const struct span *furthest = &s->items[0];
    for (size_t i = 1; i < s->count; i++) {
        const struct span *span = &s->items[i];
        if (span->group != furthest->group) {
            furthest = span;
            continue;
        }
        if (range_overlaps(furthest->range, span->range)) {
            bool ordered = furthest->offset <= span->offset;
            refuse(context, ordered ? furthest : span, ordered ? span : furthest);
        }
        if (last_byte(span) > last_byte(furthest)) {
            furthest = span;
        }
    }
}

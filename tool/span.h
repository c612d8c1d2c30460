// Ranges of addresses that must not overlap: gathered, then compared in the order of their addresses.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <base/range.h>

#include "arena.h"

struct span {
    uint32_t group; // only spans of one group are compared
    struct range range;
    size_t offset;    // in the description, for the message
    const char *what; // it is, for the message
};

struct spans {
    struct arena *arena;
    struct span *items;
    size_t count;
    size_t capacity;
};

void spans_add(struct spans *s, struct span span);

// Calls `refuse` for every span that overlaps one of a lower address, with the one of them that ends last; `later`
// is the one that stands later in the description.
typedef void spans_refuse_fn(void *context, const struct span *earlier, const struct span *later);
void spans_compare(struct spans *s, spans_refuse_fn *refuse, void *context);

// A set of names and what each stands for: a hash table, so that absurdly long descriptions are checked quickly, too.
#pragma once

#include <stdint.h>

#include "arena.h"

struct names {
    struct arena *arena;
    struct names_entry **buckets;
    uint32_t bucket_count;
    uint32_t count;
};

void names_init(struct names *n, struct arena *a);

// What `name` stood for already, and stands for still; null if it was new and now stands for `what`.
void *names_add(struct names *n, const char *name, void *what);

// What `name` stands for, or null.
void *names_find(const struct names *n, const char *name);

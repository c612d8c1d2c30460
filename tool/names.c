// See names.h.
#include "names.h"

#include <string.h>

#define FIRST_BUCKETS 64u

struct names_entry {
    struct names_entry *next;
    const char *name;
    void *what;
};

// FNV-1a.
static uint32_t hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name != '\0'; name++) {
        h = (h ^ (unsigned char)*name) * 16777619u;
    }
    return h;
}

static struct names_entry **bucket(const struct names *n, const char *name)
{
    return &n->buckets[hash(name) % n->bucket_count];
}

void names_init(struct names *n, struct arena *a)
{
    *n = (struct names){.arena = a, .bucket_count = FIRST_BUCKETS};
    n->buckets = arena_alloc(a, FIRST_BUCKETS * sizeof(n->buckets[0]));
}

static void grow(struct names *n)
{
    struct names old = *n;
    n->bucket_count *= 4;
    n->buckets = arena_alloc(n->arena, n->bucket_count * sizeof(n->buckets[0]));
    for (uint32_t i = 0; i < old.bucket_count; i++) {
        struct names_entry *next;
        for (struct names_entry *e = old.buckets[i]; e != NULL; e = next) {
            next = e->next;
            struct names_entry **to = bucket(n, e->name);
            e->next = *to;
            *to = e;
        }
    }
}

void *names_add(struct names *n, const char *name, void *what)
{
    void *before = names_find(n, name);
    if (before != NULL) {
        return before;
    }
    if (n->count++ > n->bucket_count) {
        grow(n);
    }
    struct names_entry *e = arena_alloc(n->arena, sizeof(*e));
    struct names_entry **at = bucket(n, name);
    *e = (struct names_entry){*at, name, what};
    *at = e;
    return NULL;
}

void *names_find(const struct names *n, const char *name)
{
    for (struct names_entry *e = *bucket(n, name); e != NULL; e = e->next) {
        if (strcmp(e->name, name) == 0) {
            return e->what;
        }
    }
    return NULL;
}

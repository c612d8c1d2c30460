// Sets of addresses as sorted lists of ranges, for sorting out memory at boot. No hardware: tested on the development
// machine.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/range.h>

#define MEMMAP_MAX 64u

struct memmap {
    struct range r[MEMMAP_MAX]; // ascending, disjoint, not touching, none empty
    uint32_t count;
};

// Both return false when the list would get too long; then nothing has changed.
bool memmap_add(struct memmap *m, struct range r);
bool memmap_remove(struct memmap *m, struct range r);

bool memmap_contains(const struct memmap *m, struct range r); // all of it
bool memmap_overlaps(const struct memmap *m, struct range r); // any of it
uint64_t memmap_size(const struct memmap *m);

// Shrinks every range to whole pages; what is less than one goes.
void memmap_trim_to_pages(struct memmap *m);

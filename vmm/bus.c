// See bus.h.
#include "bus.h"

#include <stddef.h>

err_t bus_add(struct bus *b, struct bus_range range)
{
    if (range.where.size == 0 || !range_valid(range.where)) {
        return ERR_INVALID;
    }
    if (b->count == BUS_RANGES_MAX) {
        return ERR_NO_MEMORY;
    }
    uint32_t at = 0; // behind those below it
    for (uint32_t i = 0; i < b->count; i++) {
        if (range_overlaps(b->ranges[i].where, range.where)) {
            return ERR_OCCUPIED;
        }
        if (b->ranges[i].where.base < range.where.base) {
            at = i + 1;
        }
    }
    for (uint32_t i = b->count; i > at; i--) {
        b->ranges[i] = b->ranges[i - 1];
    }
    b->ranges[at] = range;
    b->count++;
    return OK;
}

const struct bus_range *bus_find(const struct bus *b, uint64_t ipa)
{
    uint32_t low = 0; // ranges below it start at or before ipa, those from `high` on behind it
    uint32_t high = b->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (b->ranges[middle].where.base <= ipa) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || !range_contains(b->ranges[low - 1].where, ipa, 1)) {
        return NULL;
    }
    return &b->ranges[low - 1];
}

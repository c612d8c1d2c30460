// Half-open ranges of addresses, compared without overflow.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint64_t base;
    uint64_t size; // bytes; 0 is the empty range
};

// Is [addr, addr + len) inside r? False if it would wrap.
static inline bool range_contains(struct range r, uint64_t addr, uint64_t len)
{
    return addr >= r.base && len <= r.size && addr - r.base <= r.size - len;
}

static inline bool range_overlaps(struct range a, struct range b)
{
    if (a.size == 0 || b.size == 0) {
        return false;
    }
    return a.base < b.base ? b.base - a.base < a.size : a.base - b.base < b.size;
}

// Does base + size stay within 64 bits?
static inline bool range_valid(struct range r)
{
    return r.size <= UINT64_MAX - r.base;
}

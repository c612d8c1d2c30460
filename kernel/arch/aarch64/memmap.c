// See memmap.h.
#include "memmap.h"

#include <abi/syscall.h>
#include <base/bits.h>

static uint64_t end_of(struct range r)
{
    return r.base + r.size;
}

static void cut_out(struct memmap *m, uint32_t i)
{
    m->count--;
    for (; i < m->count; i++) {
        m->r[i] = m->r[i + 1];
    }
}

static bool put_in(struct memmap *m, uint32_t i, struct range r)
{
    if (m->count == MEMMAP_MAX) {
        return false;
    }
    for (uint32_t j = m->count; j > i; j--) {
        m->r[j] = m->r[j - 1];
    }
    m->r[i] = r;
    m->count++;
    return true;
}

bool memmap_add(struct memmap *m, struct range r)
{
    if (r.size == 0 || !range_valid(r)) {
        return r.size == 0;
    }
    uint32_t i = 0;
    while (i < m->count && end_of(m->r[i]) < r.base) {
        i++;
    }
    if (i == m->count || end_of(r) < m->r[i].base) {
        return put_in(m, i, r);
    }
    // It touches range i and perhaps some that follow: they become one.
    uint64_t base = r.base < m->r[i].base ? r.base : m->r[i].base;
    uint64_t end = end_of(r);
    while (i < m->count && m->r[i].base <= end) {
        end = end_of(m->r[i]) > end ? end_of(m->r[i]) : end;
        cut_out(m, i);
    }
    return put_in(m, i, (struct range){base, end - base});
}

bool memmap_remove(struct memmap *m, struct range r)
{
    if (!range_valid(r)) {
        return false;
    }
    for (uint32_t i = 0; i < m->count;) {
        struct range old = m->r[i];
        if (!range_overlaps(old, r)) {
            i++;
            continue;
        }
        struct range low = {old.base, r.base > old.base ? r.base - old.base : 0};
        struct range high = {end_of(r), end_of(old) > end_of(r) ? end_of(old) - end_of(r) : 0};
        if (low.size != 0 && high.size != 0) {
            if (!put_in(m, i + 1, high)) {
                return false;
            }
            m->r[i] = low;
            return true;
        }
        if (low.size == 0 && high.size == 0) {
            cut_out(m, i);
        } else {
            m->r[i] = low.size != 0 ? low : high;
            i++;
        }
    }
    return true;
}

bool memmap_contains(const struct memmap *m, struct range r)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (range_contains(m->r[i], r.base, r.size)) {
            return true;
        }
    }
    return false;
}

bool memmap_overlaps(const struct memmap *m, struct range r)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (range_overlaps(m->r[i], r)) {
            return true;
        }
    }
    return false;
}

uint64_t memmap_size(const struct memmap *m)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        size += m->r[i].size;
    }
    return size;
}

void memmap_trim_to_pages(struct memmap *m)
{
    for (uint32_t i = 0; i < m->count;) {
        uint64_t lost = -m->r[i].base & (PAGE_SIZE - 1);
        uint64_t size = lost < m->r[i].size ? align_down(m->r[i].size - lost, PAGE_SIZE) : 0;
        m->r[i] = (struct range){m->r[i].base + lost, size};
        if (size == 0) {
            cut_out(m, i);
        } else {
            i++;
        }
    }
}

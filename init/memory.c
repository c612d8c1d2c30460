// The model of free RAM: see memory.h.
#include "memory.h"

#include <base/bits.h>

#define HEADER_BYTES 256u // of the object that stands for frames or untyped memory, at most

void memory_init(struct memory *m, const struct boot_info *boot)
{
    m->count = 0;
    for (unsigned i = 0; i < boot->untyped_count; i++) {
        struct range r = {boot->untyped[i].base, boot->untyped[i].size};
        (void)memory_add(m, r, BOOT_UNTYPED + i); // there is room: BOOT_UNTYPED_MAX is less
    }
}

bool memory_add(struct memory *m, struct range r, handle_t untyped)
{
    if (m->count == EXTENTS_MAX) {
        return false;
    }
    m->extent[m->count++] = (struct extent){r.base, r.base, r.base + r.size, untyped};
    return true;
}

bool memory_take_object(struct memory *m, uint64_t bytes)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct extent *e = &m->extent[i];
        if (e->high - e->low >= bytes) {
            e->low += bytes;
            return true;
        }
    }
    return false;
}

// Where `bytes` would lie, if there is room for them and their header.
static bool place_pages(const struct extent *e, uint64_t bytes, uint64_t *at)
{
    if (bytes > e->high - e->low) {
        return false;
    }
    *at = align_down(e->high - bytes, bytes >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE);
    return *at >= e->low && *at - e->low >= HEADER_BYTES;
}

bool memory_take_pages(struct memory *m, uint64_t bytes)
{
    for (unsigned i = 0; i < m->count; i++) {
        uint64_t at;
        if (place_pages(&m->extent[i], bytes, &at)) {
            m->extent[i].low += HEADER_BYTES;
            m->extent[i].high = at;
            return true;
        }
    }
    return false;
}

uint64_t memory_left(const struct memory *m)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < m->count; i++) {
        sum += m->extent[i].high - m->extent[i].low;
    }
    return sum;
}

uint64_t memory_largest(const struct memory *m)
{
    uint64_t largest = 0;
    for (unsigned i = 0; i < m->count; i++) {
        uint64_t left = m->extent[i].high - m->extent[i].low;
        largest = left > largest ? left : largest;
    }
    return largest;
}

// r and up to two pieces each of it and of what is above it get a header at the low end, which must stay below r.
#define CUT_BYTES (2 * PIECES_MAX * HEADER_BYTES)

struct extent *memory_find(struct memory *m, struct range r)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct extent *e = &m->extent[i];
        struct range room = {e->low, e->high - e->low};
        if (range_contains(room, r.base, r.size) && r.base - e->low >= CUT_BYTES) {
            return e;
        }
    }
    return NULL;
}

void memory_cut(struct extent *e, struct range r)
{
    e->high = r.base;
    e->low += CUT_BYTES;
}

bool memory_take_range(struct memory *m, struct range r)
{
    struct extent *e = memory_find(m, r);
    if (e == NULL) {
        return false;
    }
    struct range above = {r.base + r.size, e->high - r.base - r.size};
    memory_cut(e, r);
    return above.size == 0 || memory_add(m, above, e->untyped);
}

unsigned memory_pieces(struct range r, struct piece pieces[PIECES_MAX])
{
    uint64_t head = align_up(r.base, LARGE_PAGE_SIZE) - r.base; // up to the first 2 MiB boundary
    if (r.size < LARGE_PAGE_SIZE || head == 0) {
        pieces[0] = (struct piece){0, r.size};
        return r.size > 0;
    }
    pieces[0] = (struct piece){head, r.size - head};
    pieces[1] = (struct piece){0, head};
    return 2;
}

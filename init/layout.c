// Layout of an address space: see layout.h.
#include "layout.h"

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>

enum layout_answer layout_add(struct layout *l, struct range at, uint64_t physical)
{
    if (!range_contains((struct range){0, PROCESS_TOP}, at.base, at.size)) {
        return LAYOUT_OUTSIDE;
    }
    unsigned i = l->count;
    if (i == SPANS_MAX) {
        return LAYOUT_FULL;
    }
    while (i > 0 && l->spans[i - 1].at.base > at.base) {
        i--;
    }
    if ((i > 0 && range_overlaps(l->spans[i - 1].at, at)) ||
        (i < l->count && range_overlaps(l->spans[i].at, at))) {
        return LAYOUT_OVERLAPS;
    }
    for (unsigned j = l->count++; j > i; j--) {
        l->spans[j] = l->spans[j - 1];
    }
    l->spans[i] = (struct span){at, physical};
    return LAYOUT_OK;
}

const char *layout_text(enum layout_answer answer)
{
    switch (answer) {
    case LAYOUT_OVERLAPS:
        return "overlaps something else";
    case LAYOUT_OUTSIDE:
        return "leaves the address space";
    default:
        return "is one mapping too many";
    }
}

#define HUGE_SHIFT  30 // what a table of the last but one level maps
#define LARGE_SHIFT 21 // what a table of the last level maps

// Tables are counted once, though several spans share one: spans come by address.
struct count {
    uint64_t next; // first table not yet counted
    unsigned tables;
};

static void count_table(struct count *c, uint64_t index)
{
    if (index >= c->next) {
        c->tables++;
        c->next = index + 1;
    }
}

static bool blocks_fit(const struct span *s)
{
    return s->physical != PHYSICAL_UNKNOWN && is_aligned(s->physical - s->at.base, LARGE_PAGE_SIZE);
}

static void count_last_level(struct count *c, const struct span *s)
{
    uint64_t end = s->at.base + s->at.size;
    for (uint64_t i = s->at.base >> LARGE_SHIFT; i << LARGE_SHIFT < end; i++) {
        if (!blocks_fit(s) || !range_contains(s->at, i << LARGE_SHIFT, LARGE_PAGE_SIZE)) {
            count_table(c, i);
        }
    }
}

unsigned layout_tables(const struct layout *l)
{
    struct count middle = {0};
    struct count last = {0};
    for (unsigned i = 0; i < l->count; i++) {
        const struct span *s = &l->spans[i];
        if (s->at.size == 0) {
            continue;
        }
        for (uint64_t t = s->at.base >> HUGE_SHIFT;
             t <= (s->at.base + s->at.size - 1) >> HUGE_SHIFT; t++) {
            count_table(&middle, t);
        }
        count_last_level(&last, s);
    }
    const unsigned top = 1; // where the root is one level further up
    return top + middle.tables + last.tables;
}

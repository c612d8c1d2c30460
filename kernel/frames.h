// Frames: a run of physical pages that can be mapped. A capability covers a part of the run (its badge); mapping
// belongs to the capability it was made with, so that taking the capability away takes the mapping away.
// Everything that needs a page's address asks frames_page: only that function knows that runs are contiguous.
#pragma once

#include <base/addr.h>

#include "object.h"

struct frames {
    struct obj obj;
    uint64_t base;  // physical
    uint32_t count; // pages
    bool device;    // not RAM: mapped Device-nGnRE, never executable
    bool fresh;     // zero in memory itself, and nobody could write it since: see frames_use
};

// Whoever maps frames or keeps a page of them for the kernel to write uses them: only the first finds them fresh, and
// may leave out publishing what it maps. Under the build lock.
static inline bool frames_use(struct frames *f)
{
    bool fresh = f->fresh;
    f->fresh = false;
    return fresh;
}

static inline uint32_t frames_first(uint64_t badge)
{
    return (uint32_t)(badge >> 32);
}

static inline uint32_t frames_count(uint64_t badge)
{
    return (uint32_t)badge;
}

static inline paddr_t frames_page(const struct frames *f, uint64_t page)
{
    return paddr(f->base + page * PAGE_SIZE);
}

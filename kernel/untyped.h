// Untyped memory: a physical range that objects are carved out of. Small objects (what the kernel reads) come from
// the low end, frames, page tables and smaller untypeds from the high end, so that neither wastes the other's
// alignment. When every object carved from it is gone, the next retype starts it afresh.
//
// Everything handed out is zero. Zeroing is done ahead of carving, in steps, and what is already clean is
// remembered: an interrupted retype continues where it stopped. What comes from the high end is zero in memory itself,
// past the caches: guests and devices begin with that, and going over it once is cheaper than twice.
#pragma once

#include <base/addr.h>

#include "object.h"
#include "work.h"

struct untyped {
    struct obj obj;
    uint64_t base; // physical, page multiple
    uint64_t end;
    uint64_t low; // [base, low) and [high, end) are carved
    uint64_t high;
    uint64_t dirty_low; // of [low, high) only [dirty_low, dirty_high) may be other than zero
    uint64_t dirty_high;
    uint64_t cached; // zeroes below may be in a cache only: that end was for the kernel
    uint32_t live;   // objects carved and not yet gone
};

// What an object needs of an untyped.
struct carve {
    uint64_t low;   // bytes from the low end
    uint64_t high;  // bytes from the high end, a page multiple
    uint64_t align; // of those
    bool keep;      // the high bytes need not be zero
};

// Where it was put.
struct carved {
    void *object;
    paddr_t high;
    bool published; // the high bytes are zero in memory itself
};

void untyped_init(struct untyped *ut, uint64_t base, uint64_t size, struct untyped *from);

// Is there room, once the untyped is started afresh if it can be? Changes nothing but a free untyped's watermarks.
err_t untyped_check(struct untyped *ut, const struct carve *c) WARN_UNUSED;

// Zeroes what the carving will hand out. False: the work is up, call again.
bool untyped_clean(struct untyped *ut, const struct carve *c, struct work *work);

// After check and clean: cannot fail.
struct carved untyped_carve(struct untyped *ut, const struct carve *c);

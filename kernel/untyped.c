// Untyped memory: see untyped.h.
#include "untyped.h"

#include <base/bits.h>

#include "xcall.h"

#define OBJECT_ALIGN 64u
#define CLEAN_STEP   0x4000u // bytes zeroed between two looks at the clock

static void start_afresh(struct untyped *ut)
{
    ut->low = ut->base;
    ut->high = ut->end;
    ut->dirty_low = ut->base;
    ut->dirty_high = ut->end;
    ut->cached = ut->base;
}

void untyped_init(struct untyped *ut, uint64_t base, uint64_t size, struct untyped *from)
{
    *ut = (struct untyped){
        .obj = {.type = OBJ_UNTYPED, .from = from},
        .base = base,
        .end = base + size,
    };
    start_afresh(ut);
}

// Where the parts of c would lie. False: there is no room.
static bool place(const struct untyped *ut, const struct carve *c, uint64_t *low, uint64_t *high)
{
    uint64_t room = ut->high - ut->low;
    if (c->low > room || c->high > room) {
        return false;
    }
    *low = align_up(ut->low + c->low, OBJECT_ALIGN);
    *high = c->high == 0 ? ut->high : align_down(ut->high - c->high, c->align);
    return *low <= *high && *high >= ut->low;
}

err_t untyped_check(struct untyped *ut, const struct carve *c)
{
    uint64_t low;
    uint64_t high;
    if (ut->live == 0 && (ut->low != ut->base || ut->high != ut->end)) {
        xcall_quiesce(); // the last readers of what was carved here have left
        start_afresh(ut);
    }
    return place(ut, c, &low, &high) ? OK : ERR_NO_MEMORY;
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool untyped_clean(struct untyped *ut, const struct carve *c, struct work *work)
{
    uint64_t low;
    uint64_t high;
    if (!place(ut, c, &low, &high)) {
        return true;
    }
    while (ut->dirty_low < min(low, ut->dirty_high)) {
        uint64_t bytes = min(min(low, ut->dirty_high) - ut->dirty_low, CLEAN_STEP);
        arch_zero(phys_to_virt(paddr(ut->dirty_low)), bytes);
        ut->dirty_low += bytes;
        ut->cached = ut->dirty_low;
        if (!work_step(work)) {
            return false;
        }
    }
    while (!c->keep && c->high != 0 && ut->dirty_high > ut->dirty_low && ut->dirty_high > high) {
        uint64_t bytes = min(ut->dirty_high - ut->dirty_low, CLEAN_STEP);
        arch_zero_published(phys_to_virt(paddr(ut->dirty_high - bytes)), bytes);
        ut->dirty_high -= bytes;
        if (!work_step(work)) {
            return false;
        }
    }
    return true;
}

struct carved untyped_carve(struct untyped *ut, const struct carve *c)
{
    uint64_t low = 0;
    uint64_t high = 0;
    (void)place(ut, c, &low, &high);
    struct carved out = {.object = phys_to_virt(paddr(ut->low)),
                         .high = paddr(high),
                         .published = !c->keep && high >= ut->cached};
    ut->low = low;
    ut->high = high;
    if (ut->dirty_high > high) {
        ut->dirty_high = high;
    }
    if (ut->dirty_low < low) {
        ut->dirty_low = low;
    }
    if (ut->dirty_low > ut->dirty_high) { // all that is left is clean
        ut->dirty_low = low;
        ut->dirty_high = low;
    }
    ut->live++;
    return out;
}

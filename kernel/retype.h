// Making objects: retype, device frames, irq objects. The calls that carve memory share one shape: check everything,
// clean the memory (in steps), then carve and fill the slot, which cannot fail. Build lock held.
#pragma once

#include <base/addr.h>

#include "cspace.h"

struct retype {
    struct untyped *untyped;
    struct slot *parent; // slot of the capability that the new one derives from
    struct slot *to;     // empty
    enum obj_type type;
    uint64_t size; // as abi/syscall.h says for the type
};

// WORK_UP: restart the call.
err_t retype_object(const struct retype *r, struct work *work) WARN_UNUSED;
err_t retype_device_frames(const struct retype *r, paddr_t at, struct work *work) WARN_UNUSED;
err_t retype_irq(const struct retype *r, uint32_t intid, enum irq_trigger trigger,
                 struct work *work) WARN_UNUSED;

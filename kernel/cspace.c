// Capability spaces: see cspace.h.
#include "cspace.h"

void cspace_init(struct cspace *cs, uint32_t count, struct untyped *from)
{
    cs->obj = (struct obj){.type = OBJ_CSPACE, .from = from};
    cs->count = count;
    cs->dismantled = 0;
}

bool cspace_dismantle_step(struct cspace *cs)
{
    if (cs->dismantled == cs->count) {
        return true;
    }
    if (slot_delete_step(&cs->slots[cs->dismantled])) {
        cs->dismantled++;
    }
    return false;
}

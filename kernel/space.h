// Address spaces: stage-2 translation tables of a process or of a guest.
//
// Tables come out of a pool that was carved together with the space; the pool's pages are always zero, since a
// table goes back only when its last entry is gone. A mapping is recorded in the frames capability it was made
// with: which space, where, and how many pages of it stand in the tables. Mapping fills them from the first page
// up, unmapping empties them from the last page down, both in bounded steps.
//
// An entry is only ever written from invalid to valid or back, never from one valid value to another, so the
// break-before-make rule is kept by construction: map refuses what is taken.
#pragma once

#include <base/list.h>

#include "arch.h"
#include "object.h"
#include "work.h"

#define SPACE_LEVEL_LAST 3

struct space {
    struct obj obj;
    struct arch_space arch;
    uint64_t *tables; // 512 words each: first the root's, then the pool's
    uint64_t size;    // addresses below are its own
    uint16_t vmid;
    uint8_t root_level;   // 0 or 1
    uint8_t root_shift;   // lowest address bit that the root indexes
    bool guest;           // else a process's: fixed at creation
    uint32_t table_count; // the root's included
    uint32_t free;        // first free table, or table_count
    uint32_t free_count;
    struct list maps; // slots mapped here, by slot.maps
    uint16_t used[];  // a table in use: its valid entries; a free one: the next free
};

static inline size_t space_bytes(uint64_t tables)
{
    return sizeof(struct space) + tables * sizeof(uint16_t);
}

// `tables` is zeroed memory: table_count pages, the root's first. ERR_NO_MEMORY: no VMID is left.
err_t space_reserve_vmid(uint16_t *vmid) WARN_UNUSED;
void space_init(struct space *sp, paddr_t tables, uint32_t table_count, bool guest, uint16_t vmid,
                struct untyped *from);

// Maps the frames whose capability is in slot s, in steps: OK when all is mapped. WORK_UP: call again. Anything else:
// nothing of it is mapped. That it is taken or that tables are used up (ERR_OCCUPIED, ERR_NO_MEMORY) may show on the
// way: taking back takes steps, too, and the slot remembers the error while they last.
err_t space_map(struct space *sp, struct slot *s, ipa_t at, uint64_t flags,
                struct work *work) WARN_UNUSED;

// Undoes a slot's mapping, if it has one. WORK_UP: call again.
err_t space_unmap(struct slot *s, struct work *work) WARN_UNUSED;

// One bounded step of undoing a slot's mapping; s->space is NULL after the last.
void space_unmap_step(struct slot *s);

// The mapping of `from` (if any) belongs to `to` from now on.
void space_move_mapping(struct slot *to, struct slot *from);

bool space_dismantle_step(struct space *sp);

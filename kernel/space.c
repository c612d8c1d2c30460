// Address spaces: see space.h. Build lock held throughout.
#include "space.h"

#include <base/bits.h>

#include "cap.h"
#include "frames.h"

#define TABLE_ENTRIES 512u
#define UNMAP_BATCH   32u // entries cleared before one invalidation

static uint64_t vmids[65536 / 64]; // taken; guarded by the build lock; 0 stands for "no space"

err_t space_reserve_vmid(uint16_t *vmid)
{
    for (uint32_t i = 0; i < arch_vmid_count() / 64; i++) {
        uint64_t free = ~vmids[i] & (i == 0 ? ~BIT(0) : ~0ull);
        if (free != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(free);
            vmids[i] |= BIT(bit);
            *vmid = (uint16_t)(i * 64 + bit);
            return OK;
        }
    }
    return ERR_NO_MEMORY;
}

static void release_vmid(uint16_t vmid)
{
    vmids[vmid / 64] &= ~BIT(vmid % 64);
}

void space_init(struct space *sp, paddr_t tables, uint32_t table_count, bool guest, uint16_t vmid,
                struct untyped *from)
{
    unsigned root_pages = arch_stage2_root_pages();
    sp->obj = (struct obj){.type = OBJ_SPACE, .from = from};
    sp->root = phys_to_virt(tables);
    sp->pool = phys_to_virt(paddr_add(tables, (uint64_t)root_pages * PAGE_SIZE));
    sp->vmid = vmid;
    sp->guest = guest;
    sp->table_count = table_count;
    sp->free = 0;
    for (uint32_t i = 0; i < table_count; i++) {
        sp->used[i] = (uint16_t)(i + 1);
    }
    list_init(&sp->maps);
    arch_space_init(&sp->arch, tables, vmid);
    arch_pte_sync(); // walks find an empty root, although nothing is ever mapped
}

// ---- Tables -------------------------------------------------------------------------------------------------

static unsigned level_shift(unsigned level)
{
    return PAGE_BITS + 9 * (SPACE_LEVEL_LAST - level);
}

// Pages that one entry of this level covers.
static uint64_t level_pages(unsigned level)
{
    return BIT(level_shift(level) - PAGE_BITS);
}

static unsigned level_index(unsigned level, ipa_t at)
{
    return (unsigned)(at.a >> level_shift(level)) & (TABLE_ENTRIES - 1);
}

static uint32_t table_number(const struct space *sp, const uint64_t *table)
{
    return (uint32_t)((size_t)(table - sp->pool) / TABLE_ENTRIES);
}

static uint64_t *table_take(struct space *sp)
{
    if (sp->free == sp->table_count) {
        return NULL;
    }
    uint32_t n = sp->free;
    sp->free = sp->used[n];
    sp->used[n] = 0;
    return sp->pool + (size_t)n * TABLE_ENTRIES;
}

static void table_give_back(struct space *sp, uint64_t *table)
{
    uint32_t n = table_number(sp, table);
    sp->used[n] = (uint16_t)sp->free;
    sp->free = n;
}

// The way from the root to an entry.
struct walk {
    uint64_t *entry[SPACE_LEVEL_LAST + 1]; // by level
    uint64_t *table[SPACE_LEVEL_LAST + 1]; // the table that each entry is in
    unsigned level;                        // of the last entry reached
};

// Follows tables down to `level`, or to the first entry that is no table. The root may be several tables side by side:
// its index is all that is left of the address.
static ALWAYS_INLINE void walk_to(const struct space *sp, ipa_t at, unsigned level, struct walk *w)
{
    unsigned l = arch_stage2_start_level();
    uint64_t *table = sp->root;
    uint64_t *entry = &table[at.a >> level_shift(l)];
    for (;;) {
        w->table[l] = table;
        w->entry[l] = entry;
        if (l == level || !arch_pte_is_table(*entry, l)) {
            break;
        }
        table = phys_to_virt(arch_pte_address(*entry));
        l++;
        entry = &table[level_index(l, at)];
    }
    w->level = l;
}

static void entry_set(struct space *sp, const struct walk *w, unsigned level, uint64_t value)
{
    arch_pte_write(w->entry[level], value);
    if (level != arch_stage2_start_level()) {
        sp->used[table_number(sp, w->table[level])]++;
    }
}

// Clears the entry and every table that it leaves empty, from the bottom up. The tables are not free yet: they go
// on the list `emptied`, until no TLB or walk can use them.
static unsigned entry_clear(struct space *sp, const struct walk *w, uint64_t *emptied[])
{
    unsigned count = 0;
    for (unsigned level = w->level;; level--) {
        arch_pte_write(w->entry[level], 0);
        if (level == arch_stage2_start_level() ||
            --sp->used[table_number(sp, w->table[level])] != 0) {
            return count;
        }
        emptied[count++] = w->table[level];
    }
}

// ---- Map ----------------------------------------------------------------------------------------------------

// A guest begins with its caches off: what it may execute, which is all its RAM, goes to memory itself.
static bool is_published(const struct space *sp, const struct slot *s, const struct frames *f)
{
    unsigned flags = sp->guest ? MAP_UNCACHED | MAP_EXECUTE : MAP_UNCACHED;
    return !f->device && !s->fresh && (s->map_flags & flags) != 0;
}

static bool is_new_text(const struct space *sp, const struct slot *s, const struct frames *f)
{
    return !f->device && !sp->guest && (s->map_flags & MAP_EXECUTE) != 0;
}

// The largest block that fits at page `page` of the frames. Cache maintenance takes its time: no more than 2 MiB of it
// in one step.
static unsigned block_level(const struct space *sp, const struct slot *s, const struct frames *f,
                            uint64_t page, ipa_t at, uint64_t left)
{
    bool maintained = is_published(sp, s, f) || is_new_text(sp, s, f);
    for (unsigned level = maintained ? 2 : 1; level < SPACE_LEVEL_LAST; level++) {
        uint64_t pages = level_pages(level);
        if (left >= pages && is_aligned(at.a | frames_page(f, page).a, pages * PAGE_SIZE)) {
            return level;
        }
    }
    return SPACE_LEVEL_LAST;
}

// Writes one leaf of `level`, adding the tables on the way.
static err_t map_leaf(struct space *sp, ipa_t at, unsigned level, uint64_t leaf)
{
    struct walk w;
    walk_to(sp, at, level, &w);
    if (*w.entry[w.level] != 0) {
        return ERR_OCCUPIED;
    }

    uint64_t *tables[SPACE_LEVEL_LAST];
    unsigned missing = level - w.level;
    for (unsigned i = 0; i < missing; i++) {
        tables[i] = table_take(sp);
        if (tables[i] == NULL) {
            while (i-- > 0) {
                table_give_back(sp, tables[i]);
            }
            return ERR_NO_MEMORY;
        }
    }

    // A new table is complete before the entry that leads to it: walks by other cores see all or nothing.
    unsigned top = w.level;
    for (unsigned i = 0; i < missing; i++) {
        w.level++;
        w.table[w.level] = tables[i];
        w.entry[w.level] = &tables[i][level_index(w.level, at)];
    }
    entry_set(sp, &w, level, leaf);
    for (unsigned l = level; l-- > top;) {
        arch_pte_sync();
        entry_set(sp, &w, l, arch_pte_table(virt_to_phys(w.table[l + 1])));
    }
    return OK;
}

static unsigned needed_rights(unsigned flags)
{
    return ((flags & MAP_READ) != 0 ? RIGHT_READ : 0) |
           ((flags & MAP_WRITE) != 0 ? RIGHT_WRITE : 0) |
           ((flags & MAP_EXECUTE) != 0 ? RIGHT_EXECUTE : 0);
}

err_t space_check_map(const struct space *sp, const struct slot *s, const struct cap *cap, ipa_t at,
                      unsigned flags)
{
    const struct frames *f = CONTAINER_OF(cap->obj, struct frames, obj);
    uint64_t size = (uint64_t)frames_count(cap->badge) * PAGE_SIZE;
    uint64_t limit = BIT(arch_stage2_bits());
    const unsigned known = MAP_READ | MAP_WRITE | MAP_EXECUTE | MAP_UNCACHED;
    if ((flags & ~known) != 0 || (flags & MAP_READ) == 0) {
        return ERR_INVALID;
    }
    bool writable = (flags & MAP_WRITE) != 0 && !sp->guest;
    if ((flags & MAP_EXECUTE) != 0 && (writable || f->device)) {
        return ERR_INVALID;
    }
    unsigned rights = needed_rights(flags);
    if ((cap->rights & rights) != rights) {
        return ERR_RIGHTS;
    }
    if (!is_aligned(at.a, PAGE_SIZE)) {
        return ERR_ALIGN;
    }
    if (at.a >= limit || size > limit - at.a) {
        return ERR_RANGE;
    }
    if (s->space == NULL) {
        return OK;
    }
    // A restart of this very call may find it half done.
    bool same = s->space == &sp->obj && s->address == at.a && s->map_flags == flags;
    return same && s->mapped < frames_count(cap->badge) ? OK : ERR_BUSY;
}

static void publish(const struct space *sp, const struct slot *s, const struct frames *f,
                    paddr_t pa, uint64_t bytes)
{
    if (is_published(sp, s, f)) {
        arch_cache_publish(pa, bytes);
    }
    if (is_new_text(sp, s, f)) {
        arch_icache_publish(pa, bytes);
    }
}

static err_t map_step(struct space *sp, struct slot *s, const struct cap *cap)
{
    const struct frames *f = CONTAINER_OF(cap->obj, struct frames, obj);
    uint64_t page = frames_first(cap->badge) + (uint64_t)s->mapped;
    ipa_t at = ipa(s->address + (uint64_t)s->mapped * PAGE_SIZE);
    unsigned level = block_level(sp, s, f, page, at, frames_count(cap->badge) - s->mapped);
    paddr_t pa = frames_page(f, page);

    publish(sp, s, f, pa, level_pages(level) * PAGE_SIZE);
    err_t err = map_leaf(sp, at, level, arch_pte_leaf(pa, s->map_flags, level, f->device));
    if (err == OK) {
        s->mapped += (uint32_t)level_pages(level);
    }
    return err;
}

err_t space_map(struct space *sp, struct slot *s, const struct cap *cap, ipa_t at, unsigned flags,
                struct work *work)
{
    if (s->space == NULL) {
        s->space = &sp->obj;
        s->address = at.a;
        s->map_flags = (uint8_t)flags;
        s->fresh = frames_use(CONTAINER_OF(cap->obj, struct frames, obj));
        s->mapped = 0;
        s->map_error = OK;
        list_insert_before(&sp->maps, &s->maps);
    }
    while (s->map_error == OK && s->mapped < frames_count(cap->badge)) {
        s->map_error = (int8_t)map_step(sp, s, cap);
        if (s->map_error == OK && s->mapped < frames_count(cap->badge) && !work_step(work)) {
            arch_pte_sync();
            return ERR_BUSY;
        }
    }
    arch_pte_sync();

    err_t err = s->map_error;
    while (err != OK && s->space != NULL) {
        space_unmap_step(s);
        if (s->space != NULL && !work_step(work)) {
            return ERR_BUSY;
        }
    }
    return err;
}

// ---- Unmap --------------------------------------------------------------------------------------------------

static void forget(struct slot *s)
{
    list_remove(&s->maps);
    s->space = NULL;
    s->mapped = 0;
}

void space_unmap_step(struct slot *s)
{
    struct space *sp = CONTAINER_OF(s->space, struct space, obj);
    uint64_t *emptied[UNMAP_BATCH + SPACE_LEVEL_LAST];
    unsigned emptied_count = 0;
    unsigned cleared = 0;
    ipa_t at = ipa(s->address);
    if (sp->vmid == 0) { // the space is being dismantled: its tables translate nothing any more
        forget(s);
        return;
    }
    while (s->mapped > 0 && cleared < UNMAP_BATCH && emptied_count < UNMAP_BATCH) {
        struct walk w;
        at = ipa(s->address + ((uint64_t)s->mapped - 1) * PAGE_SIZE);
        walk_to(sp, at, SPACE_LEVEL_LAST, &w);
        emptied_count += entry_clear(sp, &w, &emptied[emptied_count]);
        s->mapped -= (uint32_t)level_pages(w.level);
        cleared++;
    }
    if (cleared == 1) {
        arch_tlb_invalidate_page(sp->vmid, at);
    } else if (cleared > 1) {
        arch_tlb_invalidate_space(sp->vmid);
    }
    while (emptied_count > 0) {
        table_give_back(sp, emptied[--emptied_count]);
    }
    if (s->mapped == 0) {
        forget(s);
    }
}

void space_move_mapping(struct slot *to, struct slot *from)
{
    if (from->space == NULL) {
        return;
    }
    to->space = from->space;
    to->address = from->address;
    to->mapped = from->mapped;
    to->map_flags = from->map_flags;
    to->map_error = from->map_error;
    list_insert_after(&from->maps, &to->maps);
    forget(from);
}

bool space_dismantle_step(struct space *sp)
{
    if (sp->vmid != 0) { // no thread holds the space, so no core walks its tables any more
        arch_tlb_invalidate_space(sp->vmid);
        release_vmid(sp->vmid);
        sp->vmid = 0;
    }
    // Only now may what was mapped be used for something else.
    if (!list_empty(&sp->maps)) {
        forget(CONTAINER_OF(sp->maps.next, struct slot, maps));
    }
    return list_empty(&sp->maps);
}

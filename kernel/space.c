// Address spaces: see space.h. Build lock held throughout.
#include "space.h"

#include <base/bits.h>

#include "cap.h"
#include "frames.h"

#define TABLE_ENTRIES 512u
#define INDEX_BITS    9u
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

static unsigned level_shift(unsigned level)
{
    return PAGE_BITS + INDEX_BITS * (SPACE_LEVEL_LAST - level);
}

void space_init(struct space *sp, paddr_t tables, uint32_t table_count, bool guest, uint16_t vmid,
                struct untyped *from)
{
    unsigned root_pages = arch_stage2_root_pages();
    sp->obj = (struct obj){.type = OBJ_SPACE, .from = from};
    sp->tables = phys_to_virt(tables);
    sp->size = BIT(arch_stage2_bits());
    sp->vmid = vmid;
    sp->root_level = (uint8_t)arch_stage2_start_level();
    sp->root_shift = (uint8_t)level_shift(sp->root_level);
    sp->guest = guest;
    sp->table_count = table_count;
    sp->free = root_pages;
    sp->free_count = table_count - root_pages;
    for (uint32_t i = root_pages; i < table_count; i++) {
        sp->used[i] = (uint16_t)(i + 1);
    }
    list_init(&sp->maps);
    arch_space_init(&sp->arch, tables, vmid);
    arch_pte_sync(); // walks find an empty root, although nothing is ever mapped
}

// ---- Tables -------------------------------------------------------------------------------------------------

// Pages that one entry of this level covers.
static uint64_t level_pages(unsigned level)
{
    return BIT(level_shift(level) - PAGE_BITS);
}

static uint64_t *entry_at(uint64_t *table, ipa_t at, unsigned shift)
{
    return &table[at.a >> shift & (TABLE_ENTRIES - 1)];
}

// Number of the table that an entry is in.
static uint32_t table_of(const struct space *sp, const uint64_t *entry)
{
    return (uint32_t)((size_t)(entry - sp->tables) / TABLE_ENTRIES);
}

// There is one.
static uint64_t *table_take(struct space *sp)
{
    uint32_t n = sp->free;
    sp->free = sp->used[n];
    sp->free_count--;
    sp->used[n] = 0;
    return sp->tables + (size_t)n * TABLE_ENTRIES;
}

static void table_give_back(struct space *sp, uint32_t n)
{
    sp->used[n] = (uint16_t)sp->free;
    sp->free = n;
    sp->free_count++;
}

// Follows tables down to `level`, or to the first entry that is no table; *reached is where that is. The root may be
// several tables side by side: its index is all that is left of the address.
static ALWAYS_INLINE uint64_t *walk(const struct space *sp, ipa_t at, unsigned level,
                                    unsigned *reached)
{
    unsigned l = sp->root_level;
    unsigned shift = sp->root_shift;
    uint64_t *entry = &sp->tables[at.a >> shift];
    for (;;) {
        uint64_t value = *entry;
        if (l == level || !arch_pte_leads_on(value)) {
            *reached = l;
            return entry;
        }
        l++;
        shift -= INDEX_BITS;
        entry = entry_at(phys_to_virt(arch_pte_address(value)), at, shift);
    }
}

static void entry_set(struct space *sp, uint64_t *entry, uint64_t value)
{
    arch_pte_write(entry, value);
    sp->used[table_of(sp, entry)]++;
}

// True: it was the last of its table.
static bool entry_clear(struct space *sp, uint64_t *entry)
{
    arch_pte_write(entry, 0);
    return --sp->used[table_of(sp, entry)] == 0;
}

// ---- Map ----------------------------------------------------------------------------------------------------

static unsigned needed_rights(uint64_t flags)
{
    return ((flags & MAP_READ) != 0 ? RIGHT_READ : 0) |
           ((flags & MAP_WRITE) != 0 ? RIGHT_WRITE : 0) |
           ((flags & MAP_EXECUTE) != 0 ? RIGHT_EXECUTE : 0);
}

// Changes nothing.
static err_t check_map(const struct space *sp, const struct slot *s, uint64_t pages, ipa_t at,
                       uint64_t flags)
{
    const struct frames *f = CONTAINER_OF(slot_object(s), struct frames, obj);
    const uint64_t known = MAP_READ | MAP_WRITE | MAP_EXECUTE | MAP_UNCACHED;
    const uint64_t both = MAP_WRITE | MAP_EXECUTE;
    if ((flags & ~known) != 0 || (flags & MAP_READ) == 0) {
        return ERR_INVALID;
    }
    if (((flags & both) == both && !sp->guest) || ((flags & MAP_EXECUTE) != 0 && f->device)) {
        return ERR_INVALID;
    }
    if ((needed_rights(flags) & ~slot_rights(s)) != 0) {
        return ERR_RIGHTS;
    }
    if (!is_aligned(at.a, PAGE_SIZE)) {
        return ERR_ALIGN;
    }
    if (at.a >= sp->size || pages * PAGE_SIZE > sp->size - at.a) {
        return ERR_RANGE;
    }
    if (s->space == NULL) {
        return OK;
    }
    // A restart of this very call may find it half done.
    bool same = s->space == &sp->obj && s->address == at.a && s->map_flags == flags;
    return same && s->mapped < pages ? OK : ERR_BUSY;
}

// What is mapped next: the largest block that fits, of a level not below `first`.
struct block {
    uint64_t at;
    uint64_t pa;
    uint64_t pages;
    unsigned level;
};

static ALWAYS_INLINE struct block next_block(const struct slot *s, const struct frames *f,
                                             unsigned first)
{
    uint64_t badge = load_relaxed(&s->badge);
    uint64_t done = s->mapped;
    uint64_t left = frames_count(badge) - done;
    struct block b = {
        .at = s->address + done * PAGE_SIZE,
        .pa = frames_page(f, frames_first(badge) + done).a,
        .pages = 1,
        .level = SPACE_LEVEL_LAST,
    };
    while (b.level > first && left >= b.pages * TABLE_ENTRIES &&
           is_aligned(b.at | b.pa, b.pages * TABLE_ENTRIES * PAGE_SIZE)) {
        b.pages *= TABLE_ENTRIES;
        b.level--;
    }
    return b;
}

// The way to a leaf of `level` ends at an entry of level `reached`: adds what is missing, and the leaf.
static NOINLINE err_t map_with_tables(struct space *sp, ipa_t at, unsigned level, uint64_t leaf,
                                      uint64_t *entry, unsigned reached)
{
    if (*entry != 0) {
        return ERR_OCCUPIED;
    }
    if (level - reached > sp->free_count) {
        return ERR_NO_MEMORY;
    }
    // From the bottom up. A new table is complete before the entry that leads to it: walks by other cores see all or
    // nothing.
    uint64_t value = leaf;
    for (unsigned l = level; l > reached; l--) {
        uint64_t *table = table_take(sp);
        entry_set(sp, entry_at(table, at, level_shift(l)), value);
        arch_pte_sync();
        value = arch_pte_table(virt_to_phys(table));
    }
    entry_set(sp, entry, value);
    return (err_t)level_pages(level);
}

static ALWAYS_INLINE err_t map_block(struct space *sp, const struct block *b, unsigned flags,
                                     bool device)
{
    uint64_t leaf = arch_pte_leaf(paddr(b->pa), flags, b->level, device);
    unsigned reached;
    uint64_t *entry = walk(sp, ipa(b->at), b->level, &reached);
    if (*entry != 0 || reached != b->level) {
        return map_with_tables(sp, ipa(b->at), b->level, leaf, entry, reached);
    }
    entry_set(sp, entry, leaf);
    return (err_t)b->pages;
}

// Cache maintenance takes its time: no more than 2 MiB of it in one step.
static NOINLINE err_t map_maintained(struct space *sp, const struct slot *s, const struct frames *f)
{
    unsigned flags = s->map_flags;
    // A guest begins with its caches off: what it may execute, which is all its RAM, goes to memory itself.
    bool published = !s->fresh && ((flags & MAP_UNCACHED) != 0 || sp->guest);
    bool new_text = (flags & MAP_EXECUTE) != 0 && !sp->guest;
    struct block b = next_block(s, f, published || new_text ? 2 : 1);
    if (published) {
        arch_cache_publish(paddr(b.pa), b.pages * PAGE_SIZE);
    }
    if (new_text) {
        arch_icache_publish(paddr(b.pa), b.pages * PAGE_SIZE);
    }
    return map_block(sp, &b, flags, false);
}

// Maps one block. How many pages that are, or an error.
static NOINLINE err_t map_step(struct space *sp, const struct slot *s)
{
    const struct frames *f = CONTAINER_OF(slot_object(s), struct frames, obj);
    if ((s->map_flags & (MAP_UNCACHED | MAP_EXECUTE)) != 0 && !f->device) {
        return map_maintained(sp, s, f);
    }
    struct block b = next_block(s, f, 1);
    return map_block(sp, &b, s->map_flags & (MAP_READ | MAP_WRITE), f->device);
}

// It cannot be mapped for this reason: what is mapped of it is taken back.
static NOINLINE err_t map_undo(struct slot *s, err_t why, struct work *work)
{
    s->map_error = (int8_t)why;
    err_t err = space_unmap(s, work);
    return err == OK ? why : err;
}

err_t space_map(struct space *sp, struct slot *s, ipa_t at, uint64_t flags, struct work *work)
{
    uint32_t pages = frames_count(load_relaxed(&s->badge));
    err_t err = check_map(sp, s, pages, at, flags);
    if (err != OK) {
        return err;
    }
    if (s->space == NULL) {
        s->space = &sp->obj;
        s->address = at.a;
        s->mapped = 0;
        s->map_error = OK;
        s->map_flags = (uint8_t)flags;
        s->fresh = frames_use(CONTAINER_OF(slot_object(s), struct frames, obj));
        list_insert_before(&sp->maps, &s->maps);
    } else if (s->map_error != OK) {
        return map_undo(s, s->map_error, work);
    }
    for (;;) {
        err_t mapped = map_step(sp, s);
        if (mapped < 0) {
            return map_undo(s, mapped, work);
        }
        s->mapped += (uint32_t)mapped;
        if (s->mapped == pages) {
            arch_pte_sync();
            return OK;
        }
        if (!work_step(work)) {
            arch_pte_sync();
            return WORK_UP;
        }
    }
}

// ---- Unmap --------------------------------------------------------------------------------------------------

static void forget(struct slot *s)
{
    list_remove(&s->maps);
    s->space = NULL;
    s->mapped = 0;
}

// Ends a step that has cleared entries, the last of them at `at`.
static ALWAYS_INLINE void unmap_end(struct space *sp, struct slot *s, unsigned cleared, ipa_t at)
{
    if (cleared == 1) {
        arch_tlb_invalidate_page(sp->vmid, at);
    } else if (cleared > 1) {
        arch_tlb_invalidate_space(sp->vmid);
    }
    if (s->mapped == 0) {
        forget(s);
    }
}

// The same when the last entry's table, of this level, is empty, too: so it goes, and every table that this leaves empty.
// They are free when no TLB or walk can use them; until then they are a list of their own.
static NOINLINE void unmap_tables(struct space *sp, struct slot *s, unsigned cleared, ipa_t at,
                                  unsigned level)
{
    uint32_t emptied = sp->table_count;
    while (level > sp->root_level) {
        uint64_t *entry = walk(sp, at, level - 1, &level);
        uint32_t n = table_of(sp, phys_to_virt(arch_pte_address(*entry)));
        sp->used[n] = (uint16_t)emptied;
        emptied = n;
        if (!entry_clear(sp, entry)) {
            break;
        }
    }
    unmap_end(sp, s, cleared, at);
    while (emptied != sp->table_count) {
        uint32_t n = emptied;
        emptied = sp->used[n];
        table_give_back(sp, n);
    }
}

void space_unmap_step(struct slot *s)
{
    struct space *sp = CONTAINER_OF(s->space, struct space, obj);
    unsigned cleared = 0;
    ipa_t at = ipa(s->address);
    if (sp->vmid == 0) { // the space is being dismantled: its tables translate nothing any more
        forget(s);
        return;
    }
    while (s->mapped > 0 && cleared < UNMAP_BATCH) {
        unsigned level;
        at = ipa(s->address + ((uint64_t)s->mapped - 1) * PAGE_SIZE);
        bool last = entry_clear(sp, walk(sp, at, SPACE_LEVEL_LAST, &level));
        s->mapped -= (uint32_t)level_pages(level);
        cleared++;
        if (last) {
            unmap_tables(sp, s, cleared, at, level);
            return;
        }
    }
    unmap_end(sp, s, cleared, at);
}

err_t space_unmap(struct slot *s, struct work *work)
{
    while (s->space != NULL) {
        space_unmap_step(s);
        if (s->space != NULL && !work_step(work)) {
            return WORK_UP;
        }
    }
    return OK;
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
    to->fresh = from->fresh;
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

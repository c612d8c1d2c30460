// Model of stage-2 translation: see tlb.h. Arm ARM (DDI 0487) D8.14.
#include "tlb.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <base/bits.h>
#include <base/range.h>

#include "arch.h"
#include "fake.h"

#define RAM_PAGES (FAKE_RAM_SIZE / PAGE_SIZE)

// What the model knows of a page of RAM.
struct page {
    uint16_t vmid;       // space whose table it is, as far as its root leads here; 0: none's
    uint8_t level;       // of that table
    bool maybe_mapped;   // a leaf may lead here
    uint64_t base;       // first address that the table translates
    uint64_t written_at; // epoch of the kernel's last write as a table, or to clean it
};

// An entry that is not in the tables any more, but may be in a TLB.
struct stale {
    uint16_t vmid;
    unsigned level;
    uint64_t base;
    uint64_t value;
};

struct model_space {
    bool used;
    bool entered; // by a core, since its last complete invalidation
    bool guest;
    paddr_t root;
};

static struct {
    struct page pages[RAM_PAGES];
    struct model_space spaces[FAKE_VMIDS_MAX];
    struct stale *stale;
    size_t stale_count;
    size_t stale_room;
    uint64_t epoch;   // counts barriers
    bool new_entries; // reachable ones were written since the last barrier
} tlb;

void tlb_reset(void)
{
    struct stale *stale = tlb.stale;
    size_t room = tlb.stale_room;
    memset(&tlb, 0, sizeof(tlb));
    tlb.stale = stale;
    tlb.stale_room = room;
    tlb.epoch = 1;
}

static uint64_t level_size(unsigned level)
{
    return BIT(vmsa_level_shift(level));
}

static struct range ram(void)
{
    return (struct range){.base = FAKE_RAM_BASE, .size = FAKE_RAM_SIZE};
}

static struct page *page_at(paddr_t pa)
{
    if (!range_contains(ram(), pa.a, PAGE_SIZE)) {
        fake_fail("a table at %#lx, outside RAM", (unsigned long)pa.a);
    }
    return &tlb.pages[(pa.a - FAKE_RAM_BASE) / PAGE_SIZE];
}

static uint64_t *table_at(paddr_t pa)
{
    return phys_to_virt(pa);
}

// What an entry leads to.
static struct range target(uint64_t value, unsigned level)
{
    uint64_t size = arch_pte_is_table(value, level) ? PAGE_SIZE : level_size(level);
    return (struct range){.base = arch_pte_address(value).a, .size = size};
}

// ---- What may still be held -----------------------------------------------------------------------------------

static void hold(uint16_t vmid, unsigned level, uint64_t base, uint64_t value)
{
    if (tlb.stale_count == tlb.stale_room) {
        tlb.stale_room = tlb.stale_room == 0 ? 64 : tlb.stale_room * 2;
        tlb.stale = realloc(tlb.stale, tlb.stale_room * sizeof(*tlb.stale));
    }
    tlb.stale[tlb.stale_count++] = (struct stale){vmid, level, base, value};
}

// An entry that walks could reach is gone: it and all below it are held from now on.
static void removed(uint16_t vmid, unsigned level, uint64_t base, uint64_t value)
{
    hold(vmid, level, base, value);
    if (!arch_pte_is_table(value, level)) {
        return;
    }
    page_at(arch_pte_address(value))->vmid = 0;
    const uint64_t *table = table_at(arch_pte_address(value));
    for (unsigned i = 0; i < VMSA_TABLE_ENTRIES; i++) {
        if (arch_pte_valid(table[i])) {
            removed(vmid, level + 1, base + i * level_size(level + 1), table[i]);
        }
    }
}

static void expect_nothing_held(uint16_t vmid, unsigned level, uint64_t base)
{
    struct range r = {.base = base, .size = level_size(level)};
    for (size_t i = 0; i < tlb.stale_count; i++) {
        const struct stale *s = &tlb.stale[i];
        struct range old = {.base = s->base, .size = level_size(s->level)};
        if (s->vmid == vmid && range_overlaps(old, r)) {
            fake_fail("VMID %u: %#lx mapped again before its old entry was invalidated", vmid,
                      (unsigned long)base);
        }
    }
}

// Does a table, or one below it, lead to this memory?
static bool leads_to(paddr_t table, unsigned level, struct range memory)
{
    const uint64_t *entries = table_at(table);
    for (unsigned i = 0; i < VMSA_TABLE_ENTRIES; i++) {
        if (!arch_pte_valid(entries[i])) {
            continue;
        }
        if (range_overlaps(target(entries[i], level), memory) ||
            (arch_pte_is_table(entries[i], level) &&
             leads_to(arch_pte_address(entries[i]), level + 1, memory))) {
            return true;
        }
    }
    return false;
}

static bool space_leads_to(const struct model_space *sp, struct range memory)
{
    struct range root = {.base = sp->root.a,
                         .size = (uint64_t)arch_stage2_root_pages() * PAGE_SIZE};
    if (range_overlaps(root, memory)) {
        return true;
    }
    for (unsigned i = 0; i < arch_stage2_root_pages(); i++) {
        if (leads_to(paddr_add(sp->root, i * PAGE_SIZE), arch_stage2_start_level(), memory)) {
            return true;
        }
    }
    return false;
}

static bool any_page_maybe_used(struct range memory)
{
    for (uint64_t a = memory.base; a < memory.base + memory.size; a += PAGE_SIZE) {
        const struct page *p = page_at(paddr(align_down(a, PAGE_SIZE)));
        if (p->maybe_mapped || p->vmid != 0) {
            return true;
        }
    }
    return false;
}

// The kernel uses this memory for something else from now on.
static void expect_unreachable(struct range memory)
{
    for (size_t i = 0; i < tlb.stale_count; i++) {
        const struct stale *s = &tlb.stale[i];
        if (range_overlaps(target(s->value, s->level), memory)) {
            fake_fail("memory at %#lx is used again, though a TLB of VMID %u may lead there",
                      (unsigned long)memory.base, s->vmid);
        }
    }
    if (!any_page_maybe_used(memory)) {
        return;
    }
    for (unsigned vmid = 1; vmid < fake.vmids; vmid++) {
        const struct model_space *sp = &tlb.spaces[vmid];
        if (sp->used && sp->entered && space_leads_to(sp, memory)) {
            fake_fail("memory at %#lx is used for something else, but VMID %u leads there",
                      (unsigned long)memory.base, vmid);
        }
    }
    for (uint64_t a = memory.base; a < memory.base + memory.size; a += PAGE_SIZE) {
        page_at(paddr(align_down(a, PAGE_SIZE)))->maybe_mapped = false;
        page_at(paddr(align_down(a, PAGE_SIZE)))->vmid = 0; // a dead space's
    }
}

// ---- Entries --------------------------------------------------------------------------------------------------

static void check_leaf(uint16_t vmid, unsigned level, uint64_t value)
{
    struct range to = target(value, level);
    if (level == 0 || (level == 3 && (value & PTE_TABLE) == 0) || !is_aligned(to.base, to.size) ||
        (value & PTE_AF) == 0 || (value & PTE_SH_INNER) != PTE_SH_INNER) {
        fake_fail("%#lx is no leaf of level %u", (unsigned long)value, level);
    }
    bool executable = (value & PTE_XN) == 0 && !tlb.spaces[vmid].guest;
    if ((value & S2_AP_WRITE) != 0 && executable) {
        fake_fail("%#lx is writable and executable", (unsigned long)value);
    }
    if (!range_overlaps(to, ram())) {
        return;
    }
    for (uint64_t a = to.base; a < to.base + to.size; a += PAGE_SIZE) {
        struct page *p = page_at(paddr(a));
        if (p->vmid != 0 && tlb.spaces[p->vmid].entered) {
            fake_fail("a page table at %#lx becomes a process's memory", (unsigned long)a);
        }
        p->maybe_mapped = true;
    }
}

static void reachable(uint16_t vmid, unsigned level, uint64_t base, uint64_t value);

// A table was linked: what is in it can be reached.
static void adopt(uint16_t vmid, unsigned level, uint64_t base, paddr_t table)
{
    struct page *p = page_at(table);
    if (p->vmid != 0) {
        fake_fail("the table at %#lx is linked twice", (unsigned long)table.a);
    }
    if (p->written_at == tlb.epoch) {
        fake_fail("the table at %#lx is linked before its contents are visible",
                  (unsigned long)table.a);
    }
    p->vmid = vmid;
    p->level = (uint8_t)level;
    p->base = base;
    const uint64_t *entries = table_at(table);
    for (unsigned i = 0; i < VMSA_TABLE_ENTRIES; i++) {
        if (arch_pte_valid(entries[i])) {
            reachable(vmid, level, base + i * level_size(level), entries[i]);
        }
    }
}

static void reachable(uint16_t vmid, unsigned level, uint64_t base, uint64_t value)
{
    expect_nothing_held(vmid, level, base);
    if (arch_pte_is_table(value, level)) {
        adopt(vmid, level + 1, base, arch_pte_address(value));
    } else {
        check_leaf(vmid, level, value);
    }
}

// A table that is held may not change: a walk may still go through it.
static void expect_table_not_held(paddr_t table)
{
    for (size_t i = 0; i < tlb.stale_count; i++) {
        const struct stale *s = &tlb.stale[i];
        if (arch_pte_is_table(s->value, s->level) && arch_pte_address(s->value).a == table.a) {
            fake_fail("the table at %#lx is filled again, though a TLB may lead there",
                      (unsigned long)table.a);
        }
    }
}

void tlb_write(uint64_t *entry, uint64_t value)
{
    paddr_t pa = virt_to_phys(entry);
    paddr_t table = paddr(align_down(pa.a, PAGE_SIZE));
    struct page *p = page_at(table);
    uint64_t base = p->base + (pa.a - table.a) / sizeof(uint64_t) * level_size(p->level);
    if (arch_pte_valid(*entry) && arch_pte_valid(value)) {
        fake_fail("a valid entry is overwritten by another (%#lx by %#lx)", (unsigned long)*entry,
                  (unsigned long)value);
    }
    if (arch_pte_valid(value)) {
        expect_table_not_held(table);
    }
    if (p->vmid == 0) {
        p->written_at = tlb.epoch; // not linked yet
        return;
    }
    if (arch_pte_valid(value)) {
        reachable(p->vmid, p->level, base, value);
        tlb.new_entries = true;
    } else if (arch_pte_valid(*entry)) {
        removed(p->vmid, p->level, base, *entry);
    }
}

// ---- Barriers and invalidation --------------------------------------------------------------------------------

void tlb_sync(void)
{
    tlb.epoch++;
    tlb.new_entries = false;
}

static void drop(uint16_t vmid, struct range of)
{
    size_t kept = 0;
    for (size_t i = 0; i < tlb.stale_count; i++) {
        struct stale s = tlb.stale[i];
        struct range covers = {.base = s.base, .size = level_size(s.level)};
        if (s.vmid != vmid || !range_overlaps(covers, of)) {
            tlb.stale[kept++] = s;
        }
    }
    tlb.stale_count = kept;
}

static struct model_space *known_space(uint16_t vmid)
{
    if (vmid == 0 || vmid >= fake.vmids || !tlb.spaces[vmid].used) {
        fake_fail("VMID %u, which no space has", vmid);
    }
    return &tlb.spaces[vmid];
}

void tlb_invalidate_page(uint16_t vmid, ipa_t at)
{
    (void)known_space(vmid);
    tlb_sync();
    drop(vmid, (struct range){.base = at.a, .size = PAGE_SIZE});
}

void tlb_invalidate_space(uint16_t vmid)
{
    struct model_space *sp = known_space(vmid);
    tlb_sync();
    drop(vmid, (struct range){.base = 0, .size = UINT64_MAX});
    sp->entered = false;
    for (unsigned i = 0; i < CORES_MAX; i++) {
        sp->entered |= fake_cores[i].vmid == vmid;
    }
}

void tlb_memory_written(paddr_t pa, uint64_t size)
{
    struct range memory = {.base = pa.a, .size = size};
    expect_unreachable(memory);
    for (uint64_t a = align_down(pa.a, PAGE_SIZE); a < pa.a + size; a += PAGE_SIZE) {
        page_at(paddr(a))->written_at = tlb.epoch;
    }
}

void tlb_kernel_left(void)
{
    if (tlb.new_entries) {
        fake_fail("the kernel was left before new entries are visible");
    }
    if (tlb.stale_count != 0) {
        fake_fail("VMID %u: %#lx was unmapped and not invalidated", tlb.stale[0].vmid,
                  (unsigned long)tlb.stale[0].base);
    }
}

// ---- Spaces ---------------------------------------------------------------------------------------------------

void tlb_space(paddr_t root, uint16_t vmid, bool guest)
{
    unsigned root_pages = arch_stage2_root_pages();
    uint64_t size = (uint64_t)root_pages * PAGE_SIZE;
    if (vmid == 0 || vmid >= fake.vmids || !is_aligned(root.a, size)) {
        fake_fail("a space with VMID %u and root %#lx", vmid, (unsigned long)root.a);
    }
    struct model_space *sp = &tlb.spaces[vmid];
    if (sp->entered) {
        fake_fail("VMID %u is given to a new space before its old entries are invalidated", vmid);
    }
    for (size_t i = 0; i < tlb.stale_count; i++) {
        if (tlb.stale[i].vmid == vmid) {
            fake_fail("VMID %u is given to a new space while entries may be held", vmid);
        }
    }
    for (unsigned i = 0; i < RAM_PAGES; i++) {
        tlb.pages[i].vmid = tlb.pages[i].vmid == vmid ? 0 : tlb.pages[i].vmid; // the old space's
    }
    expect_unreachable((struct range){.base = root.a, .size = size});
    *sp = (struct model_space){.used = true, .guest = guest, .root = root};
    for (unsigned i = 0; i < root_pages; i++) {
        struct page *p = page_at(paddr_add(root, i * PAGE_SIZE));
        p->vmid = vmid;
        p->level = (uint8_t)arch_stage2_start_level();
        p->base = i * VMSA_TABLE_ENTRIES * level_size(p->level);
    }
    const uint64_t *entries = table_at(root);
    for (unsigned i = 0; i < root_pages * VMSA_TABLE_ENTRIES; i++) {
        if (entries[i] != 0) {
            fake_fail("the root at %#lx is not empty", (unsigned long)root.a);
        }
    }
}

void tlb_enter(uint16_t vmid)
{
    struct model_space *sp = known_space(vmid);
    sp->entered = true;
    for (unsigned i = 0; i < arch_stage2_root_pages(); i++) {
        if (page_at(paddr_add(sp->root, i * PAGE_SIZE))->written_at == tlb.epoch) {
            fake_fail("a core enters VMID %u before its root is visible", vmid);
        }
    }
}

bool tlb_translate(uint16_t vmid, ipa_t at, uint64_t *pte, unsigned *level)
{
    const struct model_space *sp = known_space(vmid);
    uint64_t bits = at.a;
    const uint64_t *table = table_at(sp->root);
    uint64_t index = bits >> vmsa_level_shift(arch_stage2_start_level());
    for (*level = arch_stage2_start_level();; (*level)++) {
        *pte = table[index];
        if (!arch_pte_is_table(*pte, *level)) {
            return arch_pte_valid(*pte);
        }
        table = table_at(arch_pte_address(*pte));
        index = bits >> vmsa_level_shift(*level + 1) & (VMSA_TABLE_ENTRIES - 1);
    }
}

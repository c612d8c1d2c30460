// Stage 1 of EL2: see mmu.h and the map in offsets.h. Arm ARM (DDI 0487) D8.3. Write xor execute everywhere: only the
// image's text is executable, and start.S mapped it read-only; SCTLR_EL2.WXN says it once more.
//
// Tables of the first few mappings come from the image itself, since memory must be found before it can be used.
#include "mmu.h"

#include <stdbool.h>

#include <base/bits.h>
#include <base/str.h>
#include <spec/vmsa.h>

#include "arch.h"
#include "machine.h"
#include "panic.h"

#define FIRST_TABLES     12u
#define PAGE_TABLE_WORDS VMSA_TABLE_ENTRIES

extern char __kernel_start[], __kernel_end[];
extern uint64_t boot_tables[]; // start.S: the fourth is level 1 of everything above KERNEL_BASE

struct mmu {
    paddr_t image;
    unsigned first_used;
    struct range pool;    // what is left of it
    uint64_t next_device; // first address not used in the device window
};

static struct mmu mmu; // boot core, boot time
static _Alignas(PAGE_SIZE) uint64_t root[PAGE_TABLE_WORDS];
static _Alignas(PAGE_SIZE) uint64_t first_tables[FIRST_TABLES][PAGE_TABLE_WORDS];

paddr_t image_to_phys(const void *va)
{
    return paddr((uint64_t)va - KERNEL_BASE + mmu.image.a);
}

static void *table_at(paddr_t pa)
{
    uint64_t size = (uint64_t)(__kernel_end - __kernel_start);
    if (range_contains((struct range){mmu.image.a, size}, pa.a, PAGE_SIZE)) {
        return (void *)(pa.a - mmu.image.a + KERNEL_BASE);
    }
    return phys_to_virt(pa);
}

void mmu_init(paddr_t image)
{
    mmu.image = image;
    mmu.next_device = DEVICE_BASE;
    root[KERNEL_BASE >> vmsa_level_shift(0)] =
        image_to_phys(boot_tables + 3 * PAGE_TABLE_WORDS).a | PTE_TABLE | PTE_VALID;
}

// ---- Pages --------------------------------------------------------------------------------------------------------

void mmu_pool_set(struct range physical)
{
    mmu.pool = physical;
}

struct range mmu_pool_rest(void)
{
    return mmu.pool;
}

paddr_t mmu_pages(unsigned count)
{
    uint64_t size = (uint64_t)count * PAGE_SIZE;
    uint64_t base = align_up(mmu.pool.base, size);
    if (!range_contains(mmu.pool, base, size)) {
        panic("too little memory: none is left for the kernel's own tables");
    }
    mmu.pool.size -= base + size - mmu.pool.base;
    mmu.pool.base = base + size;
    memset(phys_to_virt(paddr(base)), 0, size);
    return paddr(base);
}

static paddr_t take_table(void)
{
    if (mmu.pool.size != 0) {
        return mmu_pages(1);
    }
    ASSERT(mmu.first_used < FIRST_TABLES);
    return image_to_phys(first_tables[mmu.first_used++]);
}

// ---- Mapping ------------------------------------------------------------------------------------------------------

static uint64_t attributes(enum mmu_kind kind)
{
    uint64_t common = S1_AP_RES1 | PTE_SH_INNER | PTE_AF | PTE_XN | PTE_VALID;
    switch (kind) {
    case MMU_DATA:
        return common | S1_ATTR(1);
    case MMU_CONSTANT:
        return common | S1_ATTR(1) | S1_AP_RO;
    default:
        return common | S1_ATTR(0);
    }
}

static void map_entry(uint64_t va, uint64_t pa, unsigned level, uint64_t attr)
{
    uint64_t *table = root;
    for (unsigned l = 0;; l++) {
        uint64_t *entry = &table[(va >> vmsa_level_shift(l)) % VMSA_TABLE_ENTRIES];
        if (l == level) {
            ASSERT(*entry == 0);
            arch_pte_write(entry, pa | attr | (l == 3 ? PTE_TABLE : 0));
            return;
        }
        if (*entry == 0) {
            paddr_t next = take_table();
            dsb_ishst(); // its zeros, before a walk can get there
            arch_pte_write(entry, next.a | PTE_TABLE | PTE_VALID);
        }
        ASSERT((*entry & PTE_TABLE) != 0);
        table = table_at(paddr(*entry & PTE_ADDRESS));
    }
}

static unsigned largest_level(uint64_t addresses, uint64_t size)
{
    unsigned level = 1;
    while (level < 3 && (size < BIT(vmsa_level_shift(level)) ||
                         !is_aligned(addresses, BIT(vmsa_level_shift(level))))) {
        level++;
    }
    return level;
}

void mmu_map(uint64_t va, struct range physical, enum mmu_kind kind)
{
    ASSERT(is_aligned(va | physical.base | physical.size, PAGE_SIZE));
    for (uint64_t done = 0; done < physical.size;) {
        uint64_t pa = physical.base + done;
        unsigned level = largest_level((va + done) | pa, physical.size - done);
        map_entry(va + done, pa, level, attributes(kind));
        done += BIT(vmsa_level_shift(level));
    }
    dsb_ishst();
    isb(); // before this core uses what it has mapped
}

bool mmu_map_ram(struct range physical, enum mmu_kind kind)
{
    if (!range_contains((struct range){0, PHYSMAP_SIZE}, physical.base, physical.size)) {
        return false;
    }
    mmu_map(PHYSMAP_BASE + physical.base, physical, kind);
    return true;
}

volatile void *mmu_map_device(struct range physical)
{
    uint64_t base = align_down(physical.base, PAGE_SIZE);
    uint64_t end = align_up(physical.base + physical.size, PAGE_SIZE);
    // The same place within a large page as in physical memory, so that large pages can be used.
    uint64_t va = align_up(mmu.next_device, LARGE_PAGE_SIZE) + base % LARGE_PAGE_SIZE;
    mmu_map(va, (struct range){base, end - base}, MMU_DEVICE);
    mmu.next_device = va + (end - base) + PAGE_SIZE;
    return (volatile void *)(va + (physical.base - base));
}

void mmu_use_kernel_tables(void)
{
    sysreg_write(ttbr0_el2, image_to_phys(root).a);
    isb();
    __asm__ volatile("tlbi alle2\n\tdsb nsh\n\tisb" : : : "memory");
}

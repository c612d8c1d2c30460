// Caches: making memory's contents visible to those who look past them. Arm ARM (DDI 0487) D7.5.
#include <base/bits.h>

#include "arch.h"

// Bytes; shift: where CTR_EL0 has the line's log2 of words.
static uint64_t line_size(unsigned shift)
{
    return 4ull << field_get(sysreg_read(ctr_el0), shift + 3, shift);
}

void arch_cache_publish(paddr_t pa, uint64_t size)
{
    uint64_t va = (uint64_t)phys_to_virt(pa);
    uint64_t line = line_size(16);
    dsb_ish();
    for (uint64_t at = align_down(va, line); at < va + size; at += line) {
        __asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
    }
    dsb_sy();
}

void arch_icache_publish(paddr_t pa, uint64_t size)
{
    uint64_t va = (uint64_t)phys_to_virt(pa);
    uint64_t line = line_size(16);
    for (uint64_t at = align_down(va, line); at < va + size; at += line) {
        __asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
    }
    dsb_ish();
    // All of it: an instruction cache may be indexed by the address that the process uses, which is another one.
    __asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

static void zero_words(uint64_t *word, const uint64_t *end)
{
    for (; word < end; word += 2) {
        __asm__ volatile("stp xzr, xzr, [%0]" : : "r"(word) : "memory");
    }
}

void arch_zero(void *va, uint64_t size)
{
    uint64_t dczid = sysreg_read(dczid_el0);
    uint64_t block = 4ull << field_get(dczid, 3, 0);
    bool prohibited = (dczid & BIT(4)) != 0;
    uint64_t at = (uint64_t)va;
    if (prohibited || !is_aligned(at | size, block)) {
        zero_words(va, (const uint64_t *)(at + size));
        return;
    }
    for (uint64_t end = at + size; at < end; at += block) {
        __asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
    }
}

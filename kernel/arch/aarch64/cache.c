// Caches: making memory's contents visible to those who look past them. Arm ARM (DDI 0487) D7.5.
#include <base/bits.h>
#include <base/lines.h>

#include "arch.h"

// Bytes; shift: where CTR_EL0 has the line's log2 of words.
static uint64_t line_size(unsigned shift)
{
    return 4ull << field_get(sysreg_read(ctr_el0), shift + 3, shift);
}

void arch_cache_publish(paddr_t pa, uint64_t size)
{
    uint64_t line = line_size(16);
    uint64_t end = (uint64_t)phys_to_virt(pa) + size;
    uint64_t at = align_down((uint64_t)phys_to_virt(pa), line);
    dsb_ish();
    // NOLINTNEXTLINE(bugprone-infinite-loop): the assembly moves `at`
    FOR_LINES(at, end, line, "dc civac, %0\n\t");
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

// Bytes that DC ZVA zeroes; 0: not to be used.
static uint64_t zero_block(void)
{
    uint64_t dczid = sysreg_read(dczid_el0);
    return (dczid & BIT(4)) != 0 ? 0 : 4ull << field_get(dczid, 3, 0);
}

void arch_zero(void *va, uint64_t size)
{
    uint64_t block = zero_block();
    uint64_t at = (uint64_t)va;
    uint64_t end = at + size;
    if (block == 0 || !is_aligned(at | size, block)) {
        zero_words(va, (const uint64_t *)end);
        return;
    }
    // NOLINTNEXTLINE(bugprone-infinite-loop): the assembly moves `at`
    FOR_LINES(at, end, block, "dc zva, %0\n\t");
}

// Cache maintenance by address follows this core's stores to the same line in program order.
void arch_zero_published(void *va, uint64_t size)
{
    uint64_t line = line_size(16);
    uint64_t at = (uint64_t)va;
    uint64_t end = at + size;
    if (zero_block() != line || !is_aligned(at | size, line)) {
        arch_zero(va, size);
        arch_cache_publish(virt_to_phys(va), size);
        return;
    }
    // NOLINTNEXTLINE(bugprone-infinite-loop): the assembly moves `at`
    FOR_LINES(at, end, line, "dc zva, %0\n\tdc civac, %0\n\t");
    dsb_sy();
}

// Stage 1: see mmu.h. 39-bit addresses, 4 KiB granule: tables begin at level 1 with blocks of 1 GiB.
#include "mmu.h"

#include <base/bits.h>

#include "arch.h"
#include "machine.h"

#define BLOCK          1ull
#define ACCESSED       BIT(10)
#define INNER          (3ull << 8)
#define EXECUTE_NEVER  (BIT(54) | BIT(53))
#define ATTRIBUTE(n)   ((uint64_t)(n) << 2)
#define MAIR           0xff00ull // 0: device nGnRnE; 1: normal, write-back
#define TCR_SIZE       25ull
#define TCR_WALKS      (BIT(8) | BIT(10) | INNER << 4) // write-back, inner shareable
#define TCR_NO_UPPER   BIT(23)
#define TCR_GRANULE_4K (2ull << 30) // of the upper half; 0 means the same in the lower
#define TCR_40_BITS    (2ull << 32)
#define SCTLR_ON       (BIT(0) | BIT(2) | BIT(12))
#define ENTRIES        512u

static uint64_t table[ENTRIES] __attribute__((aligned(4096)));

static void fill(void)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t at = i * MMU_BLOCK;
        bool memory = at + MMU_BLOCK > machine.memory && at < machine.memory + machine.memory_size;
        table[i] =
            at | BLOCK | ACCESSED | INNER | (memory ? ATTRIBUTE(1) : ATTRIBUTE(0) | EXECUTE_NEVER);
    }
    dsb();
}

void mmu_invalidate(void)
{
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

void mmu_on(void)
{
    if (table[0] == 0) {
        fill();
    }
    WRITE(mair_el1, MAIR);
    WRITE(tcr_el1, TCR_SIZE | TCR_WALKS | TCR_SIZE << 16 | TCR_WALKS << 16 | TCR_NO_UPPER |
                       TCR_GRANULE_4K | TCR_40_BITS);
    WRITE(ttbr0_el1, (uintptr_t)table);
    mmu_invalidate();
    WRITE(sctlr_el1, READ(sctlr_el1) | SCTLR_ON);
    isb();
}

void mmu_off(void)
{
    WRITE(sctlr_el1, READ(sctlr_el1) & ~SCTLR_ON);
    isb();
    mmu_invalidate();
}

uint64_t mmu_set(unsigned index, uint64_t entry)
{
    uint64_t old = table[index];
    table[index] = 0;
    mmu_invalidate();
    table[index] = entry;
    mmu_invalidate();
    return old;
}

void mmu_set_upper(uint64_t upper)
{
    WRITE(ttbr1_el1, upper);
    uint64_t tcr = READ(tcr_el1);
    WRITE(tcr_el1, upper == 0 ? tcr | TCR_NO_UPPER : tcr & ~TCR_NO_UPPER);
    mmu_invalidate();
}

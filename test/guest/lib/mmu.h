// Stage 1 of a payload: off at first. On, everything is where it was: memory cached, the rest device memory.
#pragma once

#include <stdint.h>

#define MMU_BLOCK 0x40000000ull // what one entry of the table maps

// For the calling core. The table is one for all; it covers 512 GiB.
void mmu_on(void);
void mmu_off(void);

// Entry `index` of the table, changed with the invalidation that belongs to it. Returns what it was.
uint64_t mmu_set(unsigned index, uint64_t entry);

// A table of one's own for addresses from 2^64 - 2^39 on; 0: none.
void mmu_set_upper(uint64_t table);

void mmu_invalidate(void);

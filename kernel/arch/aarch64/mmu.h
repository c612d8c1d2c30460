// The kernel's own address space (offsets.h has its map): mmu.c. Boot only; nothing is mapped later.
#pragma once

#include <stdint.h>

#include <base/addr.h>
#include <base/range.h>

enum mmu_kind {
    MMU_DATA,     // Normal, read-write
    MMU_CONSTANT, // Normal, read-only
    MMU_DEVICE,   // Device-nGnRE, read-write
};

// Boot core, first of all. image: where the kernel was loaded.
void mmu_init(paddr_t image);

// A physical range at va: both multiples of a page, nothing mapped there before. Largest blocks that fit.
void mmu_map(uint64_t va, struct range physical, enum mmu_kind kind);

// Where phys_to_virt says. False: the window does not reach that far.
bool mmu_map_ram(struct range physical, enum mmu_kind kind);

// Registers of a device, at a place of their own.
volatile void *mmu_map_device(struct range physical);

// From now on pages for tables come from here. The range is free RAM, mapped where phys_to_virt says; what boot has
// not taken in the end is mmu_pool_rest.
void mmu_pool_set(struct range physical);
struct range mmu_pool_rest(void);

// Zeroed pages out of the pool, aligned to their whole size; count a power of two.
paddr_t mmu_pages(unsigned count);

// On each core: leaves the boot tables and their identity mapping for good.
void mmu_use_kernel_tables(void);

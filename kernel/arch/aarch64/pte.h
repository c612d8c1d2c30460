// Descriptors of spaces (stage 2), as space.c needs them. arch/fake uses them, too.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/syscall.h>
#include <base/addr.h>
#include <spec/vmsa.h>

static_assert(S2_AP_READ / MAP_READ == S2_AP_WRITE / MAP_WRITE, "access as enum map_flags has it");

static inline uint64_t arch_pte_table(paddr_t table)
{
    return table.a | PTE_TABLE | PTE_VALID;
}

// flags: enum map_flags, never MAP_EXECUTE of a device; level: 1..3, whose size `pa` is a multiple of.
static inline uint64_t arch_pte_leaf(paddr_t pa, unsigned flags, unsigned level, bool device)
{
    uint64_t pte = PTE_AF | PTE_SH_INNER | PTE_VALID | (level == 3 ? PTE_TABLE : 0);
    if (device) {
        pte |= S2_ATTR_DEVICE_NGNRE;
    } else {
        pte |= (flags & MAP_UNCACHED) != 0 ? S2_ATTR_NORMAL_NC : S2_ATTR_NORMAL_WB;
    }
    pte |= (flags & (MAP_READ | MAP_WRITE)) * (S2_AP_READ / MAP_READ);
    pte |= (flags & MAP_EXECUTE) != 0 ? 0 : PTE_XN;
    return pte | pa.a;
}

static inline bool arch_pte_valid(uint64_t pte)
{
    return (pte & PTE_VALID) != 0;
}

// Of an entry above level 3.
static inline bool arch_pte_leads_on(uint64_t pte)
{
    return (pte & (PTE_TABLE | PTE_VALID)) == (PTE_TABLE | PTE_VALID);
}

static inline bool arch_pte_is_table(uint64_t pte, unsigned level)
{
    return level < 3 && arch_pte_leads_on(pte);
}

static inline paddr_t arch_pte_address(uint64_t pte)
{
    return paddr(pte & PTE_ADDRESS);
}

// Would an access of this kind succeed here? pte: a leaf, or anything that is not valid.
static inline bool arch_pte_allows(uint64_t pte, bool write, bool fetch)
{
    if (!arch_pte_valid(pte) || (fetch && (pte & PTE_XN) != 0)) {
        return false;
    }
    return (pte & (write ? S2_AP_WRITE : S2_AP_READ)) != 0;
}

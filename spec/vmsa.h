// Translation tables of the AArch64 memory model, 4 KiB granule: Arm ARM (DDI 0487) chapter D8. Descriptors of
// stage 1 (EL2's own regime, one privilege level) and of stage 2.
#pragma once

#include <base/bits.h>

#define VMSA_TABLE_ENTRIES 512u
#define VMSA_PAGE_BITS     12u
#define VMSA_INDEX_BITS    9u

#define PTE_VALID    BIT(0)
#define PTE_TABLE    BIT(1) // levels 0 to 2: a table, else a block; level 3: always set
#define PTE_ADDRESS  FIELD(47, 12)
#define PTE_SH_INNER FIELD(9, 8)
#define PTE_AF       BIT(10)
#define PTE_XN       BIT(54)

// Stage 1, EL2.
#define S1_ATTR(index) ((uint64_t)(index) << 2) // byte of MAIR_EL2
#define S1_AP_RES1     BIT(6)
#define S1_AP_RO       BIT(7)

// Stage 2.
#define S2_ATTR_DEVICE_NGNRE (0x1ull << 2)
#define S2_ATTR_NORMAL_NC    (0x5ull << 2)
#define S2_ATTR_NORMAL_WB    (0xfull << 2)
#define S2_AP_READ           BIT(6)
#define S2_AP_WRITE          BIT(7)

// Bytes of MAIR_ELx.
#define MAIR_DEVICE_NGNRE 0x04u
#define MAIR_NORMAL_NC    0x44u
#define MAIR_NORMAL_WB    0xffu

// Lowest address bit that a table of this level (0..3) indexes; also the size of one of its entries.
static inline unsigned vmsa_level_shift(unsigned level)
{
    return VMSA_PAGE_BITS + VMSA_INDEX_BITS * (3 - level);
}

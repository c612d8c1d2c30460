// See board.h. QEMU, hw/arm/virt.c, base_memmap and extended_memmap: for both versions of the interrupt controller and
// any amount of memory, without what is the secure world's.
#include "board.h"

#include <base/bits.h>

// clang-format off
static const struct place board[] = {
    {"flash",                      {0x00000000, 0x08000000}},
    {"GIC distributor",            {0x08000000, 0x10000}},
    {"GIC CPU interface",          {0x08010000, 0x10000}}, // version 2, as the next
    {"GICv2m frame",               {0x08020000, 0x1000}},
    {"GIC ITS",                    {0x08080000, 0x20000}},
    {"GIC redistributors",         {0x080a0000, 0xf60000}},
    {"UART (PL011)",               {0x09000000, 0x1000}},
    {"RTC (PL031)",                {0x09010000, 0x1000}},
    {"fw_cfg",                     {0x09020000, 0x18}},
    {"GPIO (PL061)",               {0x09030000, 0x1000}},
    {"SMMUv3",                     {0x09050000, 0x20000}},
    {"virtio-mmio slots",          {0x0a000000, 0x4000}},
    {"platform bus",               {0x0c000000, 0x2000000}},
    {"PCIe memory window",         {0x10000000, 0x2eff0000}},
    {"PCIe I/O window",            {0x3eff0000, 0x10000}},
    {"PCIe configuration space",   {0x3f000000, 0x1000000}},
    {"memory",                     {0x40000000, 0x3fc0000000}},
    {"PCIe configuration space",   {0x4010000000, 0x10000000}},
    {"high PCIe memory window",    {0x8000000000, 0x8000000000}},
};
// clang-format on

struct place board_at(uint64_t ipa)
{
    for (size_t i = 0; i < ARRAY_SIZE(board); i++) {
        if (range_contains(board[i].where, ipa, 1)) {
            return board[i];
        }
    }
    return (struct place){NULL};
}

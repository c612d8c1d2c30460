// What our PrimeCell devices have in common: registers of 32 bits on a bus without byte lanes, and identification
// registers (spec/primecell.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/bits.h>
#include <spec/primecell.h>

#include "../bus.h"

// The register that an access means: its word.
static inline uint64_t primecell_register(const struct bus_access *a)
{
    return align_down(a->offset, 4);
}

// What an access of its size at its place sees of the register. Nothing is behind the register's 32 bits.
static inline uint64_t primecell_part(const struct bus_access *a, uint32_t value)
{
    uint64_t part = value >> (8 * (a->offset & 3));
    return a->size >= 4 ? part : part & FIELD(8u * a->size - 1, 0);
}

// False: it is none of the identification registers.
static inline bool primecell_identify(uint64_t reg, uint32_t peripheral, uint32_t *value)
{
    if (reg < PRIMECELL_PERIPHERAL_ID || reg >= PRIMECELL_END) {
        return false;
    }
    uint32_t id = reg < PRIMECELL_CELL_ID ? peripheral : PRIMECELL_CELL_ID_VALUE;
    *value = id >> (2 * (reg & 0xc)) & 0xff;
    return true;
}

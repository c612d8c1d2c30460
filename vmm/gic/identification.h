// Peripheral and component identification: the last registers of a distributor's or redistributor's frame.
#pragma once

#include <stdint.h>

#include <base/bits.h>

// The 32-bit register at `offset` in a frame whose PIDR4 is at `pidr4`; 0 if that is none of them.
static inline uint32_t vgic_identification(uint64_t offset, uint64_t pidr4, uint32_t version)
{
    // PIDR4-7, PIDR0-3, CIDR0-3: Arm's, as its controllers have them. PIDR2 tells the architecture's version.
    static const uint8_t bytes[] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x0b, 0, 0x0d, 0xf0, 0x05, 0xb1};
    uint64_t n = (offset - pidr4) / 4;
    if (offset < pidr4 || n >= ARRAY_SIZE(bytes)) {
        return 0;
    }
    return bytes[n] | (n == 6 ? version << 4 : 0);
}

// The serial class: the region that a client shares with the serial mux, or the mux (or a single client) with a UART
// driver. The upper side is nearer to the program that prints, the lower side nearer to the wire.
//
// The lower side signals the upper when `in` has got bytes and when `left` has moved: a millisecond later at most, or when
// it has moved by a quarter of the ring; the upper side signals the lower by the rule of rings. A region of zeros is a link with nothing on it. Each side may write all of it, and neither believes what it reads.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <abi/ring.h>

#define SERIAL_REGION_SIZE 0x4000u // the least size of the region
#define SERIAL_OUT_SIZE    0x2000u // bytes from the upper side to the wire
#define SERIAL_IN_SIZE     0x1000u // bytes that came from the wire
#define SERIAL_NAME_MAX    16u     // with the final zero

// The kernel's last line, "bulkhead: off, code N", goes out on the same wire. Nobody above a driver can write it: behind
// every SERIAL_GUARDED that comes from above, the driver writes a SERIAL_GUARD.
#define SERIAL_GUARDED "bulkhead: of"
#define SERIAL_GUARD   0x01

struct serial_region {
    char name[SERIAL_NAME_MAX]; // upper side: what it calls itself, written before its first byte
    // Lower side: the position in `out` before which every byte has left the wire. A position counts bytes since the
    // beginning, modulo 2^32, as a ring's indices do.
    _Atomic uint32_t left;
    uint32_t reserved[11];
    struct ring_header out; // bytes; the upper side produces
    struct ring_header in;  // bytes; the lower side produces
    uint8_t pad[0x1000 - 64 - 2 * sizeof(struct ring_header)];
    uint8_t out_data[SERIAL_OUT_SIZE];
    uint8_t in_data[SERIAL_IN_SIZE];
};

_Static_assert(offsetof(struct serial_region, out_data) == 0x1000, "ABI");
_Static_assert(sizeof(struct serial_region) == SERIAL_REGION_SIZE, "ABI");

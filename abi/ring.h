// Rings: how two processes pass bytes or descriptors through memory that they share. One side
// produces, the other consumes; every device class uses this one header and lays out the data
// behind it (abi/serial.h and its like).
//
// A position counts elements since the beginning, modulo 2^32; element i is at index i modulo the
// capacity, which is a power of two and part of the class, never read from shared memory.
// producer.position - consumer.position elements are in the ring: 0 is empty, the capacity is full,
// and anything above is a lie.
//
// A side that finds nothing to do writes into its `event` the position of the partner's that it
// waits to be passed, then looks again, then waits. A side that has moved from `old` to `new`
// signals its partner if the partner's event is in [old, new): once for each wait, and never while
// nobody waits.
//
// Zeros are an empty ring, whose partners are both told of the first movement.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

// A cache line, written by one side only. The other side can write it too, and is not believed.
struct ring_side {
    _Atomic uint32_t position; // the next element that this side will produce or consume
    _Atomic uint32_t event;    // signal this side when the other's position goes past this
    uint8_t pad[56];
};

struct ring_header {
    struct ring_side producer;
    struct ring_side consumer;
};

#define RING_CAPACITY_MAX 0x40000000u // elements

_Static_assert(sizeof(_Atomic uint32_t) == 4, "positions are plain words");
_Static_assert(sizeof(struct ring_header) == 128, "ABI");

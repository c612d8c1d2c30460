// Rings from either side: abi/ring.h's protocol, with the own position, the capacity and what was
// last believed of the partner in private memory. A partner that breaks the rules can make us see
// garbage data and needless or missing signals; it cannot make us touch memory outside the ring or
// loop. A position of its that makes no sense is answered with ERR_INVALID, then and ever after:
// the ring is dead, nothing is put or taken any more.
//
// No locks; one thread a side. Nothing here blocks or makes system calls.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/ring.h>

enum ring_role { RING_PRODUCER, RING_CONSUMER };

// One side's view.
struct ring {
    struct ring_side *own;     // shared; only we write it
    struct ring_side *partner; // shared; read, checked, used once
    unsigned char *data;       // shared
    uint32_t element_size;     // bytes
    uint32_t capacity;         // elements, a power of two
    uint32_t position;         // ours; own->position is its copy for the partner
    uint32_t partner_position; // the last one that was believed
    uint32_t told;             // our position when we last asked whether to signal
    enum ring_role role;
    bool dead; // the partner broke the rules
};

// Takes the side up where the header says that it stood: 0 in fresh memory, elsewhere after a
// restart. ERR_INVALID: sizes out of range, or positions that make no sense. Follow with ring_kick,
// for a predecessor that had no time to.
WARN_UNUSED err_t ring_attach(struct ring *r, enum ring_role role, struct ring_header *header,
                              void *data, uint32_t element_size, uint32_t capacity);

// How many elements a producer can put or a consumer can get right now.
WARN_UNUSED err_t ring_ready(struct ring *r, uint32_t *count);

// Producer: appends as many of `count` elements as there is room for.
WARN_UNUSED err_t ring_put(struct ring *r, const void *elements, uint32_t count, uint32_t *put);

// Consumer: takes at most `max` elements.
WARN_UNUSED err_t ring_get(struct ring *r, void *elements, uint32_t max, uint32_t *got);

// Consumer: copies at most `max` elements and leaves them in the ring. ring_skip takes some of
// those seen.
WARN_UNUSED err_t ring_peek(struct ring *r, void *elements, uint32_t max, uint32_t *seen);
void ring_skip(struct ring *r, uint32_t count);

// After putting or getting, once for many: does the partner want a signal?
bool ring_kick(struct ring *r);

// Before waiting for a signal: asks for one when `wanted` elements can be put or got. False: they
// can already, don't wait. A dead ring waits for ever.
bool ring_wait(struct ring *r, uint32_t wanted);

// Credits: which source's bytes lie where in the stream to the driver, so that a source learns when its own have left
// the wire. Positions are free-running 32-bit counts, as a ring's are.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CREDIT_MAX 64u // a power of two

struct credit {
    uint32_t source;
    uint32_t position; // in the source's stream: all before it has left...
    uint32_t end;      // ...once this position of the driver's stream has
};

// Oldest first; a queue in a circle.
struct credit_queue {
    uint32_t first;
    uint32_t count;
    struct credit credits[CREDIT_MAX];
};

static inline bool credit_full(const struct credit_queue *q)
{
    return q->count == CREDIT_MAX;
}

// The queue must not be full. `end` may not lie before that of an earlier credit.
void credit_add(struct credit_queue *q, struct credit credit);

// Takes the oldest credit that is due when the driver has transmitted up to `transmitted`. False: none is.
bool credit_take(struct credit_queue *q, uint32_t transmitted, struct credit *out);

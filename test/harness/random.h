// Pseudo-random numbers for tests: xorshift64*, by George Marsaglia and Sebastiano Vigna. The same seed gives the same
// numbers everywhere.
#pragma once

#include <stdint.h>

struct random {
    uint64_t state; // not 0
};

static inline struct random random_begin(uint64_t seed)
{
    return (struct random){.state = seed * 0x9e3779b97f4a7c15 + 0x1234567};
}

static inline uint64_t random_next(struct random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1d;
}

// 0..limit - 1
static inline uint64_t random_below(struct random *r, uint64_t limit)
{
    return (random_next(r) >> 11) % limit;
}

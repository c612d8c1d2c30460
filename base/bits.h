// Bits, fields, alignment, container_of: the few macros that every folder uses.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)                          (1ull << (n))
#define FIELD(hi, lo)                   (((~0ull) >> (63 - (hi))) & ((~0ull) << (lo)))
#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))
#define ALWAYS_INLINE                   inline __attribute__((always_inline))
#define NOINLINE                        __attribute__((noinline))
#define UNLIKELY(condition)             __builtin_expect((condition), 0)
#define CONTAINER_OF(ptr, type, member) ((type *)((uintptr_t)(ptr)-offsetof(type, member)))

static inline uint64_t field_get(uint64_t value, unsigned hi, unsigned lo)
{
    return (value & FIELD(hi, lo)) >> lo;
}

static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

// Wraps for values within `alignment` of 2^64: check the range first.
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return align_down(value + alignment - 1, alignment);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
    return (value & (alignment - 1)) == 0;
}

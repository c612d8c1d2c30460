// Relaxed loads and stores of atomic words on hot paths. GCC's own accept no offset in an address, which costs an
// instruction each; on the machines that we build for, an aligned volatile access of a word is the same thing.
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t) && ATOMIC_LLONG_LOCK_FREE == 2,
              "an atomic word is a word");
static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t) && ATOMIC_INT_LOCK_FREE == 2,
              "an atomic word is a word");

static inline uint64_t peek64(const _Atomic uint64_t *word)
{
    return *(const volatile uint64_t *)word;
}

static inline uint32_t peek32(const _Atomic uint32_t *word)
{
    return *(const volatile uint32_t *)word;
}

static inline void poke32(_Atomic uint32_t *word, uint32_t value)
{
    *(volatile uint32_t *)word = value;
}

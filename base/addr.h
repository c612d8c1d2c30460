// Typed addresses: passing one kind for another does not compile.
#pragma once

#include <stdint.h>

// Physical address.
typedef struct {
    uint64_t a;
} paddr_t;

// Address inside a space: what a process uses, or a guest's physical address.
typedef struct {
    uint64_t a;
} ipa_t;

static inline paddr_t paddr(uint64_t a)
{
    return (paddr_t){a};
}

static inline paddr_t paddr_add(paddr_t p, uint64_t offset)
{
    return (paddr_t){p.a + offset};
}

static inline ipa_t ipa(uint64_t a)
{
    return (ipa_t){a};
}

static inline ipa_t ipa_add(ipa_t i, uint64_t offset)
{
    return (ipa_t){i.a + offset};
}

// Free RAM, as the kernel gives it: untyped memory. This is a model of how the kernel carves it (small objects from
// the low end, everything else downwards from the high end), good enough to say before anything is built whether
// all will fit. Where the kernel's objects are concerned it is on the safe side.
//
// The plan works on a copy; while the system is built the model says which untyped memory to ask.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/boot.h>
#include <base/range.h>

#include "sys.h"

#define EXTENTS_MAX 128u

struct extent {
    uint64_t base;    // physical
    uint64_t low;     // [base, low) is taken by small objects, at most
    uint64_t high;    // what is above is taken
    handle_t untyped; // whose memory it is
};

struct memory {
    struct extent extent[EXTENTS_MAX];
    unsigned count;
};

// One piece of a range that the kernel can be asked for at an exact place.
struct piece {
    uint64_t offset; // in the range
    uint64_t size;
};
#define PIECES_MAX 2u

void memory_init(struct memory *m, const struct boot_info *boot);

// Bytes from the low end of some extent, for a kernel object. False: there is no room.
bool memory_take_object(struct memory *m, uint64_t bytes);
// Pages from the high end of some extent, contiguous, and aligned to 2 MiB if that large.
bool memory_take_pages(struct memory *m, uint64_t bytes);
uint64_t memory_left(const struct memory *m);    // bytes
uint64_t memory_largest(const struct memory *m); // contiguous bytes

// The extent that has all of r free, or NULL.
struct extent *memory_find(struct memory *m, struct range r);
// Cuts an extent: it ends where r begins.
void memory_cut(struct extent *e, struct range r);
// A new extent. False: too many.
bool memory_add(struct memory *m, struct range r, handle_t untyped);

// Takes a range at an exact place out of the model. False: it isn't free.
bool memory_take_range(struct memory *m, struct range r);

// Divides a range so that each piece lands where it should when the pieces are carved from the high end in this
// order: what is 2 MiB or larger starts on a multiple of that. Returns how many (none for an empty range).
unsigned memory_pieces(struct range r, struct piece pieces[PIECES_MAX]);

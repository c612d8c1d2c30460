// What is where in a process's address space, as far as the plan needs it: does anything overlap, and how many page
// tables will all of it take.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <base/range.h>

#define SPANS_MAX        256u
#define PHYSICAL_UNKNOWN UINT64_MAX

struct span {
    struct range at;
    uint64_t
        physical; // of its first byte, or PHYSICAL_UNKNOWN; decides which parts a 2 MiB entry may map
};

struct layout {
    struct span spans[SPANS_MAX]; // by address
    unsigned count;
};

enum layout_answer {
    LAYOUT_OK,
    LAYOUT_OVERLAPS,
    LAYOUT_OUTSIDE, // of the address space
    LAYOUT_FULL,
};

enum layout_answer layout_add(struct layout *l, struct range at, uint64_t physical) WARN_UNUSED;

// How a refusal goes on after what doesn't fit: "its program" ...
const char *layout_text(enum layout_answer answer);

// Page tables below the root, at most.
unsigned layout_tables(const struct layout *l);

// What the parent and its child agree on.
#pragma once

#include <stdint.h>

#define NULL_ADDRESS ((uintptr_t)0)
#define TEXT_ADDRESS 0x200000u // where images start, and where a process is entered

enum misdeed {
    READ_NULL,
    WRITE_TEXT,
    EXECUTE_DATA,
    UNDEFINED_INSTRUCTION,
    FLOATING_POINT,
    MISDEEDS, // how many there are
};

struct shared {
    uint32_t order;    // parent: enum misdeed of the next life
    uint32_t lives;    // child: how often it was started
    uint32_t survived; // child: how often a misdeed had no consequences
};

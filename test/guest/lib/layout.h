// What start.S and the C code of a payload agree on. Numbers only unless C.
#pragma once

#define STACK_SHIFT 15 // each core's stack: 32 KiB, aligned
#define CPUS_MAX    8

// struct frame
#define FRAME_SP_EL0 248
#define FRAME_ELR    256
#define FRAME_SPSR   264
#define FRAME_ESR    272
#define FRAME_FAR    280
#define FRAME_SIZE   288

#ifndef __ASSEMBLER__
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

// What a synchronous exception interrupted. Handlers may change all of it.
struct frame {
    uint64_t x[31];
    uint64_t sp_el0;
    uint64_t elr;
    uint64_t spsr;
    uint64_t esr;
    uint64_t far;
};
static_assert(offsetof(struct frame, sp_el0) == FRAME_SP_EL0, "start.S");
static_assert(offsetof(struct frame, elr) == FRAME_ELR, "start.S");
static_assert(offsetof(struct frame, far) == FRAME_FAR, "start.S");
static_assert(sizeof(struct frame) == FRAME_SIZE, "start.S");
#endif

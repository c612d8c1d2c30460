// What C cannot say: system calls by number, instructions that a process may not use, FP registers. asm.S, fp.S.
#pragma once

#include <stdint.h>

#include <abi/err.h>

// `svc #number` with x0..x7 from and to x[]. number < SVC_NUMBERS.
#define SVC_NUMBERS 64u
err_t svc_number(uint64_t x[8], uint64_t number);

// Instructions, one a probe: a function that executes it and returns. Those from `allowed` on may be used.
struct probe {
    void (*run)(void *memory); // x0: a readable and writable address, 64-byte aligned
    const char *name;
};
extern const struct probe forbidden_probes[];
extern const uint64_t forbidden_probe_count;
extern const struct probe allowed_probes[];
extern const uint64_t allowed_probe_count;

// Fills q0-q31, FPSR and FPCR with a pattern made from `seed`.
void fp_fill(uint64_t seed);

// Compares all of them with that pattern: 0, or which differs (1 + number of the register).
uint64_t fp_differs(uint64_t seed);
extern const char fp_code_end[]; // both, from fp_fill to here, may be copied

// A thread without a stack, to be stopped at any moment: signals handle x19 and, unless x20 is 0, calls handle x20,
// for ever; x21 counts.
void puppet(void);

// Registers that only assembly can fill and compare, and EL0: see registers.S.
#pragma once

#include <stdint.h>

uint64_t gpr_hold(uint64_t seed, uint64_t turns);
void fp_fill(uint64_t seed);
uint64_t fp_check(uint64_t seed);

#define SPSR_EL0  0x1c0ull // EL0, all but debug exceptions masked
#define SPSR_EL1  0x3c5ull // EL1 with its own stack pointer, everything masked
#define SPSR_STEP (1ull << 21)

void el0_run(uint64_t entry, uint64_t argument, uint64_t spsr);
extern char el0_return[];

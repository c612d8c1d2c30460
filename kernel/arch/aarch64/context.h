// What a core keeps in registers on behalf of the thread or guest that runs on it: context.c.
#pragma once

#include <stdbool.h>

#include <base/bits.h>

#include "percpu.h"

// Loads the FP registers from here, for whoever runs; whoever had them has them in memory afterwards.
void context_fp_take(struct arch_fp *fp);

// Lets EL0 and EL1 use the FP registers, or have it trapped.
void context_fp_trap(struct percpu *cpu, bool open);

// The next use traps, its owner's too: for a way that is used more often than FP at its end.
static inline void context_fp_close(struct percpu *cpu)
{
    if (UNLIKELY(cpu->arch.fp_open)) {
        context_fp_trap(cpu, false);
    }
}

// fp.S
void fp_save(struct arch_fp *to);
void fp_load(const struct arch_fp *from);

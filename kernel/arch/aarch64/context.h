// What a core keeps in registers on behalf of the thread or guest that runs on it: context.c.
#pragma once

#include <stdbool.h>

struct arch_fp;
struct percpu;

// Loads the FP registers from here, for whoever runs; whoever had them has them in memory afterwards.
void context_fp_take(struct arch_fp *fp);

// Lets EL0 and EL1 use the FP registers, or have it trapped.
void context_fp_trap(struct percpu *cpu, bool open);

// fp.S
void fp_save(struct arch_fp *to);
void fp_load(const struct arch_fp *from);

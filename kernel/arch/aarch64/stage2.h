// Stage 2: the translation of processes. stage2.c
#pragma once

#include <stdint.h>

#include "arch.h"

// Boot core: reads what the machine can do and decides the geometry. Then each core, itself included.
void stage2_init(void);
void stage2_init_core(void);

// VTTBR_EL2, where it is another for sure. Synchronized by the next eret or ISB.
static inline void stage2_change(struct arch_percpu *cpu, uint64_t vttbr)
{
    cpu->vttbr = vttbr;
    sysreg_write(vttbr_el2, vttbr);
}

// VTTBR_EL2, if it is not there yet. Synchronized by the next eret or ISB.
static inline void stage2_enter(struct arch_percpu *cpu, uint64_t vttbr)
{
    if (cpu->vttbr != vttbr) {
        cpu->vttbr = vttbr;
        sysreg_write(vttbr_el2, vttbr);
    }
}

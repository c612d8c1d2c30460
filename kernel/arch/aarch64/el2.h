// Control registers of EL2, and of EL1 where they act on EL0: el2.c.
#pragma once

#include <spec/sysreg.h>

// While processes run, and, as long as there is nothing else to run, always. Stage 1 is off (TGE) and Normal memory
// (DC: without it data of a process would be Device memory), stage 2 is on, everything that EL0 may not do comes here.
#define HCR_PROCESS                                                                                \
    (HCR_TGE | HCR_DC | HCR_VM | HCR_RW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_SWIO | HCR_FB |        \
     HCR_BSU_INNER | HCR_TSC | HCR_TIDCP)

// While guests run: without TWI, which depends on whether somebody else could use the core.
#define HCR_GUEST                                                                                  \
    (HCR_VM | HCR_RW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_SWIO | HCR_FB | HCR_BSU_INNER | HCR_TSC | \
     HCR_TIDCP | HCR_TID3 | HCR_TACR | HCR_TSW)

// What acts on EL0 although a process has no EL1. EL0 may clean caches by address, zero by DC ZVA, read CTR_EL0, wait;
// nothing else.
#define SCTLR_PROCESS                                                                              \
    (SCTLR_EL1_RES1 | SCTLR_UCI | SCTLR_UCT | SCTLR_DZE | SCTLR_NTWI | SCTLR_NTWE | SCTLR_I |      \
     SCTLR_C | SCTLR_SA0)
#define CPACR_PROCESS CPACR_FPEN // FP is trapped by CPTR_EL2

// FP traps unless the core's FP registers belong to the thread that runs: context.c opens it.
#define CPTR_PROCESS (CPTR_EL2_RES1 | CPTR_TFP | CPTR_TTA | CPTR_TAM)

// On each core: gives every register its value.
void el2_init_core(void);

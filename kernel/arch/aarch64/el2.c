// Every control register of EL2, and those of EL1 that act on EL0, gets a known value here: firmware may leave
// anything in them. Arm ARM (DDI 0487) D17.2. Not here, because start.S needs them before C runs: HCR_EL2 (set again
// here), SCTLR_EL2, TCR_EL2, MAIR_EL2, TTBR0_EL2, VBAR_EL2; VTCR_EL2 and VTTBR_EL2: stage2.c; CNTHP_*: timer.c;
// ICC_*: gicv3.c.
#include "el2.h"

#include <assert.h>

#include "arch.h"
#include "core_has.h"
#include "panic.h"

static_assert((HCR_PROCESS & HCR_DC) != 0, "data of processes must be Normal memory");
static_assert((HCR_PROCESS & HCR_E2H) == 0, "the kernel does not run with VHE");

// When a register exists; the rest is in core_has.h.
static bool always(void)
{
    return true;
}

static bool has_pmu(void)
{
    uint64_t version = field_get(sysreg_read(id_aa64dfr0_el1), 11, 8);
    return version != 0 && version != 15;
}

// Counters that EL1 may use: all of them, they are trapped as a whole.
static uint64_t counters(void)
{
    return has_pmu() ? field_get(sysreg_read(pmcr_el0), 15, 11) : 0;
}

// Debug exceptions of a guest are its own (no TDE); those of processes come here all the same, since TGE is set.
#define MDCR (MDCR_TDRA | MDCR_TDOSA | MDCR_TDA | MDCR_TPM | MDCR_TPMCR | MDCR_TPMS | MDCR_TTRF)

// clang-format off
/* register, exists, value */
#define REGISTERS(X)                                                                               \
    X(hcr_el2, always, HCR_PROCESS)                                                                \
    X(cptr_el2, always, CPTR_PROCESS)                                                              \
    X(mdcr_el2, always, MDCR | counters())                                                         \
    X(hstr_el2, always, 0)                                                                         \
    X(cnthctl_el2, always, CNTHCTL_EL1PCTEN)    /* guests read the physical counter; no timer */   \
    X(cntvoff_el2, always, 0)                                                                      \
    X(vpidr_el2, always, sysreg_read(midr_el1))                                                    \
    X(vmpidr_el2, always, sysreg_read(mpidr_el1))                                                  \
    X(S3_4_C12_C9_5, has_gic_registers, 7)      /* ICC_SRE_EL2: registers. EL1's own: trapped */   \
    X(S3_4_C10_C5_0, has_mpam, MPAM2_TRAP)      /* MPAM2_EL2 */                                    \
    X(S3_4_C1_C2_2, has_hcrx, 0)                /* HCRX_EL2 */                                     \
    X(S3_4_C1_C1_4, has_fine_grained_traps, 0)  /* HFGRTR_EL2 */                                   \
    X(S3_4_C1_C1_5, has_fine_grained_traps, 0)  /* HFGWTR_EL2 */                                   \
    X(S3_4_C1_C1_6, has_fine_grained_traps, 0)  /* HFGITR_EL2 */                                   \
    X(S3_4_C3_C1_4, has_fine_grained_traps, 0)  /* HDFGRTR_EL2 */                                  \
    X(S3_4_C3_C1_5, has_fine_grained_traps, 0)  /* HDFGWTR_EL2 */                                  \
    /* What acts on EL0 although there is no EL1. */                                               \
    X(sctlr_el1, always, SCTLR_PROCESS)                                                            \
    X(cpacr_el1, always, CPACR_PROCESS)                                                            \
    X(cntkctl_el1, always, 0)                   /* no timers, no event stream */                   \
    X(mdscr_el1, always, 0)                     /* a left-over step would fire for ever */         \
    X(pmuserenr_el0, has_pmu, 0)                                                                   \
    X(S3_3_C13_C2_3, has_amu, 0)                /* AMUSERENR_EL0 */                                \
    X(sp_el0, always, 0)                                                                           \
    X(tpidr_el0, always, 0)                                                                        \
    X(tpidrro_el0, always, 0)
// clang-format on

void el2_init_core(void)
{
#define SET(name, exists, value)                                                                   \
    if (exists()) {                                                                                \
        sysreg_write(name, (value));                                                               \
    }
    REGISTERS(SET)
#undef SET
    isb();
    ASSERT((sysreg_read(hcr_el2) & (HCR_DC | HCR_TGE | HCR_VM | HCR_E2H)) ==
           (HCR_DC | HCR_TGE | HCR_VM));
}

// Everything of a guest's EL1 that the hardware keeps across exits: one table. The first four act on EL0, too, and are
// switched at every exit and entry (guest.c); the rest when another vcpu takes the core. And how the registers of a vcpu
// that is in memory are set, read and written by number.
#include <assert.h>

#include <base/str.h>
#include <spec/sysreg.h>

#include "core_has.h"
#include "el2.h"
#include "guest.h"
#include "machine.h"
#include "percpu.h"
#include "space.h"
#include "stage2.h"
#include "vcpu.h"

/* enum vcpu_register, the register */
#define LAZY(X)                                                                                    \
    X(TTBR0_EL1, ttbr0_el1)                                                                        \
    X(TTBR1_EL1, ttbr1_el1)                                                                        \
    X(TCR_EL1, tcr_el1)                                                                            \
    X(MAIR_EL1, mair_el1)                                                                          \
    X(AMAIR_EL1, amair_el1)                                                                        \
    X(VBAR_EL1, vbar_el1)                                                                          \
    X(CONTEXTIDR_EL1, contextidr_el1)                                                              \
    X(AFSR0_EL1, afsr0_el1)                                                                        \
    X(AFSR1_EL1, afsr1_el1)                                                                        \
    X(ESR_EL1, esr_el1)                                                                            \
    X(FAR_EL1, far_el1)                                                                            \
    X(PAR_EL1, par_el1)                                                                            \
    X(ELR_EL1, elr_el1)                                                                            \
    X(SPSR_EL1, spsr_el1)                                                                          \
    X(SP_EL1, sp_el1)                                                                              \
    X(TPIDR_EL1, tpidr_el1)                                                                        \
    X(CSSELR_EL1, csselr_el1)                                                                      \
    X(CNTV_CVAL_EL0, cntv_cval_el0)                                                                \
    X(CNTVOFF_EL2, cntvoff_el2)                                                                    \
    X(VMPIDR_EL2, vmpidr_el2)                                                                      \
    X(VPIDR_EL2, vpidr_el2)

/* The same for those that not every core has, and when it has them. A guest's DISR_EL1 is VDISR_EL2. */
#define OPTIONAL(X)                                                                                \
    X(VDISR_EL2, S3_4_C12_C1_1, has_ras)                                                           \
    X(TPIDR2_EL0, S3_3_C13_C0_5, has_sme)

enum {
#define LAZY_NUMBER(name, ...) LAZY_##name,
    LAZY(LAZY_NUMBER) OPTIONAL(LAZY_NUMBER)
#undef LAZY_NUMBER
        LAZY_COUNT
};
static_assert(LAZY_COUNT + 4 + 1 == VCPU_REGISTERS,
              "every register but the four of guest.c and CNTV_CTL_EL0 is switched here");

#define BREAKPOINTS(X)                                                                             \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void load_debug(const struct vcpu *v)
{
    uint64_t features = sysreg_read(id_aa64dfr0_el1);
    uint64_t breakpoints = field_get(features, 15, 12) + 1;
    uint64_t watchpoints = field_get(features, 23, 20) + 1;
#define LOAD(n)                                                                                    \
    if ((n) < breakpoints) {                                                                       \
        sysreg_write(dbgbvr##n##_el1, v->arch.debug[0][n]);                                        \
        sysreg_write(dbgbcr##n##_el1, v->arch.debug[1][n]);                                        \
    }                                                                                              \
    if ((n) < watchpoints) {                                                                       \
        sysreg_write(dbgwvr##n##_el1, v->arch.debug[2][n]);                                        \
        sysreg_write(dbgwcr##n##_el1, v->arch.debug[3][n]);                                        \
    }
    BREAKPOINTS(LOAD)
#undef LOAD
}

void state_save(struct vcpu *v)
{
#define SAVE(name, sysreg) v->arch.reg[VCPU_REG_##name] = sysreg_read(sysreg);
    LAZY(SAVE)
#undef SAVE
#define SAVE(name, sysreg, exists)                                                                 \
    v->arch.reg[VCPU_REG_##name] = exists() ? sysreg_read(sysreg) : 0;
    OPTIONAL(SAVE)
#undef SAVE
    v->arch.reg[VCPU_REG_CNTV_CTL_EL0] =
        sysreg_read(S3_3_C14_C3_1) & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
    sysreg_write(S3_3_C14_C3_1, 0);
    isb();
}

// Through an empty VTTBR_EL2: no walk finds one guest's tables behind another's registers.
void state_load(const struct vcpu *v)
{
    struct arch_percpu *cpu = &this_cpu()->arch;
    stage2_enter(cpu, cpu->nowhere);
    isb();
#define LOAD(name, sysreg) sysreg_write(sysreg, v->arch.reg[VCPU_REG_##name]);
    LAZY(LOAD)
#undef LOAD
#define LOAD(name, sysreg, exists)                                                                 \
    if (exists()) {                                                                                \
        sysreg_write(sysreg, v->arch.reg[VCPU_REG_##name]);                                        \
    }
    OPTIONAL(LOAD)
#undef LOAD
    if (v->arch.debugs || cpu->debugs) {
        load_debug(v);
        cpu->debugs = v->arch.debugs;
    }
    isb(); // the comparator before the enable
    sysreg_write(S3_3_C14_C3_1, v->arch.reg[VCPU_REG_CNTV_CTL_EL0]);
}

// ---- In memory ----------------------------------------------------------------------------------------------------

// What is pending or active belongs to the interrupt controller, not to the core: it stays. With it stays what is known
// of physical interrupts that are active for it, or nobody would ever end them.
void arch_vcpu_reset(struct vcpu *v)
{
    static const uint64_t values[] = {
#define RESET(name, reset) [VCPU_REG_##name] = (reset),
        VCPU_REGISTER_LIST(RESET)
#undef RESET
    };
    uint64_t held = v->arch.vgic.held;
    v->arch = (struct arch_vcpu){.vgic.held = held};
    memcpy(v->arch.reg, values, sizeof(v->arch.reg));
    if (v->page != NULL) { // its timer is off
        atomic_fetch_and(&v->page->asserted, ~SOURCE_TIMER);
    }
    if (v->space != NULL) { // nor does a core that comes out of reset remember translations
        arch_space_forget(&v->space->arch, v);
    }
}

static bool is_debug(unsigned reg)
{
    return reg >= VCPU_REG_DBGBVR && reg < VCPU_REG_DBGBVR + 64;
}

// clang-format off
#define ID(crm, op2) case (crm) * 8 + (op2): return sysreg_read(S3_0_C0_C##crm##_##op2);
#define IDS(crm) ID(crm, 0) ID(crm, 1) ID(crm, 2) ID(crm, 3) ID(crm, 4) ID(crm, 5) ID(crm, 6) ID(crm, 7)

static uint64_t machine_id(unsigned crm_op2)
{
    switch (crm_op2) {
    ID(0, 0) ID(0, 5) ID(0, 6)
    IDS(1) IDS(2) IDS(3) IDS(4) IDS(5) IDS(6) IDS(7)
    default:
        return 0;
    }
}
// clang-format on

bool arch_vcpu_reg_read(const struct vcpu *v, unsigned reg, uint64_t *value)
{
    if (reg < VCPU_REGISTERS) {
        *value = v->arch.reg[reg];
    } else if (is_debug(reg)) {
        *value = v->arch.debug[(reg - VCPU_REG_DBGBVR) / 16][reg % 16];
    } else if (reg == VCPU_REG_VMCR) {
        *value = v->arch.vgic.vmcr;
    } else if (reg >= VCPU_REG_ID && reg < VCPU_REG_ID + 64) {
        *value = machine_id(reg - VCPU_REG_ID);
    } else {
        return false;
    }
    return true;
}

static bool any_debug(const struct vcpu *v)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < 16; i++) {
        any |= v->arch.debug[1][i] | v->arch.debug[3][i];
    }
    return any != 0;
}

bool arch_vcpu_reg_write(struct vcpu *v, unsigned reg, uint64_t value)
{
    if (reg < VCPU_REGISTERS) {
        v->arch.reg[reg] = reg == VCPU_REG_MDSCR_EL1
                               ? value & (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE)
                               : value;
    } else if (is_debug(reg)) {
        v->arch.debug[(reg - VCPU_REG_DBGBVR) / 16][reg % 16] = value;
        v->arch.debugs = any_debug(v);
    } else if (reg == VCPU_REG_VMCR) {
        v->arch.vgic.vmcr = value;
    } else {
        return false;
    }
    return true;
}

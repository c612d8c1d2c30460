// See inject.h.
#include "inject.h"

#include <stdint.h>

#include <spec/pstate.h>
#include <spec/trap.h>

#include "vm.h"

// Offsets of synchronous exceptions in the vector table, by where they come from.
#define VECTOR_SP_EL0        0x000u // EL1 with SP_EL0
#define VECTOR_SP_EL1        0x200u
#define VECTOR_LOWER         0x400u
#define VECTOR_LOWER_AARCH32 0x600u
#define VECTOR_TABLE         FIELD(63, 11) // VBAR_EL1

// ID registers that say which bits PSTATE has, and their fields.
#define ID_PFR1  VCPU_REG_ID_OF(4, 1)
#define ID_MMFR1 VCPU_REG_ID_OF(7, 1)

static uint64_t read_register(const struct vcpu *v, unsigned reg)
{
    return port_register_read(v->vm->port, v->index, reg);
}

static void write_register(const struct vcpu *v, unsigned reg, uint64_t value)
{
    port_register_write(v->vm->port, v->index, reg, value);
}

static bool from_el0(uint64_t pstate)
{
    return (pstate & SPSR_AARCH32) != 0 || (pstate & SPSR_M) == SPSR_EL0T;
}

static unsigned vector(uint64_t pstate)
{
    if ((pstate & SPSR_AARCH32) != 0) {
        return VECTOR_LOWER_AARCH32;
    }
    switch (pstate & SPSR_M) {
    case SPSR_EL0T:
        return VECTOR_LOWER;
    case SPSR_EL1T:
        return VECTOR_SP_EL0;
    default:
        return VECTOR_SP_EL1;
    }
}

// PSTATE in the handler. What the CPU does not have stays 0.
static uint64_t handler_pstate(const struct vcpu *v, uint64_t old)
{
    uint64_t sctlr = read_register(v, VCPU_REG_SCTLR_EL1);
    uint64_t pfr1 = read_register(v, ID_PFR1);
    bool has_pan = field_get(read_register(v, ID_MMFR1), 23, 20) != 0;
    bool has_ssbs = field_get(pfr1, 7, 4) != 0;
    bool has_tag_checks = field_get(pfr1, 11, 8) >= 2;
    bool was_dit = (old & ((old & SPSR_AARCH32) != 0 ? SPSR_A32_DIT : SPSR_DIT)) != 0;

    uint64_t pstate = SPSR_EL1H | SPSR_DAIF | (old & SPSR_NZCV);
    pstate |= was_dit ? SPSR_DIT : 0;
    pstate |= has_pan && ((old & SPSR_PAN) != 0 || (sctlr & SCTLR_SPAN) == 0) ? SPSR_PAN : 0;
    pstate |= has_ssbs && (sctlr & SCTLR_DSSBS) != 0 ? SPSR_SSBS : 0;
    pstate |= has_tag_checks ? SPSR_TCO : 0;
    return pstate;
}

static void enter_handler(struct vcpu *v, uint64_t esr)
{
    struct vcpu_regs *regs = &v->page->regs;
    uint64_t old = regs->pstate;
    write_register(v, VCPU_REG_ESR_EL1, esr);
    write_register(v, VCPU_REG_ELR_EL1, regs->pc);
    write_register(v, VCPU_REG_SPSR_EL1, old);
    regs->pc = (read_register(v, VCPU_REG_VBAR_EL1) & VECTOR_TABLE) + vector(old);
    regs->pstate = handler_pstate(v, old);
}

void inject_undefined(struct vcpu *v)
{
    enter_handler(v, (uint64_t)EC_UNKNOWN << ESR_EC_SHIFT | ESR_IL);
}

// The class that EL1 sees: classes of the same exception level follow those of the lower one.
static uint64_t abort_class(unsigned ec, uint64_t pstate)
{
    return (ec | (from_el0(pstate) ? 0u : 1u));
}

void inject_external_abort(struct vcpu *v)
{
    uint64_t cause = v->page->syndrome;
    uint64_t class = abort_class(esr_ec(cause), v->page->regs.pstate);
    uint64_t kept = ESR_ABORT_FNV;
    if (esr_ec(cause) == EC_DATA_ABORT_LOWER) {
        kept |= ESR_ABORT_WNR | ESR_ABORT_CM;
    }
    // Which level of the guest's walk it was, nobody says: the first.
    uint64_t code = (cause & ESR_ABORT_S1PTW) != 0 ? FSC_EXTERNAL_WALK : FSC_EXTERNAL;
    write_register(v, VCPU_REG_FAR_EL1, v->page->address);
    enter_handler(v, class << ESR_EC_SHIFT | ESR_IL | (cause & kept) | code);
}

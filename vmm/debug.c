// See debug.h.
#include "debug.h"

#include <assert.h>

#include <base/bits.h>

#include "sysreg.h"
#include "vm.h"

#define MDSCR_SS   BIT(0)
#define MDSCR_TDCC BIT(12)
#define MDSCR_KDE  BIT(13)
#define MDSCR_MDE  BIT(15)
// Without HDE (halting) and what the debug communication channel shows.
#define MDSCR_WRITABLE (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE)
// Neither breakpoints and watchpoints nor steps while a lock is set.
#define MDSCR_LOCKED MDSCR_TDCC

#define BCR_WRITABLE (FIELD(23, 13) | FIELD(8, 5) | FIELD(2, 0)) // BT LBN SSC HMC, BAS, PMC E
#define WCR_WRITABLE                                                                               \
    (FIELD(28, 24) | FIELD(20, 13) | FIELD(12, 0)) // MASK, WT LBN SSC HMC, BAS LSC PAC E

#define OSLSR_IMPLEMENTED BIT(3) // OSLM: there is an OS lock
#define OSLSR_LOCKED      BIT(1)

#define CLAIM_TAGS 0xffu

#define DOUBLE_LOCK_SHIFT 36 // ID_AA64DFR0_EL1.DoubleLock: 0 or, not implemented, 15

// op2 of the four registers of a pair.
#define OP2_BVR 4u
#define OP2_BCR 5u
#define OP2_WVR 6u
#define OP2_WCR 7u

static_assert(VCPU_REG_DBGBCR - VCPU_REG_DBGBVR == 16 && VCPU_REG_DBGWVR - VCPU_REG_DBGBCR == 16 &&
                  VCPU_REG_DBGWCR - VCPU_REG_DBGWVR == 16,
              "pair_register");

static unsigned pair_register(uint32_t iss)
{
    return VCPU_REG_DBGBVR + (sysreg_op2(iss) - OP2_BVR) * 16 + sysreg_crm(iss);
}

static void write_mdscr(struct vcpu *v)
{
    const struct debug *d = &v->debug;
    uint64_t effective = d->os_lock || d->double_lock ? d->mdscr & MDSCR_LOCKED : d->mdscr;
    port_register_write(v->vm->port, v->index, VCPU_REG_MDSCR_EL1, effective);
}

void debug_reset(struct vcpu *v)
{
    v->debug = (struct debug){.os_lock = true};
    write_mdscr(v);
}

bool debug_has_pair(const struct vcpu *v, unsigned op2, unsigned number)
{
    uint64_t dfr0 = v->vm->cpu.id[CPU_AA64DFR0];
    return number <= (op2 < OP2_WVR ? field_get(dfr0, 15, 12) : field_get(dfr0, 23, 20));
}

uint64_t debug_read_pair(struct vcpu *v, uint32_t iss)
{
    return port_register_read(v->vm->port, v->index, pair_register(iss));
}

void debug_write_pair(struct vcpu *v, uint32_t iss, uint64_t value)
{
    unsigned op2 = sysreg_op2(iss);
    if (op2 == OP2_BCR) {
        value &= BCR_WRITABLE;
    } else if (op2 == OP2_WCR) {
        value &= WCR_WRITABLE;
    }
    port_register_write(v->vm->port, v->index, pair_register(iss), value);
}

uint64_t debug_read_mdscr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return v->debug.mdscr;
}

void debug_write_mdscr(struct vcpu *v, uint32_t iss, uint64_t value)
{
    (void)iss;
    v->debug.mdscr = value & MDSCR_WRITABLE;
    write_mdscr(v);
}

void debug_write_oslar(struct vcpu *v, uint32_t iss, uint64_t value)
{
    (void)iss;
    v->debug.os_lock = (value & 1) != 0;
    write_mdscr(v);
}

uint64_t debug_read_oslsr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return OSLSR_IMPLEMENTED | (v->debug.os_lock ? OSLSR_LOCKED : 0);
}

uint64_t debug_read_osdlr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return v->debug.double_lock;
}

void debug_write_osdlr(struct vcpu *v, uint32_t iss, uint64_t value)
{
    (void)iss;
    if ((v->vm->cpu.id[CPU_AA64DFR0] >> DOUBLE_LOCK_SHIFT & 15) == 0) {
        v->debug.double_lock = (value & 1) != 0;
        write_mdscr(v);
    }
}

uint64_t debug_read_claimset(struct vcpu *v, uint32_t iss)
{
    (void)v;
    (void)iss;
    return CLAIM_TAGS; // which tags there are
}

void debug_write_claimset(struct vcpu *v, uint32_t iss, uint64_t value)
{
    (void)iss;
    v->debug.claim |= (uint8_t)value;
}

uint64_t debug_read_claimclr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return v->debug.claim;
}

void debug_write_claimclr(struct vcpu *v, uint32_t iss, uint64_t value)
{
    (void)iss;
    v->debug.claim &= (uint8_t)~value;
}

// System registers and system instructions that trap (ESR_EL2.EC 0x18): one of the three doors for guest input.
// Encodings: Arm ARM (DDI 0487) D17.2.37 (the syndrome) and D17.3 (the registers).
//
// Called on the vcpu's own thread after such an exit, the lock not held.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/bits.h>

struct vcpu;
enum handled;

// The syndrome's fields: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, Direction 0 (1 is a read).
#define SYSREG_ISS(op0, op1, crn, crm, op2)                                                        \
    ((uint32_t)((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1))
#define SYSREG_RT(rt) ((uint32_t)(rt) << 5)
#define SYSREG_READ   1u

static inline unsigned sysreg_op2(uint32_t iss)
{
    return iss >> 17 & 7;
}

static inline unsigned sysreg_crm(uint32_t iss)
{
    return iss >> 1 & 15;
}

static inline unsigned sysreg_rt(uint32_t iss)
{
    return iss >> 5 & 31;
}

// Does what the instruction with this syndrome wants, Rt included, except to advance pc. UNHANDLED: there is no such
// register for this guest, which gets an undefined instruction.
enum handled sysreg_access(struct vcpu *v, uint32_t iss);

// What belongs to the registers handled here: as after a reset.
void sysreg_reset(struct vcpu *v);

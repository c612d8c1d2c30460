// What traps from a guest into EL2 add to esr.h: Arm ARM (DDI 0487) section D17.2.37, ISS encodings of data aborts with
// a valid syndrome, classes of AArch32.
#pragma once

#include <base/bits.h>

#include "esr.h"

// Traps from AArch32.
#define EC_CP15_32  0x03u
#define EC_CP15_64  0x04u
#define EC_CP14_32  0x05u
#define EC_CP14_LDC 0x06u
#define EC_VMRS     0x08u
#define EC_CP14_64  0x0cu

// Data aborts: ISS encoding. What describes the instruction holds only with ISV: a load or store of one general
// register without write-back.
#define ESR_ABORT_CM  BIT(8)  // cache maintenance by address
#define ESR_ABORT_SF  BIT(15) // the register is 64 bits wide
#define ESR_ABORT_SSE BIT(21) // the value is sign-extended
#define ESR_ABORT_ISV BIT(24)

// Fault status codes with their level (bits 5:0).
#define FSC_EXTERNAL_WALK 0x14u // synchronous external abort on a walk of the tables; + level
#define ESR_FSC_MASK      FIELD(5, 0)

// Binary logarithm of the access size.
static inline unsigned esr_abort_sas(uint64_t esr)
{
    return (unsigned)field_get(esr, 23, 22);
}

// The general register; 31: the zero register.
static inline unsigned esr_abort_srt(uint64_t esr)
{
    return (unsigned)field_get(esr, 20, 16);
}

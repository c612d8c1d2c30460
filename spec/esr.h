// ESR_ELx, exception syndrome: Arm ARM (DDI 0487) section D17.2.37.
#pragma once

#include <base/bits.h>

#define ESR_EC_SHIFT 26
#define ESR_EC_COUNT 64u
#define ESR_IL       BIT(25)
#define ESR_ISS      FIELD(24, 0)

enum esr_ec {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP = 0x07, // FP or SIMD access, trapped
    EC_BTI = 0x0d,
    EC_ILLEGAL_STATE = 0x0e,
    EC_SVC64 = 0x15,
    EC_HVC64 = 0x16,
    EC_SMC64 = 0x17,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_INSTRUCTION_ABORT_LOWER = 0x20,
    EC_INSTRUCTION_ABORT = 0x21,
    EC_PC_ALIGNMENT = 0x22,
    EC_DATA_ABORT_LOWER = 0x24,
    EC_DATA_ABORT = 0x25,
    EC_SP_ALIGNMENT = 0x26,
    EC_SERROR = 0x2f,
    EC_BREAKPOINT_LOWER = 0x30,
    EC_STEP_LOWER = 0x32,
    EC_WATCHPOINT_LOWER = 0x34,
    EC_BRK = 0x3c,
};

// Aborts: ISS encoding.
#define ESR_ABORT_WNR   BIT(6)  // data abort: a write
#define ESR_ABORT_S1PTW BIT(7)  // while walking stage 1
#define ESR_ABORT_FNV   BIT(10) // FAR is not valid

// EC_WFX: which.
#define ESR_WFX_WFE BIT(0)

// Fault status code without its level (bits 1:0).
enum esr_fsc {
    FSC_ADDRESS_SIZE = 0x00,
    FSC_TRANSLATION = 0x04,
    FSC_ACCESS_FLAG = 0x08,
    FSC_PERMISSION = 0x0c,
    FSC_EXTERNAL = 0x10,
    FSC_ALIGNMENT = 0x20,
};

static inline unsigned esr_ec(uint64_t esr)
{
    return (unsigned)field_get(esr, 31, 26);
}

static inline unsigned esr_fsc(uint64_t esr)
{
    return (unsigned)(esr & FIELD(5, 2));
}

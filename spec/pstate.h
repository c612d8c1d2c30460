// PSTATE as SPSR_ELx holds it, and what decides about it when an exception is taken to EL1: Arm ARM (DDI 0487) sections
// C5.2.19 (SPSR_EL1) and D1.3.1.
#pragma once

#include <base/bits.h>

#define SPSR_M       FIELD(4, 0) // mode
#define SPSR_EL0T    0x0ull
#define SPSR_EL1T    0x4ull
#define SPSR_EL1H    0x5ull
#define SPSR_AARCH32 BIT(4)

#define SPSR_DAIF  FIELD(9, 6)
#define SPSR_BTYPE FIELD(11, 10) // AArch64
#define SPSR_SSBS  BIT(12)
#define SPSR_IL    BIT(20)
#define SPSR_SS    BIT(21)
#define SPSR_PAN   BIT(22)
#define SPSR_DIT   BIT(24)
#define SPSR_TCO   BIT(25)
#define SPSR_NZCV  FIELD(31, 28)

#define SPSR_IT_LOW  FIELD(26, 25) // AArch32: ITSTATE[1:0]
#define SPSR_IT_HIGH FIELD(15, 10) // ITSTATE[7:2]

#define SPSR_A32_DIT  BIT(21) // where AArch32 has it
#define SPSR_A32_SSBS BIT(23)

// SCTLR_EL1: what PSTATE becomes when an exception is taken to EL1.
#define SCTLR_SPAN  BIT(23) // PAN stays as it is
#define SCTLR_DSSBS BIT(44)

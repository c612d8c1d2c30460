// SMC Calling Convention: Arm DEN 0028 (SMCCC 1.1), and the workarounds of its Arm Architecture Service.
#pragma once

#include <base/bits.h>

#define SMCCC_SMC64 BIT(30) // in a function's number: 64-bit arguments

#define SMCCC_VERSION           0x80000000u
#define SMCCC_ARCH_FEATURES     0x80000001u // function
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u // branch predictors: CVE-2017-5715
#define SMCCC_ARCH_WORKAROUND_2 0x80007fffu // speculative store bypass: CVE-2018-3639
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu // branch history: CVE-2022-23960

#define SMCCC_1_1 0x10001u // what SMCCC_VERSION answers

enum smccc_answer {
    SMCCC_SUCCESS = 0,
    SMCCC_NOT_SUPPORTED = -1,
    SMCCC_NOT_REQUIRED = -2,
    // ARCH_FEATURES of a workaround: calling it is safe, this core does not need it.
    SMCCC_UNAFFECTED = 1,
};

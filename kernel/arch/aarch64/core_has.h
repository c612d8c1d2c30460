// What this core has, by its ID registers. Arm ARM (DDI 0487) D17.2. Spelled out only where the kernel asks.
#pragma once

#include <stdbool.h>

#include <base/bits.h>

#include "sysreg.h"

/* has_NAME(), the register, its field: not 0 if the core has it */
#define CORE_FEATURES(X)                                                                           \
    X(gic_registers, id_aa64pfr0_el1, 27, 24)                                                      \
    X(ras, id_aa64pfr0_el1, 31, 28)                                                                \
    X(mpam, id_aa64pfr0_el1, 43, 40)                                                               \
    X(amu, id_aa64pfr0_el1, 47, 44)                                                                \
    X(sme, id_aa64pfr1_el1, 27, 24)                                                                \
    X(fine_grained_traps, id_aa64mmfr0_el1, 59, 56)                                                \
    X(lor, id_aa64mmfr1_el1, 19, 16)                                                               \
    X(hcrx, id_aa64mmfr1_el1, 43, 40)

#define CORE_HAS(name, id, high, low)                                                              \
    static inline bool has_##name(void)                                                            \
    {                                                                                              \
        return field_get(sysreg_read(id), high, low) != 0;                                         \
    }
CORE_FEATURES(CORE_HAS)
#undef CORE_HAS

// PrimeCell real-time clock PL031: Arm DDI 0224, section 3.2. Registers are 32 bits wide.
#pragma once

#include <base/bits.h>

enum pl031_register {
    PL031_DR = 0x000, // seconds
    PL031_MR = 0x004, // match
    PL031_LR = 0x008, // load
    PL031_CR = 0x00c,
    PL031_IMSC = 0x010,
    PL031_RIS = 0x014,
    PL031_MIS = 0x018,
    PL031_ICR = 0x01c,
};

#define PL031_SIZE          0x1000u
#define PL031_PERIPHERAL_ID 0x00041031u

#define PL031_CR_START BIT(0) // once set it stays
#define PL031_INT      BIT(0) // IMSC, RIS, MIS, ICR

// Power State Coordination Interface: Arm DEN 0022 (PSCI 1.1), SMC64 where there is a choice.
#pragma once

#include <base/bits.h>

#define PSCI_VERSION             0x84000000u
#define PSCI_CPU_SUSPEND         0xc4000001u // power state, entry point (physical), context (x0 there)
#define PSCI_CPU_OFF             0x84000002u
#define PSCI_CPU_ON              0xc4000003u // target affinity, entry point (physical), context (x0 there)
#define PSCI_AFFINITY_INFO       0xc4000004u // target affinity, lowest affinity level
#define PSCI_MIGRATE             0xc4000005u
#define PSCI_MIGRATE_INFO_TYPE   0x84000006u
#define PSCI_MIGRATE_INFO_UP_CPU 0xc4000007u
#define PSCI_SYSTEM_OFF          0x84000008u
#define PSCI_SYSTEM_RESET        0x84000009u
#define PSCI_FEATURES            0x8400000au // function
#define PSCI_CPU_FREEZE          0x8400000bu
#define PSCI_CPU_DEFAULT_SUSPEND 0xc400000cu
#define PSCI_NODE_HW_STATE       0xc400000du
#define PSCI_SYSTEM_SUSPEND      0xc400000eu
#define PSCI_SET_SUSPEND_MODE    0x8400000fu
#define PSCI_STAT_RESIDENCY      0xc4000010u
#define PSCI_STAT_COUNT          0xc4000011u
#define PSCI_SYSTEM_RESET2       0xc4000012u // type of reset, cookie
#define PSCI_MEM_PROTECT         0x84000013u
#define PSCI_MEM_PROTECT_CHECK   0xc4000014u

#define PSCI_SMC64  BIT(30)                   // SMC32 functions lack it
#define PSCI_NUMBER 0x1fu                     // the bits by which functions differ, beside it
#define PSCI_1_1    ((uint64_t)(1 << 16 | 1)) // what PSCI_VERSION answers

// CPU_SUSPEND's power state, original format: StateType, PowerLevel, StateID.
#define PSCI_POWER_DOWN  BIT(16)
#define PSCI_POWER_STATE (FIELD(25, 24) | PSCI_POWER_DOWN | FIELD(15, 0))

#define PSCI_RESET_VENDOR BIT(31) // SYSTEM_RESET2: the types from here on are the vendor's
#define PSCI_RESET_WARM   0u

enum psci_affinity {
    PSCI_AFFINITY_ON = 0,
    PSCI_AFFINITY_OFF = 1,
    PSCI_AFFINITY_ON_PENDING = 2,
};

#define PSCI_MIGRATION_NOT_REQUIRED 2 // MIGRATE_INFO_TYPE: no trusted OS, or one that runs anywhere

enum psci_result {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INTERNAL_FAILURE = -6,
    PSCI_NOT_PRESENT = -7,
    PSCI_DISABLED = -8,
    PSCI_INVALID_ADDRESS = -9,
};

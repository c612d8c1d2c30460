// Firmware: PSCI by SMC. psci.c
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/addr.h>

struct psci {
    bool present;
    bool hvc; // the tree wants HVC: firmware is at EL2, that is, the kernel is not
};

void psci_find(const void *fdt, struct psci *psci);

// An enum psci_result. target: affinity as in MPIDR_EL1.
int64_t psci_cpu_on(const struct psci *psci, uint64_t target, paddr_t entry, uint64_t context);

// Returns if there is no PSCI.
void psci_system_off(const struct psci *psci, bool reset);

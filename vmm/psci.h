// Power State Coordination Interface 1.1 for the guest: Arm DEN 0022.
//
// Called from smccc.c, on the vcpu's own thread, the lock not held.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <spec/psci.h>

struct vcpu;

// Is this function's number one of PSCI's?
static inline bool psci_has(uint32_t function)
{
    return (function & ~(uint32_t)(PSCI_SMC64 | PSCI_NUMBER)) == 0x84000000u;
}

// What goes back in x0. CPU_OFF, a suspend that powers down, and what ends the VM have changed the vcpu's power state:
// it does not go on after the call then.
int64_t psci_call(struct vcpu *v, uint32_t id);

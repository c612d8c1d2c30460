// Calls by HVC and SMC: SMC Calling Convention, Arm DEN 0028 (SMCCC 1.1). One of the three doors for guest input.
//
// Called on the vcpu's own thread after such an exit, the lock not held.
#pragma once

#include <stdbool.h>

struct vcpu;
enum handled;

// Reads x0-x3, writes x0; always HANDLED: an unknown function is answered, not trapped. Where the vcpu goes on is for
// its power state to say (PSCI).
enum handled smccc_call(struct vcpu *v, bool smc);

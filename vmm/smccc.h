// Calls by HVC and SMC: SMC Calling Convention, Arm DEN 0028 (SMCCC 1.1). One of the three doors for guest input.
//
// Called on the vcpu's own thread after such an exit, the lock not held.
#pragma once

struct vcpu;

// Reads x0-x3, writes x0: an unknown function is answered, not trapped, and both conduits lead here (guests find one or
// the other in the device tree). Where the vcpu goes on is for its power state to say (PSCI).
void smccc_call(struct vcpu *v);

// Synchronous exceptions into the guest's EL1, taken as the architecture says: Arm ARM (DDI 0487) section D1.3. Called
// from the vcpu's own thread between an exit and the next port_run; page->regs is what the guest was interrupted with,
// with pc at the instruction that causes the exception.
#pragma once

struct vcpu;

// The instruction is not there.
void inject_undefined(struct vcpu *v);

// The access that page->syndrome tells of, a data or instruction abort, got no answer.
void inject_external_abort(struct vcpu *v);

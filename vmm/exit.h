// What follows when the guest has left for something that its monitor has to do: one exit, one answer, by the syndrome
// in the vcpu's page. From the vcpu's own thread, vm.lock not held.
#pragma once

struct vcpu;

// After port_run returned VCPU_TRAP.
void exit_trap(struct vcpu *v);

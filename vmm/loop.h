// The life of a vcpu's thread.
#pragma once

struct vcpu;

// For ever. Before vm_start the vcpu is HALTED, and its thread sleeps here.
_Noreturn void vcpu_loop(struct vcpu *v);

// One turn of it: the guest runs until its next exit, which is dealt with; or the vcpu changes its state; or it sleeps
// until it is woken. A port with one thread for several vcpus makes its own loop of turns.
void vcpu_turn(struct vcpu *v);

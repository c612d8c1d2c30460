// How a virtual machine stops, and what follows: power-off, reset, crash. The protocol is at the head of life.c.
#pragma once

#include <abi/vm.h>

struct vm;
struct vcpu;

// The VM stops. From the thread of any vcpu, vm.lock not held; returns, and that vcpu executes nothing more. If two ask
// at the same time, the first one's event is what counts.
void vm_stop(struct vcpu *self, enum vm_event event);

// The guest has done what it cannot go on from: says so, and stops with VM_EVENT_CRASH.
void vm_crash(struct vcpu *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The VM begins (vm_start). If it cannot, it has said why, and whoever owns the VM hears of a crash: that decides whether
// to try again. On one thread, while no vcpu runs.
void life_begin(struct vm *vm);

// A vcpu's thread has seen that the VM stops: it stands still from here on. The last one that comes here asks what is to
// follow and does it. For loop.c.
void life_halt(struct vcpu *v);

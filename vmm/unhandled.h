// The one place that decides about an access that nobody handles. The guest gets what hardware does when no device
// answers, a synchronous external abort; whoever looks after the system gets, once for each address, a paragraph that
// says what the guest touched, what a device tree would have had there, and what can be done about it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vm;

// Addresses that are remembered. What touches more of them than this is probing, and the rest is only counted.
#define UNHANDLED_ADDRESSES 32u

// Guarded by vm.lock.
struct unhandled {
    uint64_t accesses; // all
    uint32_t count;    // of `addresses`
    bool silent;       // it was said that no more will be said
    uint64_t addresses[UNHANDLED_ADDRESSES];
};

enum unhandled_kind {
    UNHANDLED_READ,
    UNHANDLED_WRITE,
    UNHANDLED_FETCH,       // of an instruction
    UNHANDLED_WALK,        // of the guest's own translation tables
    UNHANDLED_INSTRUCTION, // a load or store that cannot be emulated
};

// `detail`: bytes of a read or write, the encoding of an instruction. From the vcpu's thread, vm.lock not held.
void unhandled_access(struct vcpu *v, enum unhandled_kind kind, uint64_t ipa, uint32_t detail);

// How many there were, if there were more than were told. All vcpus stand still.
void unhandled_summary(struct vm *vm);

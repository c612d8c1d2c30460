// How often each vcpu left its guest for this monitor, and why. Counting is a load, an add and a store, so it is always
// done; VM_TRACE_EXITS decides whether the table is printed.
#pragma once

struct vm;

// Indices of struct vcpu's `exits`: exception classes (spec/esr.h), and from 64 on what they do not tell. (Which emulated
// device was read or written, how often: `accesses`, counted by whoever finds it on the bus.)
enum trace_kind {
    TRACE_MMIO_DECODED = 64, // data aborts whose instruction had to be fetched and taken apart
    TRACE_SGI, // instructions that send SGIs, by a system register or the distributor's
    TRACE_NOTIFIED,
    TRACE_DEADLINE,
    TRACE_OTHER,
    TRACE_KINDS,
};

// One table for all vcpus, if the VM's config wants it. All vcpus stand still.
void trace_print(struct vm *vm);

// Back to zero: the VM starts. All vcpus stand still.
void trace_reset(struct vm *vm);

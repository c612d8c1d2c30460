// Into the guest and back: see vcpu.h. This is on the path of every exit that a VMM handles. The kernel keeps pc and
// stack pointer; what a C function must not lose is saved here. Code of a VMM uses no FP registers.
//
// In: x0 = deadline. Out: x0 = enum vcpu_exit or error, x1 = bits; two words are returned in registers.

    .section .text, "ax"
    .global bulkhead_vcpu_run
    .type bulkhead_vcpu_run, %function
bulkhead_vcpu_run:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    svc     #0x8000 // VCPU_RUN
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #96
    ret
    .size bulkhead_vcpu_run, . - bulkhead_vcpu_run

    .section .note.GNU-stack, "", %progbits

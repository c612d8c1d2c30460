// Registers that only assembly can fill and compare: general ones, and those of FP and SIMD.

// uint64_t gpr_hold(uint64_t seed, uint64_t turns): x2-x30 get values made of the seed, WFI and a loop of `turns` turns
// follow, then they are compared. Returns how many differ. What wakes the WFI is the caller's business.
    .text
    .global gpr_hold
    .type gpr_hold, %function
gpr_hold:
    stp     x19, x20, [sp, #-96]!
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    .irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    ror     x\n, x0, #\n
    .endr
    dsb     sy
    wfi
1:  yield
    subs    x1, x1, #1
    b.ne    1b
    .irp n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    eor     x\n, x\n, x0, ror #\n
    cmp     x\n, #0
    cinc    x1, x1, ne
    .endr
    mov     x0, x1
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    ldp     x19, x20, [sp], #96
    ret
    .size gpr_hold, . - gpr_hold

// void fp_fill(uint64_t seed): q0-q31 from the seed, FPSR and FPCR as well.
    .global fp_fill
    .type fp_fill, %function
fp_fill:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fmov    d\n, x0
    mvn     x1, x0
    mov     v\n\().d[1], x1
    ror     x0, x0, #1
    .endr
    and     x1, x0, #0x1f
    msr     fpsr, x1
    and     x1, x0, #0x3000000
    msr     fpcr, x1
    ret
    .size fp_fill, . - fp_fill

// uint64_t fp_check(uint64_t seed): how many differ from what fp_fill has put there.
    .global fp_check
    .type fp_check, %function
fp_check:
    mov     x3, #0
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fmov    x1, d\n
    cmp     x1, x0
    cinc    x3, x3, ne
    mov     x1, v\n\().d[1]
    mvn     x2, x0
    cmp     x1, x2
    cinc    x3, x3, ne
    ror     x0, x0, #1
    .endr
    and     x1, x0, #0x1f
    mrs     x2, fpsr
    cmp     x1, x2
    cinc    x3, x3, ne
    and     x1, x0, #0x3000000
    mrs     x2, fpcr
    cmp     x1, x2
    cinc    x3, x3, ne
    mov     x0, x3
    ret
    .size fp_check, . - fp_check

// void el0_run(uint64_t entry, uint64_t argument, uint64_t spsr): goes to EL0 with x0 = argument. An exception whose
// handler lets its frame continue at el0_return, at EL1, ends it.
    .global el0_run
    .type el0_run, %function
el0_run:
    stp     x19, x20, [sp, #-96]!
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    msr     elr_el1, x0
    msr     spsr_el1, x2
    mov     x0, x1
    eret
    .global el0_return
el0_return:
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    ldp     x19, x20, [sp], #96
    ret
    .size el0_run, . - el0_run

    .section .note.GNU-stack, "", %progbits

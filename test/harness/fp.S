// FP and SIMD registers as a whole: see asm.h. Leaf functions; they follow the procedure call standard except for
// q8-q15, which nobody here uses.

    .arch   armv8-a+fp+simd
    .text

// Sets x\n to the pattern of the seed in x0 for register number `register`.
    .macro  pattern n, register
    movz    \n, #(\register + 1)
    mul     \n, \n, x0
    eor     \n, \n, \n, ror #29
    .endm

// fp_fill(x0: seed)
    .global fp_fill
    .type fp_fill, %function
fp_fill:
    .irp    r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    pattern x1, \r
    fmov    d\r, x1
    mvn     x1, x1
    mov     v\r\().d[1], x1
    .endr
    and     x1, x0, #0x1f           // exception flags
    msr     fpsr, x1
    and     x1, x0, #0x3
    lsl     x1, x1, #22             // rounding mode
    msr     fpcr, x1
    ret
    .size fp_fill, . - fp_fill

// fp_differs(x0: seed) -> x0: 0, or 1 + number of the register; 33 FPSR, 34 FPCR
    .global fp_differs
    .type fp_differs, %function
fp_differs:
    .irp    r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    pattern x1, \r
    mov     w4, #(\r + 1)
    fmov    x2, d\r
    mov     x3, v\r\().d[1]
    mvn     x3, x3
    cmp     x1, x2
    ccmp    x1, x3, #0, eq
    b.ne    1f
    .endr
    mov     w4, #33
    and     x1, x0, #0x1f
    mrs     x2, fpsr
    cmp     x1, x2
    b.ne    1f
    mov     w4, #34
    and     x1, x0, #0x3
    lsl     x1, x1, #22
    mrs     x2, fpcr
    cmp     x1, x2
    b.ne    1f
    mov     w4, #0
1:  mov     w0, w4
    ret
    .size fp_differs, . - fp_differs
    .global fp_code_end
fp_code_end:

    .section .note.GNU-stack, "", %progbits

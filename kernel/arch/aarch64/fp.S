// FP and SIMD registers of a thread: struct arch_fp. The rest of the kernel is built without them, and only context.c
// calls these, with the trap open.
#include "offsets.h"

    .arch armv8-a+fp+simd
    .text

    .macro  all_q instruction
    \instruction q0, q1, [x0]
    \instruction q2, q3, [x0, #32]
    \instruction q4, q5, [x0, #64]
    \instruction q6, q7, [x0, #96]
    \instruction q8, q9, [x0, #128]
    \instruction q10, q11, [x0, #160]
    \instruction q12, q13, [x0, #192]
    \instruction q14, q15, [x0, #224]
    \instruction q16, q17, [x0, #256]
    \instruction q18, q19, [x0, #288]
    \instruction q20, q21, [x0, #320]
    \instruction q22, q23, [x0, #352]
    \instruction q24, q25, [x0, #384]
    \instruction q26, q27, [x0, #416]
    \instruction q28, q29, [x0, #448]
    \instruction q30, q31, [x0, #480]
    .endm

// fp_save(struct arch_fp *to)
    .global fp_save
fp_save:
    all_q   stp
    mrs     x1, fpsr
    mrs     x2, fpcr
    add     x0, x0, #FP_FPSR
    stp     x1, x2, [x0]
    ret

// fp_load(const struct arch_fp *from)
    .global fp_load
fp_load:
    all_q   ldp
    add     x0, x0, #FP_FPSR
    ldp     x1, x2, [x0]
    msr     fpsr, x1
    msr     fpcr, x2
    ret

// System calls by number, and probes: see asm.h.

    .text

// svc_number(x0: words[8], x1: number) -> x0: error. Each `svc` is followed by a jump back, eight bytes in all.
    .global svc_number
    .type svc_number, %function
svc_number:
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    str     x0, [sp, #16]
    adr     x9, svc_table
    add     x9, x9, x1, lsl #3
    mov     x10, x0
    ldp     x0, x1, [x10]
    ldp     x2, x3, [x10, #16]
    ldp     x4, x5, [x10, #32]
    ldp     x6, x7, [x10, #48]
    blr     x9
    ldr     x10, [sp, #16]
    stp     x0, x1, [x10]
    stp     x2, x3, [x10, #16]
    stp     x4, x5, [x10, #32]
    stp     x6, x7, [x10, #48]
    ldp     x29, x30, [sp], #32
    ret
    .size svc_number, . - svc_number

    .balign 8
svc_table:
    .set    number, 0
    .rept   64 // SVC_NUMBERS
    svc     #number
    ret
    .set    number, number + 1
    .endr

    .global puppet
    .type puppet, %function
puppet:
    mov     x0, x19
    svc     #2                      // SYS_signal
    add     x21, x21, #1
    cbz     x20, puppet
    mov     x0, x20
    mov     x2, #0                  // no words
    svc     #0                      // SYS_call
    b       puppet
    .size puppet, . - puppet

// ---- Probes -----------------------------------------------------------------------------------------------------

// probe list, "name", instruction...: a function of one instruction, and its row in the list.
    .macro  probe list, name, instruction:vararg
    .text
    .balign 8
8:  \instruction
    ret
    .section .rodata.string, "a"
9:  .asciz  "\name"
    .section \list, "a"
    .quad   8b, 9b
    .endm

    .macro  forbid instruction:vararg
    probe   .rodata.forbidden, "\instruction", \instruction
    .endm

    .macro  allow instruction:vararg
    probe   .rodata.allowed, "\instruction", \instruction
    .endm

    .section .rodata.forbidden, "a"
    .balign 8
    .global forbidden_probes
forbidden_probes:
    .section .rodata.allowed, "a"
    .balign 8
    .global allowed_probes
allowed_probes:

    .text
    .arch   armv8-a
    // Debugging, other levels, other states.
    forbid  brk #0
    forbid  brk #0xffff
    forbid  hlt #0
    forbid  hlt #0xf000
    forbid  hvc #0
    forbid  hvc #0xffff
    forbid  smc #0
    forbid  smc #0xffff
    forbid  dcps1
    forbid  dcps2
    forbid  dcps3
    forbid  drps
    forbid  eret
    forbid  udf #0
    forbid  .inst 0xffffffff
    forbid  msr spsel, #1
    forbid  msr daifset, #15
    forbid  msr daifclr, #15
    forbid  mrs x1, daif
    forbid  msr daif, xzr
    forbid  mrs x1, currentel
    forbid  mrs x1, spsel
    forbid  mrs x1, sp_el0
    forbid  msr sp_el0, x0
    forbid  mrs x1, spsr_el1
    forbid  mrs x1, elr_el1
    forbid  msr elr_el1, x0
    // Registers of EL1, which act on EL0.
    forbid  mrs x1, sctlr_el1
    forbid  msr sctlr_el1, xzr
    forbid  mrs x1, actlr_el1
    forbid  msr actlr_el1, x0
    forbid  mrs x1, cpacr_el1
    forbid  msr cpacr_el1, xzr
    forbid  mrs x1, ttbr0_el1
    forbid  msr ttbr0_el1, xzr
    forbid  mrs x1, ttbr1_el1
    forbid  mrs x1, tcr_el1
    forbid  msr tcr_el1, xzr
    forbid  mrs x1, mair_el1
    forbid  mrs x1, vbar_el1
    forbid  msr vbar_el1, x0
    forbid  mrs x1, esr_el1
    forbid  mrs x1, far_el1
    forbid  mrs x1, par_el1
    forbid  mrs x1, contextidr_el1
    forbid  msr contextidr_el1, x0
    forbid  mrs x1, tpidr_el1
    forbid  msr tpidr_el1, x0
    forbid  msr tpidrro_el0, x0
    forbid  mrs x1, cntkctl_el1
    forbid  msr cntkctl_el1, x0
    forbid  mrs x1, isr_el1
    forbid  mrs x1, rvbar_el1
    // Registers of EL2 and EL3.
    forbid  mrs x1, hcr_el2
    forbid  msr hcr_el2, xzr
    forbid  mrs x1, esr_el2
    forbid  mrs x1, elr_el2
    forbid  msr elr_el2, x0
    forbid  mrs x1, vttbr_el2
    forbid  msr vttbr_el2, x0
    forbid  mrs x1, vbar_el2
    forbid  msr vbar_el2, x0
    forbid  mrs x1, sctlr_el2
    forbid  mrs x1, tpidr_el2
    forbid  mrs x1, mdcr_el2
    forbid  mrs x1, cptr_el2
    forbid  msr cptr_el2, xzr
    forbid  mrs x1, scr_el3
    // What the core is.
    forbid  mrs x1, midr_el1
    forbid  mrs x1, mpidr_el1
    forbid  mrs x1, id_aa64pfr0_el1
    forbid  mrs x1, id_aa64mmfr0_el1
    forbid  mrs x1, ccsidr_el1
    forbid  mrs x1, csselr_el1
    forbid  msr csselr_el1, x0
    // Time and counting.
    forbid  mrs x1, cntfrq_el0
    forbid  mrs x1, cntpct_el0
    forbid  mrs x1, cntvct_el0
    forbid  mrs x1, cntp_ctl_el0
    forbid  msr cntp_ctl_el0, x0
    forbid  mrs x1, cntv_ctl_el0
    forbid  msr cntv_cval_el0, xzr
    forbid  msr cntv_ctl_el0, x0
    forbid  mrs x1, cnthp_ctl_el2
    forbid  mrs x1, pmcr_el0
    forbid  msr pmcr_el0, x0
    forbid  mrs x1, pmccntr_el0
    forbid  msr pmccntr_el0, xzr
    forbid  msr pmcntenset_el0, x0
    forbid  mrs x1, pmuserenr_el0
    forbid  msr pmuserenr_el0, x0
    forbid  msr pmintenset_el1, x0
    // Debug registers: a process cannot leave a single step or a breakpoint behind.
    forbid  mrs x1, mdscr_el1
    forbid  msr mdscr_el1, x0
    forbid  msr oslar_el1, xzr
    forbid  mrs x1, oslsr_el1
    forbid  msr osdlr_el1, xzr
    forbid  mrs x1, mdrar_el1
    forbid  mrs x1, dbgbvr0_el1
    forbid  msr dbgbvr0_el1, x0
    forbid  msr dbgbcr0_el1, x0
    forbid  msr dbgwvr0_el1, x0
    forbid  msr dbgwcr0_el1, x0
    forbid  mrs x1, mdccsr_el0
    forbid  mrs x1, dbgdtrrx_el0
    forbid  msr dbgdtrtx_el0, x0
    forbid  mrs x1, dbgclaimset_el1
    // The interrupt controller.
    forbid  mrs x1, S3_0_C12_C12_0 // ICC_IAR1_EL1
    forbid  msr S3_0_C12_C12_1, x0 // ICC_EOIR1_EL1
    forbid  msr S3_0_C12_C11_5, x0 // ICC_SGI1R_EL1
    forbid  msr S3_0_C4_C6_0, xzr  // ICC_PMR_EL1
    forbid  msr S3_0_C12_C12_7, xzr // ICC_IGRPEN1_EL1
    forbid  mrs x1, S3_4_C12_C11_0 // ICH_HCR_EL2
    // Caches, TLBs, translation.
    forbid  dc isw, x1
    forbid  dc csw, x1
    forbid  dc cisw, x1
    forbid  dc ivac, x0
    forbid  ic iallu
    forbid  ic ialluis
    forbid  tlbi vmalle1
    forbid  tlbi vmalle1is
    forbid  tlbi alle1
    forbid  tlbi alle2
    forbid  tlbi ipas2e1is, x0
    forbid  at s1e1r, x0
    forbid  at s12e0r, x0
    // FP and vectors without the right.
    .arch   armv8.2-a+fp+simd+sve
    forbid  fmov d0, xzr
    forbid  mrs x1, fpcr
    forbid  msr fpsr, xzr
    forbid  ldr q0, [x0]
    forbid  ptrue p0.b
    .arch   armv8-a
    // Registers that only this or that core has.
    forbid  mrs x1, S3_1_C15_C2_1 // CPUECTLR_EL1
    forbid  msr S3_1_C15_C2_0, x0 // CPUACTLR_EL1
    forbid  mrs x1, S3_1_C11_C0_2 // L2CTLR_EL1
    forbid  msr S3_7_C15_C15_7, x0
    forbid  sys #3, c15, c15, #7, x0

    allow   nop
    allow   yield
    allow   sev
    allow   wfe
    allow   isb
    allow   dsb sy
    allow   mrs x1, ctr_el0
    allow   mrs x1, dczid_el0
    allow   mrs x1, tpidr_el0
    allow   mrs x1, tpidrro_el0
    allow   mrs x1, nzcv
    allow   dc cvac, x0
    allow   dc cvau, x0
    allow   dc civac, x0
    allow   ic ivau, x0
    allow   dc zva, x0
    allow   ldxr x1, [x0]
    allow   clrex

    .section .rodata.forbidden, "a"
forbidden_end:
    .section .rodata.allowed, "a"
allowed_end:

    .section .rodata
    .balign 8
    .global forbidden_probe_count
forbidden_probe_count:
    .quad   (forbidden_end - forbidden_probes) / 16
    .global allowed_probe_count
allowed_probe_count:
    .quad   (allowed_end - allowed_probes) / 16

    .section .note.GNU-stack, "", %progbits

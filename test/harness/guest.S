// Guest code of the kernel tests (vm.h): copied to the beginning of a guest's memory. Position
// independent. x0 at the start chooses what it does; its memory's first page is code, data follows at GUEST_DATA.

#define GUEST_DATA 0x4000

    .arch armv8-a+fp
    .text
    .balign 0x1000
    .global guest_code
    .global guest_code_end
guest_code:
    adr     x1, choices
    ldr     w2, [x1, x0, lsl #2]
    add     x1, x1, w2, sxtw
    adr     x2, guest_vectors_el1
    msr     vbar_el1, x2
    isb
    br      x1
choices:
    .word   do_hvc - choices        // 0
    .word   do_mmio - choices       // 1
    .word   do_timer_busy - choices // 2
    .word   do_timer_wfi - choices  // 3
    .word   do_count - choices      // 4
    .word   do_fp - choices         // 5
    .word   do_sgi_wait - choices   // 6
    .word   do_sysregs - choices    // 7
    .word   do_sweep - choices      // 8
    .word   do_ticks - choices      // 9
    .word   do_sleep - choices      // 10

do_hvc:                             // hvc, x0 counts
    mov     x0, #0
1:  hvc     #0
    add     x0, x0, #1
    b       1b

do_mmio:                            // loads from and stores to what is not mapped: 0x9000000
    mov     x1, #0x9000000
1:  ldr     w0, [x1, #24]
    str     w0, [x1, #8]
    b       1b

    // CPU interface on (version 2's is at x25), group 1; the virtual timer fires every x20 ticks, the handler counts in x19.
    // x26 not 0: each time that long after it was to fire, not after it did. x20 0: it is turned off.
    .macro  gic_on
    mov     x0, #0xf0
    mov     x1, #1
    cbnz    x25, 8f
    msr     S3_0_C4_C6_0, x0
    msr     S3_0_C12_C12_7, x1
    isb
    b       9f
8:  str     w0, [x25, #4]           // GICC_PMR, GICC_CTLR: both groups
    mov     x1, #3
    str     w1, [x25]
9:
    .endm
    .macro  timer_on
    mrs     x0, cntvct_el0
    add     x0, x0, x20
    msr     cntv_cval_el0, x0
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    isb
    .endm
do_timer_busy:
    mov     x19, #0
    gic_on
    timer_on
    msr     daifclr, #2
1:  cmp     x19, x21
    b.lo    1b
    msr     daifset, #2
    hvc     #1
    b       .
do_timer_wfi:
    mov     x19, #0
    gic_on
    timer_on
1:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cmp     x19, x21
    b.lo    1b
    hvc     #1
    b       .
do_count:                           // counts in memory for ever
    adr     x1, guest_code
    mov     x2, #GUEST_DATA
    add     x1, x1, x2
1:  ldr     x0, [x1]
    add     x0, x0, #1
    str     x0, [x1]
    b       1b
do_fp:
    mov     x0, #(3 << 20)
    msr     cpacr_el1, x0
    isb
    fmov    d0, x20
    hvc     #0
    fmov    x0, d0
    hvc     #1
    b       .
do_sgi_wait:                        // counts SGIs in x19; ends at x21
    mov     x19, #0
    gic_on
1:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cmp     x19, x21
    b.lo    1b
    hvc     #1
    b       .
do_sysregs:                         // writes x20 to what EL1 may write, asks, reads back to x22 the differences
    msr     ttbr0_el1, x20
    msr     ttbr1_el1, x20
    msr     tpidr_el1, x20
    msr     tpidr_el0, x20
    msr     tpidrro_el0, x20
    msr     far_el1, x20
    msr     elr_el1, x20
    msr     sp_el0, x20
    msr     contextidr_el1, x20
    hvc     #0
    mov     x22, #0
    .irp    reg, ttbr0_el1, ttbr1_el1, tpidr_el1, tpidr_el0, tpidrro_el0, far_el1, elr_el1, sp_el0
    mrs     x0, \reg
    eor     x0, x0, x20
    orr     x22, x22, x0
    .endr
    mrs     x0, contextidr_el1
    eor     w0, w0, w20
    orr     x22, x22, x0
    hvc     #1
    b       .

do_sweep:                           // moments around what comes after hvc #2, with an interrupt that may come
    mov     x19, #0
    gic_on
    cbz     x27, 1f                 // x27: when the virtual timer fires, 0: never
    msr     cntv_cval_el0, x27
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    isb
1:  hvc     #2
    cbz     x28, 3f                 // x28: the moment, 0: at once. x22 instructions before it. x23: of them in a tick
    mrs     x0, cntvct_el0
    sub     x0, x28, x0
    mul     x0, x0, x23
    sub     x0, x0, x22
    tbz     x0, #0, 2f
    nop
2:  subs    x0, x0, #2
    b.gt    2b
3:  cbnz    x21, 5f                 // x21: busy, not in WFI
4:  wfi
    msr     daifclr, #2
    isb
    msr     daifset, #2
    cbz     x19, 4b
    hvc     #1
    b       .
5:  msr     daifclr, #2
6:  cbz     x19, 6b
    msr     daifset, #2
    hvc     #1
    b       .
do_sleep:                           // for ever; x19 counts how often it wakes
    mov     x19, #0
1:  wfi
    add     x19, x19, #1
    b       1b
do_ticks:                           // counts the timer's ticks until the word at x28 is not 0; x22: how it waits
    mov     x19, #0
    mov     x26, #1
    gic_on
    timer_on
    mrs     x27, cntv_cval_el0
    sub     x27, x27, x20           // x27: the beginning
1:  cmp     x22, #1                 // 0: in WFI, 1: busy, 2: with hypercalls
    b.eq    2f
    b.hi    3f
    wfi
2:  msr     daifclr, #2
    isb
    msr     daifset, #2
    ldr     x0, [x28]
    cbz     x0, 1b
    isb
    mrs     x29, cntvct_el0         // x29: the end, when no tick is on its way
    mrs     x0, cntv_cval_el0
    cmp     x0, x29
    b.ls    2b
    hvc     #1
    b       .
3:  hvc     #0
    b       2b

    .balign 0x800
guest_vectors_el1:
    .rept   4
    .balign 0x80
    hvc     #0xbad
    .endr
    .balign 0x80
    hvc     #0xbad
    .balign 0x80
    b       interrupt
    .rept   10
    .balign 0x80
    hvc     #0xbad
    .endr
interrupt:
    cbnz    x25, 1f
    mrs     x0, S3_0_C12_C12_0      // ICC_IAR1_EL1
    b       2f
1:  ldr     w0, [x25, #0xc]         // GICC_IAR
2:
    add     x19, x19, #1
    cmp     x0, #27
    b.ne    1f
    mrs     x1, cntvct_el0
    mrs     x2, cntv_cval_el0
    sub     x1, x1, x2
    add     x23, x23, x1            // lateness in all
    cmp     x1, x24
    csel    x24, x1, x24, hi        // most
    cbz     x20, 4f
    cbnz    x26, 3f
    mrs     x2, cntvct_el0
3:  add     x2, x2, x20
    msr     cntv_cval_el0, x2
    b       1f
4:  msr     cntv_ctl_el0, xzr
    isb
1:  cbnz    x25, 2f
    msr     S3_0_C12_C12_1, x0      // ICC_EOIR1_EL1
    isb
    eret
2:  str     w0, [x25, #0x10]        // GICC_EOIR
    eret
guest_code_end:

// Exceptions: from EL0 into the kernel and back, and from the kernel into panic. Arm ARM (DDI 0487) section D1.
//
// While a thread runs at EL0, SP_EL2 is the address of its struct thread, which starts with its registers: entry
// stores them with nothing else in its hands, then moves to the core's kernel stack. The kernel keeps interrupts
// masked, so an exception from EL2 itself is always a bug.
#include "entry_macros.inc"

    .text

    .balign 0x800
    .global vectors
vectors:
    // From EL2 with SP_EL0: nothing ever selects it.
    fatal_vector 0
    fatal_vector 0
    fatal_vector 0
    fatal_vector 0
    // From EL2: synchronous, interrupt, fast interrupt, system error.
    fatal_vector 1
    fatal_vector 2
    fatal_vector 2
    fatal_vector 3

    // From EL0: synchronous. System calls first.
    .balign 0x80
    stp     x0, x1, [sp, #REGS_X0]
    mrs     x1, esr_el2
    tbnz    w1, #15, maybe_vcpu_run
1:  save_rest
    to_kernel_stack
    lsr     w3, w1, #26
    cmp     w3, #0x15               // EC: svc
    b.eq    system_call
    b       other_exception

    .balign 0x80
    save_context
    to_kernel_stack
    bl      interrupt_entry
    b       thread_return

    fatal_vector 2
    .balign 0x80
    save_context
    mrs     x1, esr_el2
    to_kernel_stack
    b       other_exception

    // From EL0 in AArch32: no thread ever is.
    fatal_vector 4
    fatal_vector 4
    fatal_vector 4
    fatal_vector 4

// The svc that makes a thread its vcpu's guest: its caller has saved what it needs, so only where it goes on is stored.
maybe_vcpu_run:
    mov     w0, #VCPU_RUN_NUMBER
    movk    w0, #0x5600, lsl #16    // EC: svc, IL
    cmp     w0, w1
    b.ne    1b
    ldp     x2, x3, [sp, #REGS_X0]  // deadline, whom to kick
    mov     x0, sp
    mrs     x1, tpidr_el2
    mrs     x4, sp_el0
    mrs     x5, elr_el2
    mrs     x6, tpidr_el0
    stp     x4, x5, [x0, #REGS_SP]
    str     x6, [x0, #REGS_TPIDR]
    ldr     x7, [x1, #PERCPU_STACK_TOP]
    mov     sp, x7
    b       guest_enter

// x0: thread, w1: syndrome
    .balign 64
system_call:
    and     w1, w1, #0xffff
    bl      entry_syscall

// x0: the thread to go on with, or NULL. Its space, TPIDRs and FP trap are already in place (arch_thread_switch);
// eret synchronizes them.
    .global thread_return
thread_return:
    cbz     x0, idle
resume:
    ldp     x2, x3, [x0, #REGS_PC]
    tbnz    x3, #63, guest_go_on    // PSTATE_GUEST_MODE
    ldp     x30, x4, [x0, #REGS_X30]
    msr     elr_el2, x2
    msr     spsr_el2, x3
    msr     sp_el0, x4
    mov     sp, x0
    ldp     x2, x3, [x0, #REGS_X0 + 16]
    ldp     x4, x5, [x0, #REGS_X0 + 32]
    ldp     x6, x7, [x0, #REGS_X0 + 48]
    ldp     x8, x9, [x0, #REGS_X0 + 64]
    ldp     x10, x11, [x0, #REGS_X0 + 80]
    ldp     x12, x13, [x0, #REGS_X0 + 96]
    ldp     x14, x15, [x0, #REGS_X0 + 112]
    ldp     x16, x17, [x0, #REGS_X0 + 128]
    ldp     x18, x19, [x0, #REGS_X0 + 144]
    ldp     x20, x21, [x0, #REGS_X0 + 160]
    ldp     x22, x23, [x0, #REGS_X0 + 176]
    ldp     x24, x25, [x0, #REGS_X0 + 192]
    ldp     x26, x27, [x0, #REGS_X0 + 208]
    ldp     x28, x29, [x0, #REGS_X0 + 224]
    ldp     x0, x1, [x0, #REGS_X0]
    eret
    dsb     nsh                     // no speculation past the return
    isb

other_exception:
    bl      trap_entry
    b       thread_return

idle:
    bl      idle_entry              // does not return NULL
    b       resume

// x0: kind; SP_EL0: x0 at the exception. The stack may be what went wrong: registers go to the emergency stack as a
// struct trap_frame.
    .global kernel_exception
kernel_exception:
    msr     tpidrro_el0, x1
    mov     x1, sp
    msr     tpidr_el0, x1
    mrs     x1, tpidr_el2
    cbz     x1, 8f
    ldr     x1, [x1, #PERCPU_EMERGENCY_TOP]
    cbnz    x1, 9f
8:  adrp    x1, boot_stack          // boot core, before it has its own: all over again
    add     x1, x1, #BOOT_STACK_BYTES
9:  sub     sp, x1, #FRAME_SIZE
    mrs     x1, tpidrro_el0
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x2, sp_el0
    stp     x2, x1, [sp]
    mrs     x2, tpidr_el0
    stp     x30, x2, [sp, #FRAME_X30]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [sp, #FRAME_PC]
    mrs     x2, esr_el2
    mrs     x3, far_el2
    stp     x2, x3, [sp, #FRAME_PC + 16]
    mov     x1, sp
    mov     x29, xzr
    b       trap_panic              // (kind, frame)

// enter_threads(stack): the end of boot on each core. Leaves the stack it came on and asks who runs first.
    .global enter_threads
enter_threads:
    mov     sp, x0
    mov     x29, xzr
    bl      entry_resume
    b       thread_return

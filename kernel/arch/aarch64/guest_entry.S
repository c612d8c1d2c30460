// Guests: exceptions from EL1 and EL0 of a guest into the kernel, and the way to it. Arm ARM (DDI 0487) section D1.
//
// While a guest runs, SP_EL2 is the address of its vcpu's page, which starts with its registers in the order of a
// thread's, so that entry.S's macros store both.
#include "entry_macros.inc"

    .text

// In: SP_EL2 the page. Out: x0 and x19 the page, x20 the core, sp the core's stack.
    .macro  guest_to_kernel
    save_context
    mrs     x25, tpidrro_el0
    mrs     x20, tpidr_el2
    stp     x24, x25, [sp, #REGS_TPIDR]
    ldr     x2, [x20, #PERCPU_STACK_TOP]
    mov     x0, sp
    mov     x19, sp
    mov     sp, x2
    .endm

    .balign 0x800
    .global guest_vectors
guest_vectors:
    fatal_vector 0
    fatal_vector 0
    fatal_vector 0
    fatal_vector 0
    fatal_vector 1
    fatal_vector 2
    fatal_vector 2
    fatal_vector 3

    // From the guest, in AArch64 and, its EL0, in AArch32: synchronous, interrupt, fast interrupt, system error.
    .rept 2
    .balign 0x80
    guest_to_kernel
    mrs     x1, esr_el2
    b       guest_synchronous
    .balign 0x80
    guest_to_kernel
    b       guest_irq
    fatal_vector 2
    .balign 0x80
    guest_to_kernel
    mrs     x1, esr_el2
    b       guest_system_error
    .endr

// A guest's exit, usually to its VMM, behind its VCPU_RUN. The VMM may see what is in the guest's registers, and gets these
// instead of the kernel's.
guest_synchronous:
    bl      guest_trap              // (page, esr) -> thread
    cbz     x0, go_on
    mov     sp, x0
    ldr     x30, [x19, #REGS_X30]
    ldp     x2, x3, [x19, #REGS_X0 + 16]
    ldp     x4, x5, [x19, #REGS_X0 + 32]
    ldp     x6, x7, [x19, #REGS_X0 + 48]
    ldp     x8, x9, [x19, #REGS_X0 + 64]
    ldp     x10, x11, [x19, #REGS_X0 + 80]
    ldp     x12, x13, [x19, #REGS_X0 + 96]
    ldp     x14, x15, [x19, #REGS_X0 + 112]
    ldp     x16, x17, [x19, #REGS_X0 + 128]
    ldp     x20, x1, [x19, #REGS_X0 + 160]
    ldp     x18, x19, [x19, #REGS_X0 + 144]
    mov     x0, #0                  // VCPU_TRAP
    eret
    dsb     nsh
    isb

// Wherever the kernel says. x20: the core.
go_on:
    ldr     x0, [x20, #PERCPU_CURRENT]
    b       thread_return

guest_system_error:
    bl      guest_serror            // (page, esr) -> page
    cbz     x0, go_on
    b       guest_load

guest_irq:
    bl      guest_interrupt         // (page) -> page
    cbz     x0, go_on
guest_load:
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
    ldr     x30, [x0, #REGS_X30]
    ldp     x0, x1, [x0, #REGS_X0]
    eret
    dsb     nsh
    isb

// VCPU_RUN: from entry.S, on the kernel's stack. x0: the thread, x1: the core, x2: the deadline,
// x3: whom to kick.
    .global guest_enter
guest_enter:
    mov     x20, x1
    bl      guest_run               // -> page
    cbz     x0, go_on
    b       guest_load

// x0: a thread in guest mode, which goes on. From entry.S.
    .global guest_go_on
guest_go_on:
    mrs     x20, tpidr_el2
    bl      guest_resume            // -> page
    cbz     x0, go_on
    b       guest_load

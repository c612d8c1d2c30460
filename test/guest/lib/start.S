// A payload's first instructions, its vectors, and the entry of the other cores. Entered at EL1 by the arm64 boot
// protocol: MMU and caches off, x0 = device tree.
#include <spec/image.h>

#include "layout.h"

    .section .header, "ax"
    .global _image
_image:
    b       _start
    .long   0
    .quad   0 // text offset
    .quad   _image_size
    .quad   IMAGE_FLAG_4K_PAGES | IMAGE_FLAG_ANYWHERE
    .quad   0, 0, 0
    .long   IMAGE_MAGIC
    .long   0

#define R_AARCH64_RELATIVE 0x403
#define CPACR_FP           (3 << 20)

    .text
_start:
    mrs     x20, cntpct_el0 // how long it took to get here
    mov     x19, x0
    adr     x1, _image
    // The image is linked at 0: every relocation adds the address it is at.
    adrp    x2, _relocations
    add     x2, x2, :lo12:_relocations
    adrp    x3, _relocations_end
    add     x3, x3, :lo12:_relocations_end
1:  cmp     x2, x3
    b.hs    2f
    ldp     x4, x5, [x2]
    ldr     x6, [x2, #16]
    add     x2, x2, #24
    cmp     x5, #R_AARCH64_RELATIVE
    b.ne    1b
    add     x6, x6, x1
    str     x6, [x1, x4]
    b       1b
2:  adrp    x2, _bss
    add     x2, x2, :lo12:_bss
    adrp    x3, _end
    add     x3, x3, :lo12:_end
3:  stp     xzr, xzr, [x2], #16
    cmp     x2, x3
    b.lo    3b
    adrp    x2, _stacks
    add     x2, x2, :lo12:_stacks
    add     sp, x2, #(1 << STACK_SHIFT)
    bl      core_init
    mov     x0, x19
    mov     x1, x20
    bl      guest_start
    b       .

// Another core, by PSCI CPU_ON: x0 = the top of its stack.
    .global core_entry
    .type core_entry, %function
core_entry:
    mov     sp, x0
    bl      core_init
    bl      cpu_start
    b       .
    .size core_entry, . - core_entry

// Vectors, FP registers usable, no exceptions masked wrongly.
    .type core_init, %function
core_init:
    adrp    x1, vectors
    add     x1, x1, :lo12:vectors
    msr     vbar_el1, x1
    mov     x1, #CPACR_FP
    msr     cpacr_el1, x1
    isb
    ret
    .size core_init, . - core_init

// ---- Vectors ----

    .macro vector target, kind
    .balign 0x80
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    mov     x1, #\kind
    b       \target
    .endm

    .macro interrupt_vector pointer
    .balign 0x80
    sub     sp, sp, #176
    stp     x0, x1, [sp]
    adrp    x0, \pointer
    ldr     x0, [x0, :lo12:\pointer]
    b       interrupt
    .endm

    .balign 0x800
vectors:
    vector  exception_entry, 0 // with SP_EL0
    vector  exception_entry, 1
    vector  exception_entry, 2
    vector  exception_entry, 3
    vector  exception_entry, 4 // this level
    interrupt_vector irq_handler
    interrupt_vector fiq_handler
    vector  exception_entry, 7
    vector  exception_entry, 8 // EL0
    interrupt_vector irq_handler
    interrupt_vector fiq_handler
    vector  exception_entry, 11
    vector  exception_entry, 12 // EL0, 32 bits
    vector  exception_entry, 13
    vector  exception_entry, 14
    vector  exception_entry, 15
    .balign 0x80

// Interrupts: only what C code may change. Handlers that let others in save ELR and SPSR themselves.
interrupt:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x29, [sp, #144]
    str     x30, [sp, #160]
    blr     x0
    ldp     x0, x1, [sp]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x29, [sp, #144]
    ldr     x30, [sp, #160]
    add     sp, sp, #176
    eret

exception_entry:
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
    str     x30, [sp, #240]
    mrs     x2, sp_el0
    mrs     x3, elr_el1
    mrs     x4, spsr_el1
    mrs     x5, esr_el1
    mrs     x6, far_el1
    str     x2, [sp, #FRAME_SP_EL0]
    stp     x3, x4, [sp, #FRAME_ELR]
    stp     x5, x6, [sp, #FRAME_ESR]
    mov     x0, sp
    bl      exception
    ldr     x2, [sp, #FRAME_SP_EL0]
    ldp     x3, x4, [sp, #FRAME_ELR]
    msr     sp_el0, x2
    msr     elr_el1, x3
    msr     spsr_el1, x4
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    ldr     x30, [sp, #240]
    ldp     x0, x1, [sp]
    add     sp, sp, #FRAME_SIZE
    eret

    .section .note.GNU-stack, "", %progbits

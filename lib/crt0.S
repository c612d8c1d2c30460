// Where every thread of a process starts: the first instruction of its image, at PROCESS_IMAGE
// (microkit.ld puts it there).
//
// In: TPIDRRO_EL0 = the thread's number: 0, or that of a VMM's vcpu thread. The kernel's first entry
// sets x0 and sp, but a parent that restarts the process sets only the pc, so stack pointer and
// config address are made here, from abi/process.h and abi/vm.h (proved by static_assert in main.c).

#define STACK_TOP       0x7fffffd000
#define VM_STACK_TOP    0x7f81000000 // + (number << VM_STACK_SHIFT)
#define VM_STACK_SHIFT  20

    .section .text.start, "ax"
    .global _start
    .type _start, %function
_start:
    mov     x29, xzr // a backtrace ends here
    mov     x30, xzr
    mrs     x0, tpidrro_el0
    cbnz    x0, 1f
    ldr     x9, =STACK_TOP
    mov     sp, x9
    bl      bulkhead_main
    brk     #0 // it does not return
1:
    ldr     x9, =VM_STACK_TOP
    add     x9, x9, x0, lsl #VM_STACK_SHIFT
    mov     sp, x9
    bl      bulkhead_thread // its argument is in x0
    brk     #0
    .size _start, . - _start

    .section .note.GNU-stack, "", %progbits

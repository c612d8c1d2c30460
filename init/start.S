// The front of init's image: the header that abi/bundle.h describes, and the first instruction. The kernel has set
// the stack pointer and cleared what follows the data.
//
// In: x0 = BOOT_INFO_ADDRESS, sp = BOOT_STACK_TOP.

    .section .header, "a"
    .quad   0x3174696e69686c62 // INIT_MAGIC
    .quad   _start
    .quad   _text_size
    .quad   _data_size
    .quad   _bss_size

    .section .text.start, "ax"
    .global _start
    .type _start, %function
_start:
    mov     x29, xzr // a backtrace ends here
    mov     x30, xzr
    bl      init_main
    brk     #0 // it does not return
    .size _start, . - _start

    .section .note.GNU-stack, "", %progbits

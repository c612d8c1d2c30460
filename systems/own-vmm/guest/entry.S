// The guest's first instruction, its MMU off, and its calls to what is below.

    .section .text.first, "ax"
    .global guest_start
    .type guest_start, %function
guest_start:
    adr     x9, guest_start
    mov     sp, x9 // downwards; the device tree is at the start of memory
    bl      guest_main
    .size guest_start, . - guest_start

    // power_off(): PSCI's SYSTEM_OFF by HVC. It does not return.
    .global power_off
    .type power_off, %function
power_off:
    movz    w0, #0x8400, lsl #16
    movk    w0, #0x0008
    hvc     #0
    b       power_off
    .size power_off, . - power_off

    .section .note.GNU-stack, "", %progbits

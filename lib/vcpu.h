// Entering a guest: the one system call that doesn't keep the caller's registers (abi/syscall.h, VCPU_RUN). For the vcpu
// threads of a VMM.
#pragma once

#include <stdint.h>

// The calling thread becomes the guest of the vcpu that is bound to it, until there is something to handle: enum vcpu_exit
// (abi/vcpu.h), or an err_t; with VCPU_NOTIFIED the notification's bits. Deadline in ticks of sys_clock, or
// DEADLINE_NEVER. `kick`: 0, or the handle of a vcpu to kick first, as sys_vcpu_kick does.
//
// The kernel keeps pc and stack pointer; the compiler saves what else the caller needs, and nothing if that is nothing.
static inline int64_t vcpu_run(uint64_t deadline, uint64_t kick, uint64_t *bits)
{
    register uint64_t x0 __asm__("x0") = deadline;
    register uint64_t x1 __asm__("x1") = kick;
    __asm__ volatile("str x29, [sp, #-16]!\n\t"
                     "svc #0x8000\n\t" // VCPU_RUN
                     "ldr x29, [sp], #16"
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "cc", "memory");
    *bits = x1;
    return (int64_t)x0;
}

// Of the calling thread: 0, or in a VMM the number of a vcpu's thread (abi/vm.h).
static inline unsigned bulkhead_thread_number(void)
{
    uint64_t number;
    __asm__("mrs %0, tpidrro_el0" : "=r"(number));
    // cppcheck-suppress uninitvar ; it does not see the assembly
    return (unsigned)number;
}

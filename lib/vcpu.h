// Entering a guest: the one system call that doesn't keep the caller's registers (abi/syscall.h, VCPU_RUN). For the vcpu
// threads of a VMM.
#pragma once

#include <stdint.h>

struct vcpu_result {
    int64_t exit;  // enum vcpu_exit (abi/vcpu.h), or an err_t
    uint64_t bits; // of the notification, with VCPU_NOTIFIED
};

struct vcpu_result bulkhead_vcpu_run(uint64_t deadline); // vcpu_run.S

// The calling thread becomes the guest of the vcpu that is bound to it, until there is something to handle. Deadline in
// ticks of sys_clock, or DEADLINE_NEVER.
static inline int64_t vcpu_run(uint64_t deadline, uint64_t *bits)
{
    struct vcpu_result result = bulkhead_vcpu_run(deadline);
    *bits = result.bits;
    return result.exit;
}

// Of the calling thread: 0, or in a VMM the number of a vcpu's thread (abi/vm.h).
static inline unsigned bulkhead_thread_number(void)
{
    uint64_t number;
    __asm__("mrs %0, tpidrro_el0" : "=r"(number));
    // cppcheck-suppress uninitvar ; it does not see the assembly
    return (unsigned)number;
}

// What went wrong inside the kernel, and the exceptions of processes that are no system calls: trap.c.
#pragma once

#include <stdint.h>

struct thread;

// Registers at an exception taken from EL2, stored by entry.S.
struct trap_frame {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint64_t pstate;
    uint64_t esr;
    uint64_t far;
};

enum trap_kind {
    TRAP_STACK, // SP_EL0 was selected
    TRAP_SYNCHRONOUS,
    TRAP_INTERRUPT, // although masked, or a fast interrupt
    TRAP_SERROR,
    TRAP_AARCH32, // EL0 was in AArch32
};

// From entry.S. Each returns the thread to go on with.
struct thread *trap_entry(struct thread *self, uint64_t esr);
_Noreturn void trap_panic(enum trap_kind kind, struct trap_frame *frame);

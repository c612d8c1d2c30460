// Relaxed atomic accesses of an aligned word. What atomic_load_explicit reads GCC addresses through a register of its
// own; a volatile access is as single as that and may be at an offset from a pointer at hand.
#pragma once

// The type of what p points at, without _Atomic.
#define plain_type(p) __typeof__((void)0, *(p))

#define load_relaxed(p)         (*(const volatile plain_type(p) *)(p))
#define store_relaxed(p, value) (*(volatile plain_type(p) *)(p) = (value))

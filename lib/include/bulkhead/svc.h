// The `svc` instruction as C functions: the number of a call, the registers that it takes and
// gives. The kernel keeps every register that is not a result, flags included, so nothing but
// memory is clobbered. What the calls mean is in abi/syscall.h; lib/syscall.h gives each a name.
//
// Unit tests of lib/ put a scripted kernel behind these functions (test/unit/fake/).
#pragma once

#include <stdint.h>

#include <abi/err.h>

#define SVC_INLINE static inline __attribute__((always_inline, warn_unused_result))

// One, three, six arguments and no results.
SVC_INLINE err_t svc1(unsigned number, uint64_t a0)
{
    register uint64_t x0 __asm__("x0") = a0;
    __asm__ volatile("svc %[number]" : "+r"(x0) : [number] "i"(number) : "memory");
    return (err_t)x0;
}

SVC_INLINE err_t svc3(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2)
{
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    __asm__ volatile("svc %[number]"
                     : "+r"(x0)
                     : [number] "i"(number), "r"(x1), "r"(x2)
                     : "memory");
    return (err_t)x0;
}

SVC_INLINE err_t svc6(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                      uint64_t a4, uint64_t a5)
{
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = a1;
    register uint64_t x2 __asm__("x2") = a2;
    register uint64_t x3 __asm__("x3") = a3;
    register uint64_t x4 __asm__("x4") = a4;
    register uint64_t x5 __asm__("x5") = a5;
    __asm__ volatile("svc %[number]"
                     : "+r"(x0)
                     : [number] "i"(number), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return (err_t)x0;
}

// All eight registers, in and out.
SVC_INLINE err_t svc_all(unsigned number, uint64_t x[8])
{
    register uint64_t x0 __asm__("x0") = x[0];
    register uint64_t x1 __asm__("x1") = x[1];
    register uint64_t x2 __asm__("x2") = x[2];
    register uint64_t x3 __asm__("x3") = x[3];
    register uint64_t x4 __asm__("x4") = x[4];
    register uint64_t x5 __asm__("x5") = x[5];
    register uint64_t x6 __asm__("x6") = x[6];
    register uint64_t x7 __asm__("x7") = x[7];
    __asm__ volatile("svc %[number]"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6),
                       "+r"(x7)
                     : [number] "i"(number)
                     : "memory");
    x[0] = x0;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    x[4] = x4;
    x[5] = x5;
    x[6] = x6;
    x[7] = x7;
    return (err_t)x0;
}

// Messages: x0, *x1, *info in x2, four words from x3 on.
SVC_INLINE err_t svc_message(unsigned number, uint64_t a0, uint64_t *a1, uint64_t *info,
                             uint64_t *words)
{
    register uint64_t x0 __asm__("x0") = a0;
    register uint64_t x1 __asm__("x1") = *a1;
    register uint64_t x2 __asm__("x2") = *info;
    register uint64_t x3 __asm__("x3") = words[0];
    register uint64_t x4 __asm__("x4") = words[1];
    register uint64_t x5 __asm__("x5") = words[2];
    register uint64_t x6 __asm__("x6") = words[3];
    __asm__ volatile("svc %[number]"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6)
                     : [number] "i"(number)
                     : "memory");
    *a1 = x1;
    *info = x2;
    words[0] = x3;
    words[1] = x4;
    words[2] = x5;
    words[3] = x6;
    return (err_t)x0;
}

// No arguments, cannot fail: x1.
static inline __attribute__((always_inline)) uint64_t svc_value(unsigned number)
{
    register uint64_t x0 __asm__("x0");
    register uint64_t x1 __asm__("x1");
    __asm__ volatile("svc %[number]" : "=r"(x0), "=r"(x1) : [number] "i"(number) : "memory");
    return x1;
}

// See cache.h. Arm ARM (DDI 0487) D7.5: CTR_EL0.DminLine is the smallest data cache line, in words.
#include "cache.h"

#include <stdint.h>

#define UNROLLED 8u

static inline void publish_line(uintptr_t at)
{
    __asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
}

void bulkhead_cache_publish(const void *start, size_t size)
{
    uint64_t ctr;
    __asm__("mrs %0, ctr_el0" : "=r"(ctr));
    // cppcheck-suppress uninitvar ; it does not see the assembly
    uintptr_t line = (uintptr_t)4 << (ctr >> 16 & 15);
    uintptr_t at = (uintptr_t)start & ~(line - 1);
    uintptr_t end = (uintptr_t)start + size;
    for (; at + UNROLLED * line <= end; at += UNROLLED * line) {
        for (unsigned i = 0; i < UNROLLED; i++) {
            publish_line(at + i * line);
        }
    }
    for (; at < end; at += line) {
        publish_line(at);
    }
    __asm__ volatile("dsb sy" : : : "memory");
}

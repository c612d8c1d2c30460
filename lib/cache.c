// See cache.h. Arm ARM (DDI 0487) D7.5: CTR_EL0.DminLine is the smallest data cache line, in words; DCZID_EL0 has the block
// that DC ZVA zeroes, and whether it may be used.
#include "cache.h"

#include <stdint.h>

#include <base/lines.h>
#include <base/str.h>

#define READ(reg)                                                                                  \
    __extension__({                                                                                \
        uint64_t read_value;                                                                       \
        __asm__("mrs %0, " #reg : "=r"(read_value));                                               \
        read_value;                                                                                \
    })

static uintptr_t line_size(void)
{
    // cppcheck-suppress uninitvar ; it does not see the assembly
    return (uintptr_t)4 << (READ(ctr_el0) >> 16 & 15);
}

// Bytes that DC ZVA zeroes; 0: not to be used.
static uintptr_t zero_block(void)
{
    // cppcheck-suppress uninitvar ; it does not see the assembly
    uint64_t dczid = READ(dczid_el0);
    return (dczid >> 4 & 1) != 0 ? 0 : (uintptr_t)4 << (dczid & 15);
}

void bulkhead_cache_publish(const void *start, size_t size)
{
    uintptr_t line = line_size();
    uintptr_t end = (uintptr_t)start + size;
    uintptr_t at = (uintptr_t)start & ~(line - 1);
    // NOLINTNEXTLINE(bugprone-infinite-loop): the assembly moves `at`
    FOR_LINES(at, end, line, "dc civac, %0\n\t");
    __asm__ volatile("dsb sy" : : : "memory");
}

// Cache maintenance by address follows this core's stores to the same line in program order.
void bulkhead_cache_zero(void *start, size_t size)
{
    uintptr_t line = line_size();
    uintptr_t at = (uintptr_t)start;
    uintptr_t end = at + size;
    if (zero_block() != line || ((at | size) & (line - 1)) != 0) {
        memset(start, 0, size);
        bulkhead_cache_publish(start, size);
        return;
    }
    // NOLINTNEXTLINE(bugprone-infinite-loop): the assembly moves `at`
    FOR_LINES(at, end, line, "dc zva, %0\n\tdc civac, %0\n\t");
    __asm__ volatile("dsb sy" : : : "memory");
}

// System registers, barriers and cache maintenance: the only inline assembly besides arch_types.h.
// sysreg_read(esr_el2): registers as the manual spells them, or S3_... for those the assembler may not know.
#pragma once

#include <stdint.h>

#define sysreg_read(name)                                                                          \
    __extension__({                                                                                \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory");                            \
        value_;                                                                                    \
    })

// A register that never changes once C runs: the compiler may read it as often or as rarely as it likes.
#define sysreg_constant(name)                                                                      \
    __extension__({                                                                                \
        uint64_t value_;                                                                           \
        __asm__("mrs %0, " #name : "=r"(value_));                                                  \
        value_;                                                                                    \
    })

#define sysreg_write(name, value)                                                                  \
    __asm__ volatile("msr " #name ", %x0" : : "rZ"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

static inline void dsb_sy(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

static inline void dsb_ish(void)
{
    __asm__ volatile("dsb ish" : : : "memory");
}

static inline void dsb_ishst(void)
{
    __asm__ volatile("dsb ishst" : : : "memory");
}

static inline void wfi(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

static inline void wfe(void)
{
    __asm__ volatile("wfe" : : : "memory");
}

// Tells every core in WFE to look again; what it looks for was written before.
static inline void sev(void)
{
    __asm__ volatile("dsb ish\n\tsev" : : : "memory");
}

// The processor from a payload's side: system registers, barriers, device registers, calls to what is below.
#pragma once

#include <stdint.h>

// clang-format off
#define SYSREG_READ(name) __extension__({                                                          \
    uint64_t sysreg_value;                                                                         \
    __asm__ volatile("mrs %0, " #name : "=r"(sysreg_value) : : "memory");                          \
    sysreg_value; })
// clang-format on
#define SYSREG_WRITE(name, value)                                                                  \
    __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")

// Names that older assemblers lack, and those of GICv3's CPU interface.
#define ICC_PMR_EL1     S3_0_C4_C6_0
#define ICC_IAR0_EL1    S3_0_C12_C8_0
#define ICC_EOIR0_EL1   S3_0_C12_C8_1
#define ICC_HPPIR0_EL1  S3_0_C12_C8_2
#define ICC_BPR0_EL1    S3_0_C12_C8_3
#define ICC_DIR_EL1     S3_0_C12_C11_1
#define ICC_RPR_EL1     S3_0_C12_C11_3
#define ICC_SGI1R_EL1   S3_0_C12_C11_5
#define ICC_SGI0R_EL1   S3_0_C12_C11_7
#define ICC_IAR1_EL1    S3_0_C12_C12_0
#define ICC_EOIR1_EL1   S3_0_C12_C12_1
#define ICC_HPPIR1_EL1  S3_0_C12_C12_2
#define ICC_BPR1_EL1    S3_0_C12_C12_3
#define ICC_CTLR_EL1    S3_0_C12_C12_4
#define ICC_SRE_EL1     S3_0_C12_C12_5
#define ICC_IGRPEN0_EL1 S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7

// Macros are expanded before SYSREG_READ makes text of the name.
#define READ(name)         SYSREG_READ(name)
#define WRITE(name, value) SYSREG_WRITE(name, value)

static inline void isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

static inline void dsb(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

static inline void wfi(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

// Every spin loop has one: an emulator that runs cores in turn goes on to the next.
static inline void yield(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline void irq_on(void)
{
    __asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void irq_off(void)
{
    __asm__ volatile("msr daifset, #2" : : : "memory");
}

static inline void fiq_on(void)
{
    __asm__ volatile("msr daifclr, #1" : : : "memory");
}

static inline void fiq_off(void)
{
    __asm__ volatile("msr daifset, #1" : : : "memory");
}

// Device registers: one plain load or store each, whose syndrome is valid.
static inline uint32_t read32(uint64_t address)
{
    uint32_t value;
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void write32(uint64_t address, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline uint64_t read64(uint64_t address)
{
    uint64_t value;
    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void write64(uint64_t address, uint64_t value)
{
    __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline uint8_t read8(uint64_t address)
{
    uint32_t value;
    __asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return (uint8_t)value;
}

static inline void write8(uint64_t address, uint8_t value)
{
    __asm__ volatile("strb %w0, [%1]" : : "r"((uint32_t)value), "r"(address) : "memory");
}

// SMC Calling Convention: x0-x3 in, x0-x3 out, x4-x17 may be lost.
struct smccc_registers {
    uint64_t x[4];
};

#define SMCCC_CALL(instruction, name)                                                              \
    static inline struct smccc_registers name(uint64_t function, uint64_t a, uint64_t b,           \
                                              uint64_t c)                                          \
    {                                                                                              \
        register uint64_t x0 __asm__("x0") = function;                                             \
        register uint64_t x1 __asm__("x1") = a;                                                    \
        register uint64_t x2 __asm__("x2") = b;                                                    \
        register uint64_t x3 __asm__("x3") = c;                                                    \
        __asm__ volatile(instruction " #0"                                                         \
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                  \
                         :                                                                         \
                         : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",  \
                           "x15", "x16", "x17", "memory");                                         \
        return (struct smccc_registers){{x0, x1, x2, x3}};                                         \
    }
SMCCC_CALL("hvc", smccc_hvc)
SMCCC_CALL("smc", smccc_smc)
#undef SMCCC_CALL

// List registers of GICv3: Arm IHI 0069 chapter 12.4. See vgic.h.
#include <spec/gich.h>

#include "arch.h"
#include "vgic_lists.h"

// The names of the list registers, in order.
#define LISTS(X)                                                                                   \
    X(S3_4_C12_C12_0)                                                                              \
    X(S3_4_C12_C12_1)                                                                              \
    X(S3_4_C12_C12_2)                                                                              \
    X(S3_4_C12_C12_3)                                                                              \
    X(S3_4_C12_C12_4)                                                                              \
    X(S3_4_C12_C12_5)                                                                              \
    X(S3_4_C12_C12_6)                                                                              \
    X(S3_4_C12_C12_7)                                                                              \
    X(S3_4_C12_C13_0)                                                                              \
    X(S3_4_C12_C13_1)                                                                              \
    X(S3_4_C12_C13_2)                                                                              \
    X(S3_4_C12_C13_3)                                                                              \
    X(S3_4_C12_C13_4)                                                                              \
    X(S3_4_C12_C13_5)                                                                              \
    X(S3_4_C12_C13_6)                                                                              \
    X(S3_4_C12_C13_7)

// Into a table of two instructions for each: a switch costs as much again.
#define JUMP                                                                                       \
    "adr %[at], 1f\n\t"                                                                            \
    "add %[at], %[at], %[n], lsl #3\n\t"                                                           \
    "br %[at]\n"                                                                                   \
    "1:\n\t"

static uint64_t vtr(void)
{
    return sysreg_read(S3_4_C12_C11_1);
}

static unsigned count(void)
{
    return (unsigned)(vtr() & ICH_VTR_LIST_REGISTERS) + 1;
}

static uint64_t read(unsigned n)
{
    uint64_t value;
    uint64_t at;
#define READ(name) "mrs %[value], " #name "\n\tb 2f\n\t"
    __asm__ volatile(JUMP LISTS(READ) "2:"
                     : [value] "=r"(value), [at] "=&r"(at)
                     : [n] "r"((uint64_t)n % VGIC_LISTS_MAX));
#undef READ
    return value;
}

static ALWAYS_INLINE void write(unsigned n, uint64_t value)
{
    uint64_t at;
#define WRITE(name) "msr " #name ", %[value]\n\tb 2f\n\t"
    __asm__ volatile(JUMP LISTS(WRITE) "2:"
                     : [at] "=&r"(at)
                     : [value] "r"(value), [n] "r"((uint64_t)n % VGIC_LISTS_MAX)
                     : "memory");
#undef WRITE
}

static uint64_t empty(void)
{
    return sysreg_read(S3_4_C12_C11_5); // ICH_ELRSR_EL2
}

static uint64_t ended(void)
{
    return sysreg_read(S3_4_C12_C11_3); // ICH_EISR_EL2
}

static void control(uint64_t value)
{
    sysreg_write(S3_4_C12_C11_0, value); // ICH_HCR_EL2
}

static uint64_t ended_elsewhere(void)
{
    return (sysreg_read(S3_4_C12_C11_0) & ICH_HCR_EOICOUNT) >> ICH_HCR_EOICOUNT_SHIFT;
}

static uint64_t vmcr(void)
{
    return sysreg_read(S3_4_C12_C11_7); // ICH_VMCR_EL2
}

static uint64_t trap_end(uint64_t value)
{
    return (value & ICH_VMCR_EOIM) != 0 && (vtr() & ICH_VTR_TDS) != 0 ? ICH_HCR_TDIR : 0;
}

static bool passes(uint64_t value, uint64_t lr)
{
    uint64_t enable = (lr & ICH_LR_GROUP1) != 0 ? ICH_VMCR_ENABLE1 : ICH_VMCR_ENABLE0;
    return (value & enable) != 0 &&
           (lr >> ICH_LR_PRIORITY_SHIFT & 0xff) < (value >> ICH_VMCR_PMR_SHIFT & 0xff);
}

// With 5 bits of preemption one register a group exists, with 6 two, with 7 four.
static unsigned active_registers(void)
{
    unsigned bits = (unsigned)(vtr() >> ICH_VTR_PREBITS_SHIFT & 7) + 1;
    return bits > 5 ? 1u << (bits - 5) : 1;
}

static void save(struct vgic_state *s)
{
    s->vmcr = vmcr();
    switch (active_registers()) {
    case 4:
        s->apr[3] = (uint32_t)sysreg_read(S3_4_C12_C8_3);
        s->apr[2] = (uint32_t)sysreg_read(S3_4_C12_C8_2);
        s->apr[7] = (uint32_t)sysreg_read(S3_4_C12_C9_3);
        s->apr[6] = (uint32_t)sysreg_read(S3_4_C12_C9_2);
        __attribute__((fallthrough));
    case 2:
        s->apr[1] = (uint32_t)sysreg_read(S3_4_C12_C8_1);
        s->apr[5] = (uint32_t)sysreg_read(S3_4_C12_C9_1);
        __attribute__((fallthrough));
    default:
        s->apr[0] = (uint32_t)sysreg_read(S3_4_C12_C8_0); // ICH_AP0R0_EL2
        s->apr[4] = (uint32_t)sysreg_read(S3_4_C12_C9_0); // ICH_AP1R0_EL2
    }
}

static void load(const struct vgic_state *s)
{
    sysreg_write(S3_4_C12_C11_7, s->vmcr);
    switch (active_registers()) {
    case 4:
        sysreg_write(S3_4_C12_C8_3, s->apr[3]);
        sysreg_write(S3_4_C12_C8_2, s->apr[2]);
        sysreg_write(S3_4_C12_C9_3, s->apr[7]);
        sysreg_write(S3_4_C12_C9_2, s->apr[6]);
        __attribute__((fallthrough));
    case 2:
        sysreg_write(S3_4_C12_C8_1, s->apr[1]);
        sysreg_write(S3_4_C12_C9_1, s->apr[5]);
        __attribute__((fallthrough));
    default:
        sysreg_write(S3_4_C12_C8_0, s->apr[0]);
        sysreg_write(S3_4_C12_C9_0, s->apr[4]);
    }
}

static bool put_quickly(struct vgic_state *s, unsigned source, uint64_t lr)
{
    return vgic_put_into_one_of(empty(), s, source, lr, write);
}

const struct vgic_ops vgicv3_ops = {
    .count = count,
    .read = read,
    .write = write,
    .empty = empty,
    .ended = ended,
    .control = control,
    .ended_elsewhere = ended_elsewhere,
    .vmcr = vmcr,
    .trap_end = trap_end,
    .passes = passes,
    .save = save,
    .load = load,
    .put_quickly = put_quickly,
};

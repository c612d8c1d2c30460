// Every register of a core that could be somebody else's as well: written with a pattern, left alone for a while (busy, in
// WFI, through exits), read back. Two machines that do this side by side with different seeds (seed=N, rounds=N) would
// see each other's patterns if anything were mixed up.
//
// Interrupts stay masked throughout: nothing but this code touches the registers.
#include <base/bits.h>
#include <spec/pl011.h>
#include <spec/psci.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/registers.h"
#include "lib/report.h"

#define EL0_CONTROLS                                                                               \
    (BIT(26) | BIT(24) | BIT(18) | BIT(16) | BIT(15) | BIT(14) | BIT(9)) // of SCTLR
#define TIMER_MASKED 3u                                                  // enabled, no interrupt

// X(register, bits that get a pattern). Bits that do not keep what is written are found out at the start.
// clang-format off
#define REGISTERS(X)                                                                               \
    X(ttbr0_el1, FIELD(63, 0))                                                                     \
    X(ttbr1_el1, FIELD(63, 0))                                                                     \
    X(tcr_el1, FIELD(34, 0))                                                                       \
    X(mair_el1, FIELD(63, 0))                                                                      \
    X(amair_el1, FIELD(63, 0))                                                                     \
    X(contextidr_el1, FIELD(31, 0))                                                                \
    X(afsr0_el1, FIELD(31, 0))                                                                     \
    X(afsr1_el1, FIELD(31, 0))                                                                     \
    X(esr_el1, FIELD(31, 0))                                                                       \
    X(far_el1, FIELD(63, 0))                                                                       \
    X(par_el1, FIELD(63, 0))                                                                       \
    X(elr_el1, FIELD(63, 0))                                                                       \
    X(spsr_el1, FIELD(31, 28))                                                                     \
    X(sp_el0, FIELD(63, 0))                                                                        \
    X(tpidr_el1, FIELD(63, 0))                                                                     \
    X(tpidr_el0, FIELD(63, 0))                                                                     \
    X(tpidrro_el0, FIELD(63, 0))                                                                   \
    X(csselr_el1, FIELD(1, 0))                                                                     \
    X(cntkctl_el1, FIELD(9, 0))                                                                    \
    X(cpacr_el1, FIELD(21, 20))                                                                    \
    X(vbar_el1, FIELD(47, 11))                                                                     \
    X(mdscr_el1, BIT(15) | BIT(13) | BIT(12) | BIT(0))                                             \
    X(dbgbvr0_el1, FIELD(47, 2))                                                                   \
    X(dbgbvr1_el1, FIELD(47, 2))                                                                   \
    X(dbgbcr0_el1, BIT(7) | BIT(5))                                                                   \
    X(dbgbcr1_el1, BIT(7) | BIT(5))                                                                   \
    X(dbgwvr0_el1, FIELD(47, 3))                                                                   \
    X(dbgwvr1_el1, FIELD(47, 3))                                                                   \
    X(dbgwcr0_el1, FIELD(12, 5))                                                                   \
    X(dbgwcr1_el1, FIELD(12, 5))                                                                   \
    X(cntv_cval_el0, FIELD(63, 0))
// clang-format on

struct reg {
    const char *name;
    uint64_t pattern_bits;
    uint64_t (*get)(void);
    void (*set)(uint64_t value);
    uint64_t kept; // bits that keep what is written
    uint64_t reset;
    unsigned wrong;
};

#define ACCESS(reg, bits)                                                                          \
    static uint64_t get_##reg(void)                                                                \
    {                                                                                              \
        return READ(reg);                                                                          \
    }                                                                                              \
    static void set_##reg(uint64_t value)                                                          \
    {                                                                                              \
        WRITE(reg, value);                                                                         \
        isb();                                                                                     \
    }
REGISTERS(ACCESS)

static uint64_t get_sctlr(void)
{
    return READ(sctlr_el1);
}

static void set_sctlr(uint64_t value)
{
    WRITE(sctlr_el1, value);
    isb();
}

// Of the CPU interface: more than the priority of what wakes the core.
static uint64_t get_mask(void)
{
    return machine.gic_version == 3 ? READ(ICC_PMR_EL1) : read32(machine.gicc + GICC_PMR);
}

static void set_mask(uint64_t value)
{
    gic_set_mask((unsigned)value);
}

static uint64_t get_binary_point(void)
{
    return machine.gic_version == 3 ? READ(ICC_BPR1_EL1) : read32(machine.gicc + GICC_BPR);
}

static void set_binary_point(uint64_t value)
{
    if (machine.gic_version == 3) {
        WRITE(ICC_BPR1_EL1, value);
        isb();
    } else {
        write32(machine.gicc + GICC_BPR, (uint32_t)value);
    }
}

#define ROW(reg, bits) {#reg, bits, get_##reg, set_##reg},
static struct reg registers[] = {
    REGISTERS(ROW){"sctlr_el1", EL0_CONTROLS, get_sctlr, set_sctlr},
    {"the priority mask", FIELD(5, 3), get_mask, set_mask},
    {"the binary point", 7, get_binary_point, set_binary_point},
};

static uint64_t state;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void find_kept_bits(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        struct reg *r = &registers[i];
        r->reset = r->get();
        r->set(r->reset | r->pattern_bits);
        uint64_t ones = r->get();
        r->set(r->reset & ~r->pattern_bits);
        r->kept = (ones & ~r->get()) & r->pattern_bits;
        r->set(r->reset);
    }
}

// Something to be woken by in a moment, whose interrupt is never taken.
static void arm_wake_up(uint64_t ticks)
{
    WRITE(cntp_cval_el0, READ(cntpct_el0) + ticks);
    WRITE(cntp_ctl_el0, 1);
    isb();
}

static void disarm_wake_up(void)
{
    WRITE(cntp_ctl_el0, 0);
    isb();
}

// How time passes between writing and reading.
static void pass_time(unsigned how)
{
    switch (how % 5) {
    case 0:
        delay(microseconds(500));
        break;
    case 1:
        arm_wake_up(microseconds(300));
        wfi();
        disarm_wake_up();
        break;
    case 2:
        smccc_hvc(PSCI_VERSION, 0, 0, 0);
        break;
    case 3:
        (void)read32(machine.uart + PL011_FR);
        (void)read32(machine.gicd + GICD_TYPER);
        (void)READ(id_aa64pfr0_el1);
        break;
    default:
        for (unsigned i = 0; i < 20; i++) {
            yield();
            (void)read32(machine.uart + PL011_FR);
        }
    }
}

static void round_of_registers(unsigned how)
{
    static uint64_t written[ARRAY_SIZE(registers)];
    static uint64_t found[ARRAY_SIZE(registers)];
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct reg *r = &registers[i];
        written[i] = (r->reset & ~r->kept) | (next_random() & r->kept);
        // The mask lets the wake-up through.
        written[i] |= r->set == set_mask ? 0xc0 : 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        registers[i].set(written[i]);
    }
    pass_time(how);
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        found[i] = registers[i].get();
    }
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        registers[i].wrong += (found[i] ^ written[i]) & registers[i].kept ? 1 : 0;
        registers[i].set(registers[i].reset);
    }
}

static uint64_t round_of_fp(unsigned how)
{
    uint64_t seed = next_random();
    fp_fill(seed);
    pass_time(how);
    return fp_check(seed);
}

static uint64_t round_of_gprs(void)
{
    arm_wake_up(microseconds(200));
    uint64_t wrong = gpr_hold(next_random(), 2000);
    disarm_wake_up();
    return wrong;
}

void guest_main(void)
{
    unsigned rounds = (unsigned)option("rounds", 100);
    state = 0x9e3779b97f4a7c15 * (option("seed", 1) + 1);
    gic_init();
    gic_init_core();
    gic_enable(machine.timer_physical);
    WRITE(oslar_el1, 0);
    WRITE(cntv_ctl_el0, TIMER_MASKED);
    find_kept_bits();
    uint64_t wrong_fp = 0;
    uint64_t wrong_gprs = 0;
    for (unsigned i = 0; i < rounds; i++) {
        round_of_registers(i);
        wrong_fp += round_of_fp(i);
        wrong_gprs += round_of_gprs();
    }
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct reg *r = &registers[i];
        report_value(r->wrong, 0, "%s keeps 0x%lx", r->name, (unsigned long)r->kept);
    }
    report_value(wrong_fp, 0, "FP and SIMD registers");
    report_value(wrong_gprs, 0, "general registers");
}

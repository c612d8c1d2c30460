// The processor that a guest sees: its ID registers can be read, say the same on every core, and promise what works and
// nothing else. What they don't promise is undefined, and never harms more than the one who tries it.
#include <base/bits.h>
#include <spec/esr.h>
#include <spec/psci.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/machine.h"
#include "lib/report.h"

#define ID_REGISTERS 64u // op0 3, op1 0, CRn 0, CRm 0-7, op2 0-7; CRm 0 has the names of the core

// ---- Reading all of them ---------------------------------------------------------------------------------------------

static uint64_t values[CPUS_MAX][ID_REGISTERS];
static uint64_t names[CPUS_MAX][4]; // MIDR, REVIDR, CTR, DCZID

#define ROW(crm)                                                                                   \
    out[8 * (crm)] = READ(s3_0_c0_c##crm##_0);                                                     \
    out[8 * (crm) + 1] = READ(s3_0_c0_c##crm##_1);                                                 \
    out[8 * (crm) + 2] = READ(s3_0_c0_c##crm##_2);                                                 \
    out[8 * (crm) + 3] = READ(s3_0_c0_c##crm##_3);                                                 \
    out[8 * (crm) + 4] = READ(s3_0_c0_c##crm##_4);                                                 \
    out[8 * (crm) + 5] = READ(s3_0_c0_c##crm##_5);                                                 \
    out[8 * (crm) + 6] = READ(s3_0_c0_c##crm##_6);                                                 \
    out[8 * (crm) + 7] = READ(s3_0_c0_c##crm##_7)

static void read_all(void)
{
    uint64_t *out = values[cpu_number()];
    ROW(1);
    ROW(2);
    ROW(3);
    ROW(4);
    ROW(5);
    ROW(6);
    ROW(7);
    uint64_t *name = names[cpu_number()];
    name[0] = READ(midr_el1);
    name[1] = READ(revidr_el1);
    name[2] = READ(ctr_el0);
    name[3] = READ(dczid_el0);
}

static void test_all_readable(void)
{
    catch_begin();
    read_all();
    report_value(catch_end()->count, 0,
                 "all ID registers can be read, those without a name as well");
    report((names[0][0] & 0xff) != 0 || names[0][0] != 0, "there is a MIDR: 0x%lx",
           (unsigned long)names[0][0]);
    for (unsigned i = 1; i < machine.cpus; i++) {
        report_value((uint64_t)cpu_on(i, read_all), PSCI_SUCCESS, "core %u starts", i);
        while (names[i][0] == 0) {
            yield();
        }
        cpu_wait_off(i);
        unsigned different = 0;
        for (unsigned j = 0; j < ID_REGISTERS; j++) {
            different += values[i][j] != values[0][j];
        }
        for (unsigned j = 0; j < ARRAY_SIZE(names[0]); j++) {
            different += names[i][j] != names[0][j];
        }
        report_value(different, 0, "core %u sees the same", i);
    }
    report_value(READ(mpidr_el1) & 0xff00ffffffull, machine.mpidr[0], "MPIDR is the device tree's");
}

// ---- What they promise -----------------------------------------------------------------------------------------------

// Registers by where they are in the table of values.
enum {
    PFR0 = 4 * 8,
    PFR1 = 4 * 8 + 1,
    ZFR0 = 4 * 8 + 4,
    DFR0 = 5 * 8,
    ISAR0 = 6 * 8,
    ISAR1 = 6 * 8 + 1,
    MMFR0 = 7 * 8,
    MMFR1 = 7 * 8 + 1,
    MMFR2 = 7 * 8 + 2,
};

static unsigned field(unsigned reg, unsigned shift)
{
    return values[0][reg] >> shift & 0xf;
}

static void test_levels(void)
{
    report(field(PFR0, 0) >= 1 && field(PFR0, 4) >= 1, "EL0 and EL1 are there");
    report_value(field(PFR0, 8), 0, "EL2 is not");
    report_value(field(PFR0, 12), 0, "EL3 is not");
    report_value(field(PFR0, 16), field(PFR0, 20), "FP and SIMD go together");
}

// How many exceptions a few instructions take.
#define TRY(instructions)                                                                          \
    __extension__({                                                                                \
        catch_begin();                                                                             \
        __asm__ volatile(instructions : : "r"(memory) : "x0", "x1", "x2", "x3", "memory", "cc");   \
        catch_end()->count;                                                                        \
    })

static uint64_t memory_words[8] __attribute__((aligned(64)));

struct promise {
    const char *name;
    unsigned reg;
    unsigned shift;
    unsigned least;            // value from which on it is promised
    bool absent_at_15;         // 0xf means that it is not there
    unsigned (*attempt)(void); // exceptions
};

#define ATTEMPT(name, instructions)                                                                \
    static unsigned name(void)                                                                     \
    {                                                                                              \
        uint64_t *memory = memory_words;                                                           \
        return TRY(instructions);                                                                  \
    }

ATTEMPT(attempt_fp, "fmov d0, xzr")
ATTEMPT(attempt_aes, ".arch_extension aes\n\taese v0.16b, v1.16b")
ATTEMPT(attempt_pmull, ".arch_extension aes\n\tpmull v0.1q, v1.1d, v2.1d")
ATTEMPT(attempt_sha1, ".arch_extension sha2\n\tsha1h s0, s1")
ATTEMPT(attempt_sha2, ".arch_extension sha2\n\tsha256h q0, q1, v2.4s")
ATTEMPT(attempt_crc32, ".arch_extension crc\n\tcrc32b w1, w2, w3")
ATTEMPT(attempt_atomics, ".arch armv8.1-a\n\tldadd x1, x2, [%0]\n\t.arch armv8-a")
ATTEMPT(attempt_rdm, ".arch armv8.1-a\n\tsqrdmlah v0.4s, v1.4s, v2.4s\n\t.arch armv8-a")
ATTEMPT(attempt_dotprod, ".inst 0x6e829420") // udot v0.4s, v1.16b, v2.16b
ATTEMPT(attempt_sha3, ".inst 0xce020c20")    // eor3 v0.16b, v1.16b, v2.16b, v3.16b
ATTEMPT(attempt_sha512, ".inst 0xce628020")  // sha512h q0, q1, v2.2d
ATTEMPT(attempt_rndr, "mrs x0, s3_3_c2_c4_0")
ATTEMPT(attempt_flags, ".inst 0xba00840d")                    // rmif x0, #1, #13
ATTEMPT(attempt_dpb, "mov x0, %0\n\tsys #3, c7, c12, #1, x0") // dc cvap
ATTEMPT(attempt_jscvt, ".inst 0x1e7e0000")                    // fjcvtzs w0, d0
ATTEMPT(attempt_sve, ".inst 0x04bf5000")                      // rdvl x0, #0
ATTEMPT(attempt_zcr, "mrs x0, s3_0_c1_c2_0")
ATTEMPT(attempt_sme, "mrs x0, s3_0_c1_c2_6")  // SMCR_EL1
ATTEMPT(attempt_ras, "mrs x0, s3_0_c5_c3_0")  // ERRIDR_EL1
ATTEMPT(attempt_amu, "mrs x0, s3_3_c13_c2_0") // AMCR_EL0
ATTEMPT(attempt_dit, "mrs x0, s3_3_c4_c2_5")
ATTEMPT(attempt_ssbs, "mrs x0, s3_3_c4_c2_6")
ATTEMPT(attempt_mte, "mrs x0, s3_0_c1_c0_6") // GCR_EL1
ATTEMPT(attempt_gic, "mrs x0, s3_0_c4_c6_0") // ICC_PMR_EL1
ATTEMPT(attempt_pan, "mrs x0, s3_0_c4_c2_3")
ATTEMPT(attempt_uao, "mrs x0, s3_0_c4_c2_4")
ATTEMPT(attempt_lor, "mrs x0, s3_0_c10_c4_3") // LORC_EL1
ATTEMPT(attempt_pmu, "mrs x0, pmcr_el0")
ATTEMPT(attempt_spe, "mrs x0, s3_0_c9_c9_0")   // PMSCR_EL1
ATTEMPT(attempt_trace, "mrs x0, s3_0_c1_c2_1") // TRFCR_EL1
ATTEMPT(attempt_trbe, "mrs x0, s3_0_c9_c11_0") // TRBLIMITR_EL1
ATTEMPT(attempt_pauth, "mrs x0, s3_0_c2_c1_0") // APIAKEYLO_EL1

// clang-format off
static const struct promise promises[] = {
    {"FP", PFR0, 16, 0, true, attempt_fp},
    {"AES", ISAR0, 4, 1, false, attempt_aes},
    {"PMULL", ISAR0, 4, 2, false, attempt_pmull},
    {"SHA-1", ISAR0, 8, 1, false, attempt_sha1},
    {"SHA-256", ISAR0, 12, 1, false, attempt_sha2},
    {"SHA-512", ISAR0, 12, 2, false, attempt_sha512},
    {"CRC32", ISAR0, 16, 1, false, attempt_crc32},
    {"atomics", ISAR0, 20, 2, false, attempt_atomics},
    {"RDM", ISAR0, 28, 1, false, attempt_rdm},
    {"SHA-3", ISAR0, 32, 1, false, attempt_sha3},
    {"dot product", ISAR0, 44, 1, false, attempt_dotprod},
    {"flag manipulation", ISAR0, 52, 1, false, attempt_flags},
    {"random numbers", ISAR0, 60, 1, false, attempt_rndr},
    {"clean to persistence", ISAR1, 0, 1, false, attempt_dpb},
    {"JavaScript conversion", ISAR1, 12, 1, false, attempt_jscvt},
    {"SVE", PFR0, 32, 1, false, attempt_sve},
    {"SVE's control", PFR0, 32, 1, false, attempt_zcr},
    {"RAS", PFR0, 28, 1, false, attempt_ras},
    {"activity monitors", PFR0, 44, 1, false, attempt_amu},
    {"DIT", PFR0, 48, 1, false, attempt_dit},
    {"GIC registers", PFR0, 24, 1, false, attempt_gic},
    {"SSBS", PFR1, 4, 2, false, attempt_ssbs},
    {"memory tagging", PFR1, 8, 2, false, attempt_mte},
    {"SME", PFR1, 24, 1, false, attempt_sme},
    {"PAN", MMFR1, 20, 1, false, attempt_pan},
    {"UAO", MMFR2, 4, 1, false, attempt_uao},
    {"limited ordering", MMFR1, 16, 1, false, attempt_lor},
    {"PMU", DFR0, 8, 1, true, attempt_pmu},
    {"SPE", DFR0, 32, 1, false, attempt_spe},
    {"trace filter", DFR0, 40, 1, false, attempt_trace},
    {"trace buffer", DFR0, 44, 1, false, attempt_trbe},
};
// clang-format on

#define CPACR_ALL (FIELD(25, 24) | FIELD(21, 20) | FIELD(17, 16)) // SME, FP, SVE: nothing traps

static void test_promises(void)
{
    WRITE(cpacr_el1, CPACR_ALL);
    isb();
    for (unsigned i = 0; i < ARRAY_SIZE(promises); i++) {
        const struct promise *p = &promises[i];
        unsigned value = field(p->reg, p->shift);
        bool promised = value >= p->least && !(p->absent_at_15 && value == 0xf);
        unsigned exceptions = p->attempt();
        report(promised == (exceptions == 0), "%s: %s and %s", p->name,
               promised ? "promised" : "not promised", exceptions == 0 ? "works" : "undefined");
    }
}

// Load-acquire with weaker ordering needs an address.
static void test_rcpc(void)
{
    catch_begin();
    __asm__ volatile("mov x0, %0\n\t.inst 0x38bfc001" : : "r"(memory_words) : "x0", "x1", "memory");
    bool works = catch_end()->count == 0;
    report(works == (field(ISAR1, 20) >= 1), "RCpc: promised or not, so it is");
}

static void test_pauth(void)
{
    bool promised = (values[0][ISAR1] & (FIELD(11, 4) | FIELD(31, 24))) != 0;
    report(promised == (attempt_pauth() == 0), "pointer authentication: promised or not, so it is");
}

static void test_debug_registers(void)
{
    unsigned breakpoints = field(DFR0, 12) + 1;
    unsigned watchpoints = field(DFR0, 20) + 1;
    catch_begin();
    WRITE(oslar_el1, 0);
    WRITE(dbgbvr0_el1, 0x1000);
    WRITE(dbgbvr1_el1, 0x2000);
    WRITE(dbgwvr0_el1, 0x3000);
    WRITE(dbgwvr1_el1, 0x4000);
    uint64_t kept = READ(dbgbvr0_el1) + READ(dbgbvr1_el1) + READ(dbgwvr0_el1) + READ(dbgwvr1_el1);
    report_value(catch_end()->count, 0,
                 "debug registers: %u breakpoints and %u watchpoints are promised", breakpoints,
                 watchpoints);
    report_value(kept, 0xa000, "and keep what is written");
}

static void test_address_sizes(void)
{
    static const unsigned bits[] = {32, 36, 40, 42, 44, 48, 52};
    unsigned range = field(MMFR0, 0);
    report(range < ARRAY_SIZE(bits) &&
               (machine.memory + machine.memory_size - 1) >> bits[range] == 0,
           "all memory is within the promised physical addresses");
    report(field(MMFR0, 28) != 0xf, "4 KiB pages");
}

// Writes to what is read-only.
static void test_writes(void)
{
    catch_begin();
    __asm__ volatile("msr s3_0_c0_c4_0, xzr");
    __asm__ volatile("msr s3_0_c0_c0_0, xzr");
    report_value(catch_end()->count, 2, "ID registers can't be written");
}

void guest_main(void)
{
    test_all_readable();
    test_levels();
    test_promises();
    test_rcpc();
    test_pauth();
    test_debug_registers();
    test_address_sizes();
    test_writes();
}

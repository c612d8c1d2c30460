// See cpu.h. ID registers: Arm ARM (DDI 0487) D17.2.56 ff. and, AArch32's, G8.2.
//
// A field that has no row here is 0 for the guest, in the AArch64 registers: whatever a later architecture puts there
// stays hidden. The AArch32 registers are for the guest's EL0 (which cannot read them): they pass, but for the rows.
#include "cpu.h"

#include <stddef.h>

#include <base/bits.h>
#include <spec/smccc.h>

#include "port.h"
#include "vm.h"

#define MPIDR_RES1 BIT(31)

#define AARCH32_FIRST CPU_ID(1, 0)
#define AARCH64_FIRST CPU_ID(4, 0)

#define PFR0_EL0_AARCH32 2u
#define PFR0_GIC_SHIFT   24 // AArch64; 1: system registers of version 3
#define PFR1_GIC_SHIFT   28 // AArch32

// What a field of four bits says to the guest: the machine's value, but `highest` at most.
struct field {
    uint8_t reg;
    uint8_t shift;
    uint8_t highest;
    bool negative; // signed: 8-15 say "not there" and stay
};

// clang-format off
static const struct field fields[] = {
    {CPU_ID_PFR0,   16, 1},       // CSV2: the kernel does not switch SCXTNUM
    {CPU_ID_PFR0,   20, 0},       // AMU
    {CPU_ID_PFR0,   28, 0},       // RAS
    {CPU_ID_PFR1,   12, 0},       // Virtualization
    {CPU_ID_PFR1,   24, 0},       // Virt_frac
    {CPU_ID_PFR1,   28, 0},       // GIC: below
    {CPU_ID_DFR0,   12, 0},       // CopTrc
    {CPU_ID_DFR0,   16, 0},       // MMapTrc
    {CPU_ID_DFR0,   20, 0},       // MProfDbg
    {CPU_ID_DFR0,   24, 0},       // PerfMon
    {CPU_ID_DFR0,   28, 0},       // TraceFilt
    {CPU_ID_PFR2,    8, 0},       // RAS_frac
    {CPU_ID_DFR1,    0, 0},       // MTPMU

    {CPU_AA64PFR0,   0, 2},       // EL0
    {CPU_AA64PFR0,   4, 1},       // EL1: AArch64 only
    {CPU_AA64PFR0,  16, 1, true}, // FP
    {CPU_AA64PFR0,  20, 1, true}, // AdvSIMD
    {CPU_AA64PFR0,  48, 1},       // DIT
    {CPU_AA64PFR0,  56, 1},       // CSV2
    {CPU_AA64PFR0,  60, 1},       // CSV3
    {CPU_AA64PFR1,   0, 1},       // BT
    {CPU_AA64PFR1,   4, 2},       // SSBS
    {CPU_AA64PFR1,  32, 1},       // CSV2_frac: without SCXTNUM

    {CPU_AA64DFR0,   0, 15},      // DebugVer
    {CPU_AA64DFR0,  12, 15},      // BRPs
    {CPU_AA64DFR0,  20, 15},      // WRPs
    {CPU_AA64DFR0,  28, 15},      // CTX_CMPs
    {CPU_AA64DFR0,  36, 0, true}, // DoubleLock

    {CPU_AA64ISAR0,  4, 2},       // AES
    {CPU_AA64ISAR0,  8, 1},       // SHA1
    {CPU_AA64ISAR0, 12, 2},       // SHA2
    {CPU_AA64ISAR0, 16, 1},       // CRC32
    {CPU_AA64ISAR0, 20, 2},       // Atomic
    {CPU_AA64ISAR0, 28, 1},       // RDM
    {CPU_AA64ISAR0, 32, 1},       // SHA3
    {CPU_AA64ISAR0, 36, 1},       // SM3
    {CPU_AA64ISAR0, 40, 1},       // SM4
    {CPU_AA64ISAR0, 44, 1},       // DP
    {CPU_AA64ISAR0, 48, 1},       // FHM
    {CPU_AA64ISAR0, 52, 2},       // TS
    {CPU_AA64ISAR0, 56, 2},       // TLB
    {CPU_AA64ISAR0, 60, 1},       // RNDR

    {CPU_AA64ISAR1,  0, 2},       // DPB
    {CPU_AA64ISAR1, 12, 1},       // JSCVT
    {CPU_AA64ISAR1, 16, 1},       // FCMA
    {CPU_AA64ISAR1, 20, 2},       // LRCPC
    {CPU_AA64ISAR1, 32, 1},       // FRINTTS
    {CPU_AA64ISAR1, 36, 1},       // SB
    {CPU_AA64ISAR1, 40, 1},       // SPECRES
    {CPU_AA64ISAR1, 44, 1},       // BF16
    {CPU_AA64ISAR1, 48, 1},       // DGH
    {CPU_AA64ISAR1, 52, 1},       // I8MM

    {CPU_AA64ISAR2,  4, 1},       // RPRES
    {CPU_AA64ISAR2, 20, 1},       // BC
    {CPU_AA64ISAR2, 28, 1},       // CLRBHB
    {CPU_AA64ISAR2, 48, 1},       // RPRFM
    {CPU_AA64ISAR2, 52, 1},       // CSSC

    {CPU_AA64MMFR0,  0, 5},       // PARange: 48 bits at most
    {CPU_AA64MMFR0,  4, 2},       // ASIDBits
    {CPU_AA64MMFR0,  8, 1},       // BigEnd
    {CPU_AA64MMFR0, 16, 1},       // BigEndEL0
    {CPU_AA64MMFR0, 20, 1},       // TGran16: without 52-bit addresses
    {CPU_AA64MMFR0, 24, 0, true}, // TGran64
    {CPU_AA64MMFR0, 28, 0, true}, // TGran4: likewise

    {CPU_AA64MMFR1,  0, 2},       // HAFDBS: at the guest's own stage
    {CPU_AA64MMFR1, 12, 2},       // HPDS
    {CPU_AA64MMFR1, 20, 3},       // PAN
    {CPU_AA64MMFR1, 24, 1},       // SpecSEI
    {CPU_AA64MMFR1, 36, 2},       // ETS
    {CPU_AA64MMFR1, 44, 1},       // AFP
    {CPU_AA64MMFR1, 48, 1},       // nTLBPA
    {CPU_AA64MMFR1, 60, 1},       // ECBHB

    {CPU_AA64MMFR2,  0, 1},       // CnP
    {CPU_AA64MMFR2,  4, 1},       // UAO
    {CPU_AA64MMFR2,  8, 1},       // LSM
    {CPU_AA64MMFR2, 16, 1},       // VARange
    {CPU_AA64MMFR2, 20, 1},       // CCIDX: CCSIDR_EL1 is the machine's
    {CPU_AA64MMFR2, 28, 1},       // ST
    {CPU_AA64MMFR2, 32, 1},       // AT
    {CPU_AA64MMFR2, 36, 1},       // IDS
    {CPU_AA64MMFR2, 60, 1},       // E0PD
};

// Processors known by name. MIDR_EL1 without variant and revision says which.
struct named {
    uint32_t midr;
    bool in_order; // speculates too little for any of SMCCC's three workarounds
    const char *compatible;
};
#define MIDR_NAME (FIELD(31, 24) | FIELD(15, 4))

static const struct named named[] = {
    {0x4100d030, true,  "arm,cortex-a53"},
    {0x4100d040, true,  "arm,cortex-a35"},
    {0x4100d050, true,  "arm,cortex-a55"},
    {0x4100d070, false, "arm,cortex-a57"},
    {0x4100d080, false, "arm,cortex-a72"},
    {0x4100d0b0, false, "arm,cortex-a76"},
    {0x4100d0c0, false, "arm,neoverse-n1"},
};
// clang-format on

// Any other, QEMU's "max" among them.
static const struct named generic = {0, false, "arm,armv8"};

static uint64_t limited(const struct field *f, uint64_t machine)
{
    uint64_t value = machine >> f->shift & 15;
    bool absent = f->negative && value >= 8;
    return value > f->highest && !absent ? f->highest : value;
}

static void read_machine(uint64_t *machine, struct port *p)
{
    for (unsigned i = 0; i < CPU_ID_REGISTERS; i++) {
        machine[i] = port_register_read(p, 0, VCPU_REG_ID + i);
    }
}

static void apply_fields(uint64_t *id, const uint64_t *machine)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const struct field *f = &fields[i];
        id[f->reg] &= ~(15ull << f->shift);
        id[f->reg] |= limited(f, machine[f->reg]) << f->shift;
    }
}

static void show_gic_registers(uint64_t *id)
{
    id[CPU_AA64PFR0] |= 1ull << PFR0_GIC_SHIFT;
    id[CPU_ID_PFR1] |= 1ull << PFR1_GIC_SHIFT;
}

static void hide_aarch32(uint64_t *id)
{
    for (unsigned i = AARCH32_FIRST; i < AARCH64_FIRST; i++) {
        id[i] = 0;
    }
}

static const struct named *named_by(uint64_t midr)
{
    for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
        if ((midr & MIDR_NAME) == named[i].midr) {
            return &named[i];
        }
    }
    return &generic;
}

// Only what is certain is promised: that a core needs no workaround. The work of one is the firmware's, which a guest
// does not reach.
static void set_workarounds(struct cpu_model *m, const struct named *n, uint64_t pfr0)
{
    uint64_t csv2 = field_get(pfr0, 59, 56); // 1: branch targets, 3: branch history as well
    m->workaround[0] = n->in_order || csv2 >= 1 ? SMCCC_UNAFFECTED : SMCCC_NOT_SUPPORTED;
    m->workaround[1] = n->in_order ? SMCCC_NOT_REQUIRED : SMCCC_NOT_SUPPORTED;
    m->workaround[2] = n->in_order || csv2 >= 3 ? SMCCC_UNAFFECTED : SMCCC_NOT_SUPPORTED;
}

void cpu_model_init(struct cpu_model *m, struct port *p, uint32_t gic_version)
{
    uint64_t machine[CPU_ID_REGISTERS];
    read_machine(machine, p);
    for (unsigned i = 0; i < CPU_ID_REGISTERS; i++) {
        bool passes = i == CPU_MIDR || i == CPU_REVIDR || (i >= AARCH32_FIRST && i < AARCH64_FIRST);
        m->id[i] = passes ? machine[i] : 0;
    }
    apply_fields(m->id, machine);
    if (gic_version == 3) {
        show_gic_registers(m->id);
    }
    if (field_get(m->id[CPU_AA64PFR0], 3, 0) != PFR0_EL0_AARCH32) {
        hide_aarch32(m->id);
    }
    const struct named *n = named_by(machine[CPU_MIDR]);
    m->compatible = n->compatible;
    set_workarounds(m, n, machine[CPU_AA64PFR0]);
}

uint64_t cpu_model_midr(const struct vm *vm)
{
    return vm->cpu.id[CPU_MIDR];
}

uint64_t vcpu_mpidr(unsigned index)
{
    return MPIDR_RES1 | index;
}

// See sysreg.h. What is not here does not exist for the guest: the PMU's registers, since ID_AA64DFR0_EL1.PMUVer is 0,
// LORegions, error records, pointer authentication keys and so on are undefined, as on a core without them.
#include "sysreg.h"

#include <stddef.h>

#include "cntp.h"
#include "debug.h"
#include "setway.h"
#include "vm.h"

#define OP0     FIELD(21, 20)
#define OP2     FIELD(19, 17)
#define OP1     FIELD(16, 14)
#define CRN     FIELD(13, 10)
#define CRM     FIELD(4, 1)
#define CRM_TOP BIT(4)
#define NAME    (OP0 | OP2 | OP1 | CRN | CRM)

#define RT_ZERO  31u
#define MODE_EL0 0u // pstate's M field

// What one register does. Without a reader or writer the instruction is undefined.
struct row {
    uint32_t name; // SYSREG_ISS
    uint64_t (*read)(struct vcpu *v, uint32_t iss);
    void (*write)(struct vcpu *v, uint32_t iss, uint64_t value);
};

static uint64_t zero(struct vcpu *v, uint32_t iss)
{
    (void)v;
    (void)iss;
    return 0;
}

static void ignore(struct vcpu *v, uint32_t iss, uint64_t value)
{
    (void)v;
    (void)iss;
    (void)value;
}

static uint64_t midr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return cpu_model_midr(v->vm);
}

static uint64_t mpidr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return vcpu_mpidr(v->index);
}

// ICC_SRE_EL1: registers are the only way to the CPU interface, and nothing is bypassed.
static uint64_t icc_sre(struct vcpu *v, uint32_t iss)
{
    (void)v;
    (void)iss;
    return 7;
}

static uint64_t revidr(struct vcpu *v, uint32_t iss)
{
    (void)iss;
    return v->vm->cpu.id[CPU_REVIDR];
}

// By name: op0, then op2, op1, CRn, CRm.
// clang-format off
static const struct row rows[] = {
    {SYSREG_ISS(1, 0,  7,  6, 2), NULL, setway_write},                              // DC ISW
    {SYSREG_ISS(1, 0,  7, 10, 2), NULL, setway_write},                              // DC CSW
    {SYSREG_ISS(1, 0,  7, 14, 2), NULL, setway_write},                              // DC CISW
    {SYSREG_ISS(2, 0,  0,  2, 0), zero, ignore},                                    // MDCCINT_EL1
    {SYSREG_ISS(2, 0,  1,  0, 0), zero, NULL},                                      // MDRAR_EL1: no ROM table
    {SYSREG_ISS(2, 3,  0,  1, 0), zero, NULL},                                      // MDCCSR_EL0: nothing came, all went
    {SYSREG_ISS(2, 3,  0,  4, 0), zero, ignore},                                    // DBGDTR_EL0
    {SYSREG_ISS(2, 3,  0,  5, 0), zero, ignore},                                    // DBGDTRRX_EL0, DBGDTRTX_EL0
    {SYSREG_ISS(2, 0,  0,  0, 2), zero, ignore},                                    // OSDTRRX_EL1
    {SYSREG_ISS(2, 0,  0,  2, 2), debug_read_mdscr, debug_write_mdscr},             // MDSCR_EL1
    {SYSREG_ISS(2, 0,  0,  3, 2), zero, ignore},                                    // OSDTRTX_EL1
    {SYSREG_ISS(2, 0,  0,  6, 2), zero, ignore},                                    // OSECCR_EL1
    {SYSREG_ISS(2, 0,  1,  0, 4), NULL, debug_write_oslar},                         // OSLAR_EL1
    {SYSREG_ISS(2, 0,  1,  1, 4), debug_read_oslsr, NULL},                          // OSLSR_EL1
    {SYSREG_ISS(2, 0,  1,  3, 4), debug_read_osdlr, debug_write_osdlr},             // OSDLR_EL1
    {SYSREG_ISS(2, 0,  1,  4, 4), zero, ignore},                                    // DBGPRCR_EL1
    {SYSREG_ISS(2, 0,  7,  8, 6), debug_read_claimset, debug_write_claimset},       // DBGCLAIMSET_EL1
    {SYSREG_ISS(2, 0,  7,  9, 6), debug_read_claimclr, debug_write_claimclr},       // DBGCLAIMCLR_EL1
    {SYSREG_ISS(2, 0,  7, 14, 6), zero, NULL},                                      // DBGAUTHSTATUS_EL1: nobody debugs
    {SYSREG_ISS(3, 0,  0,  0, 0), midr, NULL},                                      // MIDR_EL1
    {SYSREG_ISS(3, 3, 14,  2, 0), cntp_read, cntp_write},                           // CNTP_TVAL_EL0
    {SYSREG_ISS(3, 0,  1,  0, 1), zero, ignore},                                    // ACTLR_EL1
    {SYSREG_ISS(3, 3, 14,  2, 1), cntp_read, cntp_write},                           // CNTP_CTL_EL0
    {SYSREG_ISS(3, 3, 14,  2, 2), cntp_read, cntp_write},                           // CNTP_CVAL_EL0
    {SYSREG_ISS(3, 0,  0,  0, 5), mpidr, NULL},                                     // MPIDR_EL1
    {SYSREG_ISS(3, 0, 12, 12, 5), icc_sre, ignore},                                 // ICC_SRE_EL1
    {SYSREG_ISS(3, 0,  0,  0, 6), revidr, NULL},                                    // REVIDR_EL1
    {SYSREG_ISS(3, 1,  0,  0, 7), zero, NULL},                                      // AIDR_EL1
};
// clang-format on

static const struct row *find_row(uint32_t name)
{
    size_t low = 0;
    size_t high = ARRAY_SIZE(rows);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rows[middle].name == name) {
            return &rows[middle];
        }
        if (rows[middle].name < name) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

// op0 1 or 3, CRn 11 or 15: implementation defined, L2CTLR_EL1 and its like.
static bool is_implementation_defined(uint32_t iss)
{
    const uint32_t mask = SYSREG_ISS(1, 0, 11, 0, 0);
    return (iss & mask) == mask;
}

// DBGBVR, DBGBCR, DBGWVR, DBGWCR: op0 2, op1 0, CRn 0, op2 4-7; CRm is the number.
static bool is_debug_pair(uint32_t iss)
{
    const uint32_t mask = SYSREG_ISS(3, 7, 15, 0, 4);
    return (iss & mask) == SYSREG_ISS(2, 0, 0, 0, 4);
}

static bool from_el0(const struct vcpu *v)
{
    return (v->page->regs.pstate & FIELD(3, 0)) == MODE_EL0;
}

static const struct row *find(const struct vcpu *v, uint32_t iss)
{
    static const struct row nothing = {0, zero, ignore};
    static const struct row pair = {0, debug_read_pair, debug_write_pair};
    if (is_implementation_defined(iss)) {
        return from_el0(v) ? NULL : &nothing;
    }
    if (is_debug_pair(iss)) {
        return debug_has_pair(v, sysreg_op2(iss), sysreg_crm(iss)) ? &pair : NULL;
    }
    return find_row(iss & (uint32_t)NAME);
}

static void set_rt(struct vcpu *v, uint32_t iss, uint64_t value)
{
    unsigned rt = sysreg_rt(iss);
    if (rt != RT_ZERO) {
        v->page->regs.x[rt] = value;
    }
}

static uint64_t get_rt(const struct vcpu *v, uint32_t iss)
{
    unsigned rt = sysreg_rt(iss);
    return rt == RT_ZERO ? 0 : v->page->regs.x[rt];
}

static NOINLINE enum handled access_by_row(struct vcpu *v, uint32_t iss)
{
    const struct row *row = find(v, iss);
    bool read = (iss & SYSREG_READ) != 0;
    if (row == NULL || (read ? row->read == NULL : row->write == NULL)) {
        return UNHANDLED;
    }
    if (read) {
        set_rt(v, iss, row->read(v, iss));
    } else {
        row->write(v, iss, get_rt(v, iss));
    }
    return HANDLED;
}

// Op0 3, op1 0, CRn 0, CRm 1-7, a read: an ID register, whether it has a name yet or not.
static bool is_id_read(uint32_t iss)
{
    const uint32_t mask = (uint32_t)(OP0 | OP1 | CRN | CRM_TOP) | SYSREG_READ;
    return (iss & mask) == (SYSREG_ISS(3, 0, 0, 0, 0) | SYSREG_READ) && sysreg_crm(iss) != 0;
}

// ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1: op0 3, op1 0, CRn 12, CRm 11, op2 5-7; written only.
static bool is_sgi_write(uint32_t iss)
{
    const uint32_t mask = (uint32_t)(OP0 | OP1 | CRN | CRM) | SYSREG_READ;
    return (iss & mask) == SYSREG_ISS(3, 0, 12, 11, 0) && sysreg_op2(iss) >= 5;
}

// ICC_DIR_EL1: comes only while the kernel has it trapped.
static bool is_deactivation(uint32_t iss)
{
    const uint32_t mask = (uint32_t)(OP0 | OP1 | CRN | CRM) | SYSREG_READ;
    return (iss & mask) == SYSREG_ISS(3, 0, 12, 11, 0) && sysreg_op2(iss) == 1;
}

// What guests do often goes first.
enum handled sysreg_access(struct vcpu *v, uint32_t iss)
{
    if (is_sgi_write(iss)) {
        return vgic_write_sgi_register(v, sysreg_op2(iss), get_rt(v, iss));
    }
    if (is_id_read(iss)) {
        set_rt(v, iss, v->vm->cpu.id[CPU_ID(sysreg_crm(iss), sysreg_op2(iss))]);
        return HANDLED;
    }
    if (v->vm->gic.version == 3 && is_deactivation(iss)) {
        vgic_deactivate(v, (uint32_t)get_rt(v, iss));
        return HANDLED;
    }
    return access_by_row(v, iss);
}

void sysreg_reset(struct vcpu *v)
{
    cntp_reset(v);
    debug_reset(v);
    setway_reset(v);
}

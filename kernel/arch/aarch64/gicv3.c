// GICv3 with affinity routing: Arm IHI 0069. Distributor and redistributors in memory, the CPU interface in system
// registers. Everything is in group 1, non-secure where there are two security states.
#include <spec/gicv2.h>
#include <spec/gicv3.h>
#include <spec/sysreg.h>

#include "arch.h"
#include "gic.h"
#include "machine.h"
#include "mmio.h"
#include "panic.h"
#include "percpu.h"

#define PATIENCE 1000000u // polls of a register that should change at once

static volatile void *distributor(void)
{
    return machine.gic.distributor;
}

static void wait_clear(volatile void *base, uint64_t offset, uint32_t bits)
{
    for (unsigned i = 0; (mmio_read32(base, offset) & bits) != 0; i++) {
        if (i == PATIENCE) {
            panic("the interrupt controller does not answer (register %#lx)", offset);
        }
        arch_relax();
    }
}

static void init(void)
{
    volatile void *d = distributor();
    mmio_write32(d, GICD_CTLR, 0);
    wait_clear(d, GICD_CTLR, GICD_CTLR_RWP);
    uint32_t lines = gicd_typer_lines(mmio_read32(d, GICD_TYPER));
    machine.gic.lines = lines < INTID_SPI_END ? lines : INTID_SPI_END;
    for (uint32_t i = INTID_SPI; i < lines; i += 32) {
        mmio_write32(d, GICD_IGROUPR + i / 8, UINT32_MAX);
        mmio_write32(d, GICD_ICENABLER + i / 8, UINT32_MAX);
        mmio_write32(d, GICD_ICACTIVER + i / 8, UINT32_MAX);
        mmio_write32(d, GICD_ICPENDR + i / 8, UINT32_MAX);
    }
    wait_clear(d, GICD_CTLR, GICD_CTLR_RWP);
    mmio_write32(d, GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1A | GICD_CTLR_GRP1);
    wait_clear(d, GICD_CTLR, GICD_CTLR_RWP);
}

// ---- Each core's redistributor ------------------------------------------------------------------------------------

// Affinity as GICR_TYPER and ICC_SGI1R_EL1 have it: four bytes.
static uint32_t packed_affinity(uint64_t mpidr)
{
    return (uint32_t)(mpidr >> 8 & FIELD(31, 24)) | (uint32_t)(mpidr & FIELD(23, 0));
}

static volatile void *find_in_region(uint32_t region, uint32_t affinity)
{
    volatile char *base = machine.gic.redistributors[region];
    uint64_t size = machine.gic.redistributor_range[region].size;
    for (uint64_t at = 0; at + GICR_FRAMES_SIZE <= size;) {
        uint64_t type = mmio_read64(base + at, GICR_TYPER);
        if (type >> GICR_TYPER_AFFINITY_SHIFT == affinity) {
            return base + at;
        }
        if ((type & GICR_TYPER_LAST) != 0) {
            return NULL;
        }
        uint64_t own = (type & GICR_TYPER_VLPIS) != 0 ? GICR_FRAMES_SIZE_VLPI : GICR_FRAMES_SIZE;
        at += machine.gic.redistributor_stride != 0 ? machine.gic.redistributor_stride : own;
    }
    return NULL;
}

static volatile void *find_redistributor(uint64_t mpidr)
{
    for (uint32_t i = 0; i < machine.gic.redistributor_regions; i++) {
        volatile void *frame = find_in_region(i, packed_affinity(mpidr));
        if (frame != NULL) {
            return frame;
        }
    }
    panic("core %lx has no redistributor", mpidr);
}

static void init_redistributor(volatile void *r)
{
    mmio_write32(r, GICR_WAKER, mmio_read32(r, GICR_WAKER) & ~(uint32_t)GICR_WAKER_SLEEP);
    wait_clear(r, GICR_WAKER, GICR_WAKER_ASLEEP);
    volatile char *p = (volatile char *)r + GICR_SGI_FRAME;
    mmio_write32(p, GICD_IGROUPR, UINT32_MAX);
    mmio_write32(p, GICD_ICENABLER, UINT32_MAX);
    mmio_write32(p, GICD_ICACTIVER, UINT32_MAX);
    mmio_write32(p, GICD_ICPENDR, UINT32_MAX);
    for (uint32_t i = 0; i < INTID_SPI; i += 4) {
        mmio_write32(p, GICD_IPRIORITYR + i, GIC_PRIORITY * 0x01010101u);
    }
    wait_clear(r, GICR_CTLR, GICR_CTLR_RWP);
    mmio_write32(p, GICD_ISENABLER, gic_private_interrupts());
}

// The value of ICC_SGI1R_EL1 that reaches the core, INTID 0.
static uint64_t sgi_target(uint64_t mpidr)
{
    uint64_t low = mpidr & 0xff;
    return (mpidr >> 32 & 0xff) << 48 | (low / 16) << 44 | (mpidr >> 16 & 0xff) << 32 |
           (mpidr >> 8 & 0xff) << 16 | BIT(low % 16);
}

static void init_core(void)
{
    struct arch_percpu *cpu = &this_cpu()->arch;
    cpu->sgi_target = sgi_target(cpu->mpidr);
    cpu->redistributor = find_redistributor(cpu->mpidr);
    init_redistributor(cpu->redistributor);

    // ICC_SRE_EL2 is el2.c's. Should it not stick, the controller was configured as a version 2.
    if ((sysreg_read(S3_4_C12_C9_5) & ICC_SRE_SRE) == 0) {
        panic("GICv3 without its system registers");
    }
    sysreg_write(S3_0_C12_C12_5, ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB); // ICC_SRE_EL1
    sysreg_write(S3_4_C12_C11_0, 0); // ICH_HCR_EL2: no virtual interrupts
    isb();
    sysreg_write(S3_0_C4_C6_0, 0xff);               // ICC_PMR_EL1: all priorities
    sysreg_write(S3_0_C12_C12_3, 0);                // ICC_BPR1_EL1
    sysreg_write(S3_0_C12_C12_4, ICC_CTLR_EOIMODE); // ICC_CTLR_EL1
    sysreg_write(S3_0_C12_C12_7, 1);                // ICC_IGRPEN1_EL1
    isb();
}

// ---- The way in ---------------------------------------------------------------------------------------------------

static void deactivate(uint32_t intid)
{
    sysreg_write(S3_0_C12_C11_1, intid); // ICC_DIR_EL1
}

static uint32_t acknowledge(void)
{
    uint32_t intid = (uint32_t)(sysreg_read(S3_0_C12_C12_0) & ICC_IAR_INTID); // ICC_IAR1_EL1
    if (intid >= INTID_SPI_END) {
        return GIC_NOTHING;
    }
    dsb_sy(); // it is active before anything that the handler does can be seen
    sysreg_write(S3_0_C12_C12_1, intid); // ICC_EOIR1_EL1
    isb();
    if (intid < INTID_PPI) {
        deactivate(intid);
    }
    return intid;
}

static void send(unsigned core, enum gic_sgi sgi)
{
    dsb_ishst(); // what the other core is to see, before the interrupt
    sysreg_write(S3_0_C12_C11_5,
                 percpu[core].arch.sgi_target | (uint64_t)sgi << ICC_SGI1R_INTID_SHIFT);
    isb();
}

static void activate(uint32_t intid)
{
    volatile char *p = (volatile char *)this_cpu()->arch.redistributor + GICR_SGI_FRAME;
    mmio_write32(p, GICD_ISACTIVER, 1u << intid);
}

static void set_enabled(uint32_t intid, bool enabled)
{
    volatile void *d = distributor();
    mmio_write32(d, (enabled ? GICD_ISENABLER : GICD_ICENABLER) + intid / 32 * 4, 1u << intid % 32);
    if (!enabled) {
        wait_clear(d, GICD_CTLR, GICD_CTLR_RWP);
    }
}

static void route(uint32_t intid, unsigned core)
{
    mmio_write64(distributor(), GICD_IROUTER + (uint64_t)intid * 8, percpu[core].arch.mpidr);
}

const struct gic_ops gicv3_ops = {
    .cores_max = CORES_MAX,
    .init = init,
    .init_core = init_core,
    .acknowledge = acknowledge,
    .deactivate = deactivate,
    .send = send,
    .set_enabled = set_enabled,
    .route = route,
    .activate = activate,
};

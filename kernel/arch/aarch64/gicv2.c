// GICv2: Arm IHI 0048B. Distributor and CPU interface in memory; at most eight cores, which the controller numbers in
// its own way.
#include <spec/gicv2.h>

#include "arch.h"
#include "gic.h"
#include "machine.h"
#include "mmio.h"
#include "panic.h"
#include "percpu.h"

static volatile void *distributor(void)
{
    return machine.gic.distributor;
}

static void init(void)
{
    volatile void *d = distributor();
    mmio_write32(d, GICD_CTLR, 0);
    uint32_t lines = gicd_typer_lines(mmio_read32(d, GICD_TYPER));
    machine.gic.lines = lines < INTID_SPI_END ? lines : INTID_SPI_END;
    for (uint32_t i = INTID_SPI; i < lines; i += 32) {
        mmio_write32(d, GICD_ICENABLER + i / 8, UINT32_MAX);
        mmio_write32(d, GICD_ICACTIVER + i / 8, UINT32_MAX);
        mmio_write32(d, GICD_ICPENDR + i / 8, UINT32_MAX);
    }
    mmio_write32(d, GICD_CTLR, GICD_CTLR_ENABLE);
}

// The bit by which the distributor knows this core: it shows in the targets of its own private interrupts.
static uint32_t own_target(void)
{
    uint32_t targets = 0;
    for (uint32_t i = 0; i < INTID_SPI && targets == 0; i += 4) {
        targets = mmio_read32(distributor(), GICD_ITARGETSR + i);
    }
    targets |= targets >> 16;
    targets |= targets >> 8;
    return targets != 0 ? targets & 0xff : 1; // a controller for one core shows nothing
}

static void init_core(void)
{
    volatile void *d = distributor();
    volatile void *c = machine.gic.cpu;
    this_cpu()->arch.sgi_target = own_target();
    mmio_write32(d, GICD_ICENABLER, UINT32_MAX);
    mmio_write32(d, GICD_ICACTIVER, UINT32_MAX);
    for (uint32_t i = 0; i < INTID_SPI; i += 4) {
        mmio_write32(d, GICD_IPRIORITYR + i, GIC_PRIORITY * 0x01010101u);
    }
    mmio_write32(d, GICD_ISENABLER, gic_private_interrupts());
    mmio_write32(c, GICC_BPR, 0);
    mmio_write32(c, GICC_PMR, 0xff);
    mmio_write32(c, GICC_CTLR, GICC_CTLR_ENABLE | GICC_CTLR_EOIMODE);
}

// An SGI is named together with its sender: it is deactivated here.
static uint32_t acknowledge(void)
{
    volatile void *c = machine.gic.cpu;
    uint32_t value = mmio_read32(c, GICC_IAR);
    uint32_t intid = value & GICC_IAR_INTID;
    if (intid >= INTID_SPI_END) {
        return GIC_NOTHING;
    }
    mmio_write32(c, GICC_EOIR, value);
    if (intid < INTID_PPI) {
        mmio_write32(c, GICC_DIR, value);
    }
    return intid;
}

// The core that deactivates a device's interrupt may be another than took it: its driver has moved. GICC_DIR is not sure
// to reach what is active on another core, the distributor is.
static void deactivate(uint32_t intid)
{
    if (intid >= INTID_SPI) {
        mmio_write32(machine.gic.distributor, GICD_ICACTIVER + intid / 32 * 4, 1u << intid % 32);
    } else {
        mmio_write32(machine.gic.cpu, GICC_DIR, intid);
    }
}

static void send(unsigned core, enum gic_sgi sgi)
{
    dsb_ishst(); // what the other core is to see, before the interrupt
    uint32_t target = (uint32_t)percpu[core].arch.sgi_target;
    mmio_write32(distributor(), GICD_SGIR, target << GICD_SGIR_TARGET_SHIFT | sgi);
}

static void activate(uint32_t intid)
{
    mmio_write32(distributor(), GICD_ISACTIVER, 1u << intid);
}

static void set_enabled(uint32_t intid, bool enabled)
{
    mmio_write32(distributor(), (enabled ? GICD_ISENABLER : GICD_ICENABLER) + intid / 32 * 4,
                 1u << intid % 32);
    dsb_sy();
}

static void route(uint32_t intid, unsigned core)
{
    mmio_write8(distributor(), GICD_ITARGETSR + intid, (uint8_t)percpu[core].arch.sgi_target);
}

const struct gic_ops gicv2_ops = {
    .cores_max = 8,
    .init = init,
    .init_core = init_core,
    .acknowledge = acknowledge,
    .deactivate = deactivate,
    .send = send,
    .set_enabled = set_enabled,
    .route = route,
    .activate = activate,
};

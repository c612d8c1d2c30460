// See gic.h. The path of an interrupt from hardware to its thread is measured: acknowledge, gic_dispatch, entry_irq.
#include "gic.h"

#include <base/bits.h>

#include "arch.h"
#include "devtree.h"
#include "entry.h"
#include "guest.h"
#include "machine.h"
#include "mmio.h"
#include "mmu.h"
#include "panic.h"
#include "percpu.h"
#include "vgic.h"

static void read_regions(const void *fdt, int node, struct gic *gic, uint64_t needed)
{
    while (gic->regions < GIC_REGIONS_MAX &&
           devtree_reg(fdt, node, gic->regions, &gic->physical[gic->regions])) {
        gic->regions++;
    }
    if (gic->regions < needed) {
        panic("device tree: the interrupt controller lacks its registers");
    }
}

#define LAST_ALIAS 0xf000u

// Where each 4 KiB page of the CPU interface is repeated over 64 KiB (ZynqMP), the two pages are next to each other
// only at the end of the first 64 KiB.
static volatile void *adjacent_pages(volatile char *cpu, uint64_t size)
{
    if (size >= 2 * 0x10000 &&
        mmio_read32(cpu, GICC_IIDR) == mmio_read32(cpu + LAST_ALIAS, GICC_IIDR)) {
        return cpu + LAST_ALIAS;
    }
    return cpu;
}

static uint32_t find_maintenance(const void *fdt, int node)
{
    uint32_t intid;
    return devtree_interrupt(fdt, node, 0, &intid) && intid < INTID_SPI ? intid : 0;
}

static bool find_v2(const void *fdt, struct gic *gic)
{
    static const char *const names[] = {"arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a7-gic",
                                        "arm,cortex-a9-gic"};
    int node = -1;
    for (unsigned i = 0; i < ARRAY_SIZE(names) && node < 0; i++) {
        node = devtree_find(fdt, -1, names[i]);
    }
    if (node < 0) {
        return false;
    }
    read_regions(fdt, node, gic, 2);
    gic->version = 2;
    gic->ops = &gicv2_ops;
    gic->distributor = mmu_map_device(gic->physical[0]);
    volatile char *cpu = mmu_map_device(gic->physical[1]);
    gic->cpu = adjacent_pages(cpu, gic->physical[1].size);
    gic->maintenance_intid = find_maintenance(fdt, node);
    if (gic->regions >= 4 && gic->maintenance_intid != 0) {
        gic->hypervisor = mmu_map_device(gic->physical[2]);
        gic->gicv = gic->physical[3].base + (uint64_t)((volatile char *)gic->cpu - cpu);
        gic->vgic = &vgicv2_ops;
    }
    return true;
}

static bool find_v3(const void *fdt, struct gic *gic)
{
    int node = devtree_find(fdt, -1, "arm,gic-v3");
    if (node < 0) {
        return false;
    }
    uint32_t regions;
    if (!devtree_cell(fdt, node, "#redistributor-regions", 0, &regions)) {
        regions = 1;
    }
    // One cell or two; always below 4 GiB.
    if (!devtree_cell(fdt, node, "redistributor-stride", 1, &gic->redistributor_stride)) {
        (void)devtree_cell(fdt, node, "redistributor-stride", 0, &gic->redistributor_stride);
    }
    read_regions(fdt, node, gic, (uint64_t)regions + 1);
    gic->version = 3;
    gic->ops = &gicv3_ops;
    gic->distributor = mmu_map_device(gic->physical[0]);
    gic->maintenance_intid = find_maintenance(fdt, node);
    if (gic->maintenance_intid != 0) {
        gic->vgic = &vgicv3_ops;
    }
    gic->redistributor_regions = regions;
    for (uint32_t i = 0; i < regions; i++) {
        gic->redistributors[i] = mmu_map_device(gic->physical[i + 1]);
        gic->redistributor_range[i] = gic->physical[i + 1];
    }
    return true;
}

bool gic_find(const void *fdt, struct gic *gic)
{
    return find_v3(fdt, gic) || find_v2(fdt, gic);
}

// ---- The way in -----------------------------------------------------------------------------------------------------

static _Noreturn void stop_for_good(void)
{
    for (;;) {
        wfe();
    }
}

uint32_t gic_private_interrupts(void)
{
    uint32_t guests = machine.gic.maintenance_intid != 0
                          ? 1u << machine.vtimer_intid | 1u << machine.gic.maintenance_intid
                          : 0;
    return 1u << machine.timer_intid | 1u << GIC_SGI_KICK | 1u << GIC_SGI_HALT | guests;
}

// This core's own.
static NOINLINE void dispatch_private(uint32_t intid)
{
    if (intid == machine.timer_intid) {
        vgic_guard();
        entry_timer();
        // Its line goes low when entry_resume moves the deadline.
        machine.gic.ops->deactivate(intid);
    } else if (intid == machine.vtimer_intid) {
        guest_timer();
    } else if (intid == machine.gic.maintenance_intid) {
        guest_maintenance();
        machine.gic.ops->deactivate(intid);
    } else if (intid == GIC_SGI_KICK) {
        entry_kick();
    } else if (intid == GIC_SGI_HALT) {
        stop_for_good();
    }
}

void gic_dispatch(uint32_t intid)
{
    if (intid < INTID_SPI) {
        dispatch_private(intid);
        return;
    }
    if (intid >= INTID_SPI_END) {
        return;
    }
    atomic_fetch_or_explicit(&machine.gic.state[intid], GIC_ACTIVE, memory_order_relaxed);
    entry_irq(intid);
}

// ---- arch.h -------------------------------------------------------------------------------------------------------

unsigned arch_irq_count(void)
{
    return machine.gic.lines;
}

bool arch_irq_available(uint32_t intid)
{
    return intid >= INTID_SPI && intid < machine.gic.lines;
}

// The same registers in both versions. Afterwards neither active nor pending.
static void configure(uint32_t intid, bool edge)
{
    volatile void *d = machine.gic.distributor;
    uint32_t bit = 1u << intid % 32;
    uint64_t config = GICD_ICFGR + intid / 16 * 4;
    uint32_t edge_bit = 2u << intid % 16 * 2;
    uint32_t old = mmio_read32(d, config);
    mmio_write32(d, config, edge ? old | edge_bit : old & ~edge_bit);
    mmio_write8(d, GICD_IPRIORITYR + intid, GIC_PRIORITY);
    mmio_write32(d, GICD_ICACTIVER + intid / 32 * 4, bit);
    mmio_write32(d, GICD_ICPENDR + intid / 32 * 4, bit);
}

void arch_irq_configure(uint32_t intid, bool edge, unsigned core)
{
    const struct gic_ops *ops = machine.gic.ops;
    ops->set_enabled(intid, false);
    configure(intid, edge);
    ops->route(intid, core);
    atomic_store_explicit(&machine.gic.state[intid], 0, memory_order_relaxed);
}

void arch_irq_unmask(uint32_t intid)
{
    const struct gic *gic = &machine.gic;
    uint8_t state =
        atomic_exchange_explicit(&machine.gic.state[intid], GIC_ENABLED, memory_order_relaxed);
    if ((state & GIC_ACTIVE) != 0) {
        gic->ops->deactivate(intid);
    }
    if ((state & GIC_ENABLED) == 0) {
        gic->ops->set_enabled(intid, true);
    }
}

void arch_irq_mask(uint32_t intid)
{
    machine.gic.ops->set_enabled(intid, false);
    atomic_fetch_and_explicit(&machine.gic.state[intid], GIC_ACTIVE, memory_order_relaxed);
}

void arch_kick(unsigned core)
{
    machine.gic.ops->send(core, GIC_SGI_KICK);
}

void gic_halt_others(void)
{
    const struct percpu *self = this_cpu();
    for (unsigned core = 0; core < core_count; core++) {
        if (&percpu[core] != self) {
            machine.gic.ops->send(core, GIC_SGI_HALT);
        }
    }
}

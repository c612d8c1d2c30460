// The interrupt controller: see gic.h.
#include "gic.h"

#include <base/bits.h>

#include "cpu.h"

enum {
    SGIR_OTHERS_SHIFT = 24,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
};

static uint64_t redistributor[CPUS_MAX]; // by core, version 3

static bool v3(void)
{
    return machine.gic_version == 3;
}

// Where the distributor's registers of an INTID are.
static uint64_t bank(unsigned intid)
{
    return v3() && intid < INTID_SPI ? redistributor[cpu_number()] + GICR_SGI_FRAME : machine.gicd;
}

uint64_t gic_register(unsigned offset, unsigned intid, unsigned bits)
{
    return bank(intid) + offset + (intid * bits / 32) * 4;
}

static void set_bit(unsigned offset, unsigned intid)
{
    write32(gic_register(offset, intid, 1), (uint32_t)BIT(intid % 32));
    dsb();
}

static bool get_bit(unsigned offset, unsigned intid)
{
    return read32(gic_register(offset, intid, 1)) >> intid % 32 & 1;
}

static void wait_for_writes(void)
{
    uint32_t pending = (uint32_t)GICD_CTLR_RWP;
    while (v3() && (read32(machine.gicd + GICD_CTLR) & pending)) {
        yield();
    }
}

void gic_enable(unsigned intid)
{
    set_bit(GICD_ISENABLER, intid);
}

void gic_disable(unsigned intid)
{
    set_bit(GICD_ICENABLER, intid);
    wait_for_writes();
}

void gic_set_pending(unsigned intid)
{
    set_bit(GICD_ISPENDR, intid);
}

void gic_clear_pending(unsigned intid)
{
    set_bit(GICD_ICPENDR, intid);
}

bool gic_pending(unsigned intid)
{
    return get_bit(GICD_ISPENDR, intid);
}

void gic_set_active(unsigned intid)
{
    set_bit(GICD_ISACTIVER, intid);
}

void gic_clear_active(unsigned intid)
{
    set_bit(GICD_ICACTIVER, intid);
}

bool gic_active(unsigned intid)
{
    return get_bit(GICD_ISACTIVER, intid);
}

void gic_set_priority(unsigned intid, unsigned priority)
{
    write8(bank(intid) + GICD_IPRIORITYR + intid, (uint8_t)priority);
    dsb();
}

unsigned gic_priority(unsigned intid)
{
    return read8(bank(intid) + GICD_IPRIORITYR + intid);
}

void gic_set_edge(unsigned intid, bool edge)
{
    uint64_t place = gic_register(GICD_ICFGR, intid, 2);
    uint32_t bit = 2u << 2 * (intid % 16);
    uint32_t others = read32(place) & ~bit;
    write32(place, edge ? others | bit : others);
    dsb();
}

void gic_set_group(unsigned intid, unsigned group)
{
    uint64_t place = gic_register(GICD_IGROUPR, intid, 1);
    uint32_t bit = (uint32_t)BIT(intid % 32);
    uint32_t others = read32(place) & ~bit;
    write32(place, group == 0 ? others : others | bit);
    dsb();
}

void gic_set_target(unsigned intid, unsigned cpu)
{
    if (v3()) {
        write64(machine.gicd + GICD_IROUTER + 8ull * intid, machine.mpidr[cpu]);
    } else {
        write8(machine.gicd + GICD_ITARGETSR + intid, (uint8_t)BIT(cpu));
    }
    dsb();
}

unsigned gic_lines(void)
{
    unsigned lines = gicd_typer_lines(read32(machine.gicd + GICD_TYPER));
    return lines < INTID_SPI_END ? lines : INTID_SPI_END;
}

static void init_lines(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i += 32) {
        write32(gic_register(GICD_ICENABLER, i, 1), UINT32_MAX);
        write32(gic_register(GICD_ICPENDR, i, 1), UINT32_MAX);
        write32(gic_register(GICD_ICACTIVER, i, 1), UINT32_MAX);
        write32(gic_register(GICD_IGROUPR, i, 1), v3() ? UINT32_MAX : 0);
    }
    for (unsigned i = from; i < to; i += 4) {
        write32(gic_register(GICD_IPRIORITYR, i, 8), GIC_PRIORITY * 0x01010101u);
    }
}

void gic_init(void)
{
    write32(machine.gicd + GICD_CTLR, 0);
    wait_for_writes();
    if (v3()) {
        // Affinity routing first: without it, version 3 need not keep shared interrupts' settings.
        write32(machine.gicd + GICD_CTLR, (uint32_t)GICD_CTLR_ARE);
        wait_for_writes();
    }
    init_lines(INTID_SPI, gic_lines());
    for (unsigned i = INTID_SPI; i < gic_lines(); i++) {
        gic_set_target(i, 0);
    }
    // Version 3 with one security state has its groups' enables in bits 0 and 1.
    write32(machine.gicd + GICD_CTLR,
            (uint32_t)(v3() ? GICD_CTLR_ARE | GICD_CTLR_GRP1A | GICD_CTLR_GRP1 : GICD_CTLR_ENABLE));
    wait_for_writes();
}

static void find_redistributor(void)
{
    uint64_t frame = machine.gicr;
    uint64_t mine = machine.mpidr[cpu_number()];
    uint64_t affinity = (mine >> 8 & 0xff000000) | (mine & 0xffffff);
    for (;;) {
        uint64_t typer = read64(frame + GICR_TYPER);
        if (typer >> GICR_TYPER_AFFINITY_SHIFT == affinity || (typer & GICR_TYPER_LAST)) {
            break;
        }
        frame += typer & GICR_TYPER_VLPIS ? GICR_FRAMES_SIZE_VLPI : GICR_FRAMES_SIZE;
    }
    redistributor[cpu_number()] = frame;
}

static void init_core_v3(void)
{
    find_redistributor();
    uint64_t waker = redistributor[cpu_number()] + GICR_WAKER;
    write32(waker, read32(waker) & ~(uint32_t)GICR_WAKER_SLEEP);
    while (read32(waker) & (uint32_t)GICR_WAKER_ASLEEP) {
        yield();
    }
    init_lines(0, INTID_SPI);
    WRITE(ICC_SRE_EL1, READ(ICC_SRE_EL1) | ICC_SRE_SRE);
    isb();
    WRITE(ICC_CTLR_EL1, 0);
    WRITE(ICC_BPR1_EL1, 0);
    WRITE(ICC_PMR_EL1, 0xf8);
    WRITE(ICC_IGRPEN1_EL1, 1);
    isb();
}

void gic_init_core(void)
{
    if (v3()) {
        init_core_v3();
        return;
    }
    init_lines(0, INTID_SPI);
    write32(machine.gicc + GICC_BPR, 0);
    write32(machine.gicc + GICC_PMR, 0xf8);
    write32(machine.gicc + GICC_CTLR, (uint32_t)GICC_CTLR_ENABLE);
}

void gic_deactivate(uint32_t acknowledged)
{
    if (v3()) {
        WRITE(ICC_DIR_EL1, acknowledged);
        isb();
    } else {
        write32(machine.gicc + GICC_DIR, acknowledged);
    }
}

void gic_split_end(bool split)
{
    if (v3()) {
        WRITE(ICC_CTLR_EL1, split ? ICC_CTLR_EOIMODE : 0);
        isb();
    } else {
        write32(machine.gicc + GICC_CTLR,
                (uint32_t)(GICC_CTLR_ENABLE | (split ? GICC_CTLR_EOIMODE : 0)));
    }
}

void gic_set_mask(unsigned priority)
{
    if (v3()) {
        WRITE(ICC_PMR_EL1, priority);
        isb();
    } else {
        write32(machine.gicc + GICC_PMR, priority);
    }
}

unsigned gic_running_priority(void)
{
    return v3() ? (unsigned)READ(ICC_RPR_EL1) : read32(machine.gicc + GICC_RPR);
}

unsigned gic_highest_pending(void)
{
    return (unsigned)(v3() ? READ(ICC_HPPIR1_EL1) : read32(machine.gicc + GICC_HPPIR)) & 0x3ff;
}

void gic_sgi_others(unsigned intid)
{
    dsb();
    if (v3()) {
        WRITE(ICC_SGI1R_EL1, BIT(40) | (uint64_t)intid << ICC_SGI1R_INTID_SHIFT);
        isb();
    } else {
        write32(machine.gicd + GICD_SGIR, 1u << SGIR_OTHERS_SHIFT | intid);
    }
}

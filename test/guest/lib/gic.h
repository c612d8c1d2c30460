// The interrupt controller, version 2 or 3, as a payload uses it. INTIDs below 32 are the calling core's own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <spec/gicv2.h>
#include <spec/gicv3.h>

#include "arch.h"
#include "machine.h"

#define GIC_PRIORITY 0xa0u // of everything, unless set otherwise

// On the boot core: the distributor is off, everything is disabled, idle, edge-triggered as it was; then it is on.
void gic_init(void);
// On every core: its CPU interface and its private interrupts.
void gic_init_core(void);

void gic_enable(unsigned intid);
void gic_disable(unsigned intid);
void gic_set_priority(unsigned intid, unsigned priority);
unsigned gic_priority(unsigned intid);
void gic_set_pending(unsigned intid);
void gic_clear_pending(unsigned intid);
bool gic_pending(unsigned intid);
void gic_set_active(unsigned intid);
void gic_clear_active(unsigned intid);
bool gic_active(unsigned intid);
void gic_set_edge(unsigned intid, bool edge);
void gic_set_group(unsigned intid, unsigned group); // 0 or 1
void gic_set_target(unsigned intid, unsigned cpu);  // shared interrupts
unsigned gic_lines(void);                           // INTIDs of the distributor

// The register of `intid` among those of `bits` each that begin at `offset`: for what the functions above don't do.
uint64_t gic_register(unsigned offset, unsigned intid, unsigned bits);

// ---- CPU interface: the group that payloads use (0 of version 2 without security, 1 of version 3) ----

void gic_deactivate(uint32_t acknowledged); // when ending is split
void gic_split_end(bool split);             // EOImode
void gic_set_mask(unsigned priority);       // lower values pass
unsigned gic_running_priority(void);
unsigned gic_highest_pending(void); // INTID
void gic_sgi_others(unsigned intid);

static inline unsigned gic_intid(uint32_t acknowledged)
{
    return acknowledged & 0x3ff;
}

// What the following three cost is measured: so they are inline.

// Returns what to give to gic_end.
static inline uint32_t gic_acknowledge(void)
{
    if (machine.gic_version == 2) {
        return read32(machine.gicc + GICC_IAR);
    }
    uint32_t acknowledged = (uint32_t)READ(ICC_IAR1_EL1);
    dsb();
    return acknowledged;
}

static inline void gic_end(uint32_t acknowledged)
{
    if (machine.gic_version == 2) {
        write32(machine.gicc + GICC_EOIR, acknowledged);
    } else {
        WRITE(ICC_EOIR1_EL1, acknowledged);
        isb();
    }
}

// To a core of the boot core's cluster.
static inline void gic_sgi(unsigned intid, unsigned cpu)
{
    dsb();
    if (machine.gic_version == 2) {
        write32(machine.gicd + GICD_SGIR, 1u << (GICD_SGIR_TARGET_SHIFT + cpu) | intid);
    } else {
        WRITE(ICC_SGI1R_EL1, (uint64_t)intid << ICC_SGI1R_INTID_SHIFT | 1ull << cpu);
        isb();
    }
}

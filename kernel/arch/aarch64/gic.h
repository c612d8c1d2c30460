// The interrupt controller: what both versions have in common. gic.c has the arch_irq_* functions and decides what an
// interrupt is for; gicv2.c and gicv3.c move bits.
//
// Priority drop and deactivation are separate (EOImode 1). A device's interrupt gets its priority drop at once and
// stays active, and with that quiet, until arch_irq_unmask deactivates it: no mask register is written on that way.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <base/range.h>
#include <spec/gicv2.h>

#define GIC_REGIONS_MAX 8u // register ranges that the tree may list

struct vgic_ops;

enum gic_sgi {
    GIC_SGI_KICK, // look at the inbox and the cross call
    GIC_SGI_HALT, // a panic elsewhere
};

#define GIC_PRIORITY 0x80u // of everything

struct gic_ops {
    unsigned cores_max;
    void (*init)(void);      // boot core
    void (*init_core)(void); // each core
    // Takes one interrupt that is pending on this core, for gic_dispatch: priority dropped, an SGI's end as well. Were
    // there more, the core will be back from eret at once. GIC_NOTHING: it was withdrawn.
    uint32_t (*acknowledge)(void);
    void (*deactivate)(uint32_t intid);
    void (*send)(unsigned core, enum gic_sgi sgi);
    void (*set_enabled)(uint32_t intid, bool enabled); // shared; false: waits until it is
    void (*route)(uint32_t intid, unsigned core);
    void (*activate)(uint32_t intid); // this core's own
};

struct gic {
    const struct gic_ops *ops;
    uint32_t version;
    uint32_t lines;   // INTIDs 0..lines-1 exist
    uint32_t regions; // of physical[] in use
    struct range physical[GIC_REGIONS_MAX];
    volatile void *distributor;
    volatile void *cpu;        // version 2: CPU interface
    volatile void *hypervisor; // version 2: virtual interface control
    uint64_t gicv;             // version 2: physical address of the guests' CPU interface
    const struct vgic_ops *vgic;
    uint32_t lists;             // list registers
    uint64_t all_lists;         // a bit each
    uint32_t maintenance_intid; // 0: the tree names none, so there are no guests
    volatile void *redistributors[GIC_REGIONS_MAX]; // version 3, with
    struct range redistributor_range[GIC_REGIONS_MAX];
    uint32_t redistributor_regions;
    uint32_t redistributor_stride; // 0: each says how long it is
    // By INTID: enum gic_state. Set by the core that takes the interrupt, exchanged by whoever acknowledges it, so that
    // of two who do only one deactivates.
    _Atomic uint8_t state[INTID_SPI_END];
};

enum gic_state {
    GIC_ENABLED = 1,
    GIC_ACTIVE = 2, // delivered, waits for arch_irq_unmask
};

extern const struct gic_ops gicv2_ops;
extern const struct gic_ops gicv3_ops;

// Reads the tree and maps the registers. False: no controller that is known.
bool gic_find(const void *fdt, struct gic *gic);

// SGIs and PPIs that each core listens to: a bit each.
uint32_t gic_private_interrupts(void);

#define GIC_NOTHING INTID_SPI_END

// An interrupt that has been acknowledged.
void gic_dispatch(uint32_t intid);

// Other cores than this one stop at once, for good.
void gic_halt_others(void);

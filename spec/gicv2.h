// Generic Interrupt Controller v2: Arm IHI 0048B, chapters 4 and 5. Registers are 32 bits wide.
#pragma once

#include <base/bits.h>

// Distributor.
enum gicv2_distributor {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IIDR = 0x008,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400, // a byte each
    GICD_ITARGETSR = 0x800,  // a byte each
    GICD_ICFGR = 0xc00,      // two bits each, the upper one: edge
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10, // a byte each: its senders
    GICD_SPENDSGIR = 0xf20,
    GICD_PIDR4_V2 = 0xfd0, // identification, up to the end of the 4 KiB frame
    GICD_PIDR2_V2 = 0xfe8,
};

#define GICD_FRAME_SIZE_V2 0x1000u

#define GICD_CTLR_ENABLE       BIT(0)
#define GICD_SGIR_TARGET_SHIFT 16

// With one security state and two groups, both versions.
#define GICD_CTLR_GROUP0 BIT(0)
#define GICD_CTLR_GROUP1 BIT(1)

#define GICD_TYPER_CPUS_SHIFT 5 // cores - 1

// GICD_SGIR bits 25:24.
enum gicv2_sgi_filter {
    GICD_SGIR_LIST,
    GICD_SGIR_OTHERS,
    GICD_SGIR_SELF,
};

// INTIDs that the distributor has.
static inline unsigned gicd_typer_lines(uint32_t typer)
{
    return 32 * ((typer & 0x1f) + 1);
}

// CPU interface.
enum gicv2_cpu {
    GICC_CTLR = 0x000,
    GICC_PMR = 0x004,
    GICC_BPR = 0x008,
    GICC_IAR = 0x00c,
    GICC_EOIR = 0x010,
    GICC_IIDR = 0x0fc,
    GICC_DIR = 0x1000,
};

#define GICC_CTLR_ENABLE  BIT(0)
#define GICC_CTLR_EOIMODE BIT(9) // EOIR drops the priority, DIR deactivates
#define GICC_IAR_INTID    FIELD(9, 0)

// Virtual interface control.
enum gicv2_hypervisor {
    GICH_HCR = 0x000,
    GICH_VTR = 0x004,
};

// INTIDs of both versions.
#define INTID_PPI      16u
#define INTID_SPI      32u
#define INTID_SPI_END  1020u // 1020..1023 are special
#define INTID_SPURIOUS 1023u

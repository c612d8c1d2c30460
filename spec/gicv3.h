// Generic Interrupt Controller v3: Arm IHI 0069, chapter 12. What differs from version 2, whose distributor registers
// keep their offsets (gicv2.h).
#pragma once

#include <base/bits.h>

enum gicv3_distributor {
    GICD_IROUTER = 0x6000, // 64 bits each, from INTID 0 on
    GICD_IROUTER_END = 0x8000,
    GICD_PIDR4 = 0xffd0, // identification, up to the end of the frame; of redistributors, too
    GICD_PIDR2 = 0xffe8,
};

#define GICD_CTLR_DS            BIT(6)  // one security state
#define GICD_TYPER_IDBITS_SHIFT 19      // bits of an INTID - 1
#define GICD_IROUTER_IRM        BIT(31) // any core
#define GICD_IROUTER_AFFINITY   (FIELD(39, 32) | FIELD(23, 0))

#define GICD_CTLR_GRP1  BIT(0)
#define GICD_CTLR_GRP1A BIT(1)
#define GICD_CTLR_ARE   BIT(4)
#define GICD_CTLR_RWP   BIT(31)

// Redistributor: its own frame, then one for SGIs and PPIs with the distributor's offsets.
enum gicv3_redistributor {
    GICR_CTLR = 0x0000,
    GICR_IIDR = 0x0004,
    GICR_TYPER = 0x0008,
    GICR_WAKER = 0x0014,
    GICR_SGI_FRAME = 0x10000,
};

#define GICR_FRAMES_SIZE          0x20000u // two 64 KiB frames
#define GICR_FRAMES_SIZE_VLPI     0x40000u // four, with GICv4
#define GICR_CTLR_RWP             BIT(3)
#define GICR_TYPER_VLPIS          BIT(1)
#define GICR_TYPER_LAST           BIT(4)
#define GICR_TYPER_NUMBER_SHIFT   8
#define GICR_TYPER_AFFINITY_SHIFT 32
#define GICR_WAKER_SLEEP          BIT(1)
#define GICR_WAKER_ASLEEP         BIT(2)

#define ICC_SRE_SRE           BIT(0)
#define ICC_SRE_DFB           BIT(1)
#define ICC_SRE_DIB           BIT(2)
#define ICC_SRE_ENABLE        BIT(3)
#define ICC_CTLR_EOIMODE      BIT(1)
#define ICC_IAR_INTID         FIELD(23, 0)
#define ICC_SGI1R_INTID_SHIFT 24
#define ICC_SGI1R_LIST        FIELD(15, 0) // Aff0, from 16 times the range selector on
#define ICC_SGI1R_ALL_OTHERS  BIT(40)
// Aff3, range selector, Aff2, Aff1.
#define ICC_SGI1R_CLUSTER (FIELD(55, 48) | FIELD(47, 44) | FIELD(39, 32) | FIELD(23, 16))

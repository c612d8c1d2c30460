// The virtual interface of both GIC versions, as a hypervisor programs it: Arm IHI 0069 chapter 12.4 (ICH_*_EL2), Arm
// IHI 0048B chapter 5 (GICH_*).
#pragma once

#include <base/bits.h>

// ICH_LR<n>_EL2.
#define ICH_LR_VINTID         FIELD(31, 0)
#define ICH_LR_EOI            BIT(41) // not for hardware interrupts: maintenance when the guest ends it
#define ICH_LR_PINTID_SHIFT   32      // hardware interrupts
#define ICH_LR_PINTID         FIELD(44, 32)
#define ICH_LR_PRIORITY_SHIFT 48
#define ICH_LR_GROUP1         BIT(60)
#define ICH_LR_HW             BIT(61)
#define ICH_LR_PENDING        BIT(62)
#define ICH_LR_ACTIVE         BIT(63)

// ICH_HCR_EL2 and GICH_HCR.
#define ICH_HCR_EN             BIT(0)
#define ICH_HCR_UIE            BIT(1)  // maintenance when at most one list register is in use
#define ICH_HCR_LRENPIE        BIT(2)  // when the guest ended an interrupt that stands in none
#define ICH_HCR_NPIE           BIT(3)  // when none is pending
#define ICH_HCR_TDIR           BIT(14) // version 3: writes of ICC_DIR_EL1 are trapped
#define ICH_HCR_EOICOUNT_SHIFT 27
#define ICH_HCR_EOICOUNT       FIELD(31, 27)

// ICH_VMCR_EL2.
#define ICH_VMCR_ENABLE0   BIT(0)
#define ICH_VMCR_ENABLE1   BIT(1)
#define ICH_VMCR_EOIM      BIT(9) // ending is two steps: priority drop, deactivation
#define ICH_VMCR_PMR_SHIFT 24

// ICH_VTR_EL2.
#define ICH_VTR_LIST_REGISTERS FIELD(4, 0) // minus one
#define ICH_VTR_TDS            BIT(19)     // ICH_HCR_TDIR works
#define ICH_VTR_PREBITS_SHIFT  26

// GICH_*.
enum gicv2_virtual {
    GICH_VMCR = 0x008,
    GICH_MISR = 0x010,
    GICH_EISR0 = 0x020,
    GICH_ELRSR0 = 0x030,
    GICH_APR = 0x0f0,
    GICH_LR = 0x100, // 4 bytes each
};

// GICH_LR.
#define GICH_LR_VINTID         FIELD(9, 0)
#define GICH_LR_PINTID_SHIFT   10 // hardware interrupts; of SGIs the sender
#define GICH_LR_EOI            BIT(19)
#define GICH_LR_PRIORITY_SHIFT 23 // upper five bits of it
#define GICH_LR_PENDING        BIT(28)
#define GICH_LR_ACTIVE         BIT(29)
#define GICH_LR_GROUP1         BIT(30)
#define GICH_LR_HW             BIT(31)

#define GICH_VTR_LIST_REGISTERS FIELD(5, 0) // minus one
#define GICH_VMCR_PMR_SHIFT     27          // upper five bits

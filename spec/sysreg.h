// Bits of AArch64 system registers: Arm ARM (DDI 0487) chapter D17.2 and D17.3. Only what this project sets or reads.
#pragma once

#include <base/bits.h>

#define CURRENT_EL_EL2 (2ull << 2)

// Affinity fields of MPIDR_EL1, in place.
#define MPIDR_AFFINITY (FIELD(39, 32) | FIELD(23, 0))

#define HCR_VM        BIT(0)
#define HCR_SWIO      BIT(1)
#define HCR_FMO       BIT(3)
#define HCR_IMO       BIT(4)
#define HCR_AMO       BIT(5)
#define HCR_FB        BIT(9)
#define HCR_BSU_INNER (1ull << 10)
#define HCR_DC        BIT(12)
#define HCR_TWI       BIT(13)
#define HCR_TID3      BIT(18)
#define HCR_TSC       BIT(19)
#define HCR_TIDCP     BIT(20)
#define HCR_TACR      BIT(21)
#define HCR_TSW       BIT(22)
#define HCR_TGE       BIT(27)
#define HCR_RW        BIT(31)
#define HCR_E2H       BIT(34)
#define HCR_TLOR      BIT(35)
#define HCR_TERR      BIT(36)

#define SCTLR_M        BIT(0)
#define SCTLR_C        BIT(2)
#define SCTLR_SA       BIT(3)
#define SCTLR_SA0      BIT(4)
#define SCTLR_DZE      BIT(14)
#define SCTLR_UCT      BIT(15)
#define SCTLR_NTWI     BIT(16)
#define SCTLR_NTWE     BIT(18)
#define SCTLR_I        BIT(12)
#define SCTLR_WXN      BIT(19)
#define SCTLR_UCI      BIT(26)
#define SCTLR_EL2_RES1 0x30c50830ull
#define SCTLR_EL1_RES1 0x30d00980ull

#define CPTR_EL2_RES1 0x33ffull // with SVE and SME trapped
#define CPTR_TFP      BIT(10)
#define CPTR_TTA      BIT(20)
#define CPTR_TAM      BIT(30)
#define CPTR_TCPAC    BIT(31)

#define MDCR_HPMN  FIELD(4, 0)
#define MDCR_TPMCR BIT(5)
#define MDCR_TPM   BIT(6)
#define MDCR_TDE   BIT(8)
#define MDCR_TDA   BIT(9)
#define MDCR_TDOSA BIT(10)
#define MDCR_TDRA  BIT(11)
#define MDCR_TPMS  BIT(14)
#define MDCR_TTRF  BIT(19)

#define CPACR_FPEN FIELD(21, 20)

#define MPAM2_TRAP FIELD(49, 48)

#define CNTHCTL_EL1PCTEN BIT(0) // EL1 and, where it allows, EL0 may read the physical counter
#define CNT_CTL_ENABLE   BIT(0)
#define CNT_CTL_IMASK    BIT(1)
#define CNT_CTL_ISTATUS  BIT(2)

#define MDSCR_SS   BIT(0)
#define MDSCR_TDCC BIT(12)
#define MDSCR_KDE  BIT(13)
#define MDSCR_MDE  BIT(15)

#define PAR_F       BIT(0)
#define PAR_ADDRESS FIELD(47, 12)

#define HPFAR_FIPA FIELD(43, 4)

#define TCR_EL2_RES1   (BIT(31) | BIT(23))
#define TCR_T0SZ(bits) (64ull - (bits))
#define TCR_WALK_WB_INNER                                                                          \
    (FIELD(13, 12) | BIT(10) | BIT(8)) // table walks: write-back, Inner Shareable
#define TCR_EL2_PS_SHIFT 16

#define VTCR_RES1        BIT(31)
#define VTCR_SL0_LEVEL1  (1ull << 6)
#define VTCR_SL0_LEVEL0  (2ull << 6)
#define VTCR_PS_SHIFT    16
#define VTCR_VS          BIT(19) // 16-bit VMIDs
#define VTTBR_VMID_SHIFT 48

#define PSTATE_NZCV FIELD(31, 28)
#define PSTATE_EL0T 0x0u
#define PSTATE_MODE FIELD(4, 0)
#define PSTATE_SS   BIT(21)
#define PSTATE_IL   BIT(20)
#define PSTATE_EL1T 0x4u
#define PSTATE_EL1H 0x5u
#define PSTATE_USR  0x10u // AArch32

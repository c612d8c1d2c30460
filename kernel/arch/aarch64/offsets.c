// Proofs for offsets.h: nothing here makes code.
#include "offsets.h"

#include <assert.h>
#include <stddef.h>

#include <spec/sysreg.h>
#include <spec/vmsa.h>

#include "percpu.h"
#include "thread.h"
#include "trap.h"

static_assert(offsetof(struct thread, regs) == 0, "SP_EL2 of a running thread is its registers");
static_assert(offsetof(struct arch_regs, x) == REGS_X0, "entry.S");
static_assert(offsetof(struct arch_regs, x[30]) == REGS_X30, "entry.S");
static_assert(offsetof(struct arch_regs, sp) == REGS_X30 + 8, "entry.S: stored as a pair");
static_assert(offsetof(struct arch_regs, pc) == REGS_PC, "entry.S");
static_assert(offsetof(struct arch_regs, pstate) == REGS_PC + 8, "entry.S: stored as a pair");
static_assert(offsetof(struct arch_regs, sp) == REGS_SP, "entry.S");
static_assert(offsetof(struct arch_regs, tpidr) == REGS_TPIDR, "entry.S");
static_assert(VCPU_RUN == VCPU_RUN_NUMBER, "entry.S");

// A vcpu's page is stored like a thread.
static_assert(offsetof(struct vcpu_regs, x[30]) == REGS_X30, "guest_entry.S");
static_assert(offsetof(struct vcpu_regs, sp_el0) == REGS_SP, "guest_entry.S");
static_assert(offsetof(struct vcpu_regs, pc) == REGS_PC, "guest_entry.S");
static_assert(offsetof(struct vcpu_regs, pstate) == REGS_PC + 8, "guest_entry.S");
static_assert(offsetof(struct vcpu_regs, tpidr_el0) == REGS_TPIDR, "guest_entry.S");
static_assert(offsetof(struct vcpu_regs, tpidrro_el0) == REGS_TPIDR + 8, "guest_entry.S");
static_assert(_Alignof(struct thread) % 16 == 0, "SP must be aligned to 16 bytes");

static_assert(offsetof(struct percpu, current) == PERCPU_CURRENT, "guest_entry.S");
static_assert(offsetof(struct percpu, stack_top) == PERCPU_STACK_TOP, "entry.S, start.S");
static_assert(offsetof(struct percpu, arch.emergency_top) == PERCPU_EMERGENCY_TOP, "entry.S");

static_assert(offsetof(struct trap_frame, x[30]) == FRAME_X30, "entry.S");
static_assert(offsetof(struct trap_frame, sp) == FRAME_X30 + 8, "entry.S: stored as a pair");
static_assert(offsetof(struct trap_frame, pc) == FRAME_PC, "entry.S");
static_assert(offsetof(struct trap_frame, pstate) == FRAME_PC + 8, "entry.S: stored as a pair");
static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "entry.S");

static_assert(offsetof(struct arch_fp, fpsr) == FP_FPSR, "fp.S");
static_assert(offsetof(struct arch_fp, fpcr) == FP_FPSR + 8, "fp.S");

static_assert(BOOT_HCR == HCR_RW, "start.S");
static_assert(BOOT_MAIR == (MAIR_DEVICE_NGNRE | MAIR_NORMAL_WB << 8 | MAIR_NORMAL_NC << 16),
              "start.S");
static_assert(BOOT_TCR == (TCR_EL2_RES1 | TCR_WALK_WB_INNER | TCR_T0SZ(48)), "start.S");
static_assert(BOOT_SCTLR_OFF == SCTLR_EL2_RES1, "start.S");
static_assert(BOOT_SCTLR == (SCTLR_EL2_RES1 | SCTLR_WXN | SCTLR_I | SCTLR_SA | SCTLR_C | SCTLR_M),
              "start.S");

#define NORMAL_PAGE (S1_ATTR(1) | S1_AP_RES1 | PTE_SH_INNER | PTE_AF | PTE_TABLE | PTE_VALID)
static_assert(BOOT_PTE_TABLE == (PTE_TABLE | PTE_VALID), "start.S");
static_assert(BOOT_PTE_TEXT == (NORMAL_PAGE | S1_AP_RO), "start.S");
static_assert(BOOT_PTE_TEXT_BLOCK == (BOOT_PTE_TEXT & ~PTE_TABLE), "start.S");
static_assert(BOOT_PTE_RODATA == (NORMAL_PAGE | S1_AP_RO | PTE_XN), "start.S");
static_assert(BOOT_PTE_DATA == (NORMAL_PAGE | PTE_XN), "start.S");

static_assert(STACK_OFFSET + STACK_SIZE <= STACK_STRIDE, "stacks");
static_assert(STACK_BASE + (uint64_t)CORES_MAX * STACK_STRIDE <= DEVICE_BASE, "stacks");

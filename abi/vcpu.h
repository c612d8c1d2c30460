// A virtual core as its monitor (VMM) sees it: the page that both share, and what vcpu_run says.
//
// Between the return to the guest and the next exit the page is the kernel's, except for the inbox; the rest of the
// time it is the VMM's. The kernel reads what it uses once and checks it exactly: whatever a VMM writes here is its
// own guest's problem.
//
// The inbox is how virtual interrupts get to the guest. Every interrupt that can be on its way has a *source*, a bit in
// each of its words: sources 0-31 are the INTIDs 0-31, sources 32-63 are slots for shared interrupts, whose INTIDs
// stand in `source`. Any thread of the VMM changes the words atomically, then sets `attention`, then calls vcpu_kick
// (not needed for the vcpu that the thread itself is about to run). The kernel moves what is deliverable into list
// registers at entry, or on the core where the guest runs when the kick comes: no VMM runs for it.
//
//   pending   latched: an edge, an SGI, a write to a "set pending" register. The kernel clears the bit when the
//             interrupt goes into a list register, and sets it again when it takes it out undelivered
//   line      the level of a line. The kernel only reads it: an interrupt of a level source is looked at again when
//             the guest ends it, without the VMM
//   active    taken out of a list register while active. The kernel clears the bit when it goes back into one
//   enabled   may be delivered: its own enable and that of its group
//   asserted  linked sources (the virtual timer is one) whose hardware asks for them. Only the kernel writes it, and
//             delivers them without it: it is for whoever shows the guest what is pending
//
// What stands in list registers shows in no word until vcpu_sync has folded them back: then pending and active hold the
// truth, and asserted is made anew (until the guest runs again).
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define VCPU_PAGE_VERSION 1u
#define VCPU_SOURCES      64u
#define VCPU_SOURCE_SPI   32u // first slot

// What may change in list registers: bits of `attention`.
#define VCPU_ATTENTION_NEW 1u // something may have become deliverable
#define VCPU_ATTENTION_FOLD                                                                        \
    2u // something may have to leave: disabled, line down, another priority, no longer active
// The guest waits as in WFI before it goes on, until an interrupt is pending that the inbox lets through (the CPU
// interface may mask it), or vcpu_run ends. Set by the vcpu's own thread before it calls vcpu_run.
#define VCPU_ATTENTION_WAIT 4u

// vcpu_page.source[]: one word, so that it is read whole.
#define VCPU_SOURCE(intid, priority, flags)                                                        \
    ((uint64_t)(uint32_t)(intid) | (uint64_t)(uint8_t)(priority) << 32 | (uint64_t)(flags) << 40)
#define VCPU_SOURCE_INTID(word)    ((uint32_t)(word))
#define VCPU_SOURCE_PRIORITY(word) ((uint8_t)((word) >> 32))
#define VCPU_SOURCE_GROUP1         1u // flags
#define VCPU_SOURCE_LEVEL          2u
#define VCPU_SOURCE_FLAGS(word)    ((unsigned)((word) >> 40) & 0xff)

struct vcpu_regs {
    uint64_t x[31];
    uint64_t sp_el0;
    uint64_t pc;
    uint64_t pstate;
    uint64_t tpidr_el0;
    uint64_t tpidrro_el0;
};

struct vcpu_page {
    struct vcpu_regs regs; // first: the kernel's entry code saves here

    uint64_t version; // VCPU_PAGE_VERSION, written by the kernel when the page is bound
    // Of the last exit with VCPU_TRAP.
    uint64_t syndrome; // ESR_EL2
    uint64_t address;  // FAR_EL2
    uint64_t ipa; // data and instruction aborts: the intermediate physical address; else undefined

    // Exits that the kernel dealt with alone, by what they were.
    uint64_t kernel_exits; // interrupts, WFI, first use of FP

    _Alignas(64) _Atomic uint64_t attention;
    _Atomic uint64_t pending;
    _Atomic uint64_t line;
    _Atomic uint64_t active;
    _Atomic uint64_t enabled;
    _Atomic uint64_t asserted;
    _Atomic uint64_t source[VCPU_SOURCES]; // VCPU_SOURCE
    // GICv2: who sent SGI n, a bit for each core. Empty while it is not pending.
    _Atomic uint8_t sgi_senders[16];
    uint8_t sgi_active_sender[16]; // of the active SGI n: number of the core
};

static_assert(offsetof(struct vcpu_page, regs) == 0, "entry code");
static_assert(sizeof(struct vcpu_page) <= 4096, "one page");

// What vcpu_run returns: one of these, or a negative err_t.
//   ERR_BUSY     no page or no guest space is bound
//   ERR_INVALID  the page's pstate is none that a guest may have; the thread is passive
enum vcpu_exit {
    VCPU_TRAP,     // see syndrome, address, ipa; regs.pc is the instruction's (after it for HVC)
    VCPU_NOTIFIED, // the thread's notification was signalled; the bits are in *bits
    VCPU_DEADLINE, // the deadline passed
    VCPU_STOPPED,  // the thread was stopped and started again
    VCPU_SERROR,   // the guest caused a system error; see syndrome
};

// What a vcpu holds: vcpu_bind.
enum vcpu_slot {
    VCPU_SPACE, // guest space, write
    VCPU_PAGE,  // frames of one page, read and write
    VCPU_SLOT_COUNT
};

/* Registers of vcpu_read and vcpu_write. name, reset value. Those of EL0 and the general ones are in the page. */
#define VCPU_REGISTER_LIST(X)                                                                      \
    X(SCTLR_EL1, 0x30d00800)                                                                       \
    X(CPACR_EL1, 0)                                                                                \
    X(CNTKCTL_EL1, 0)                                                                              \
    X(MDSCR_EL1, 0)                                                                                \
    X(TTBR0_EL1, 0)                                                                                \
    X(TTBR1_EL1, 0)                                                                                \
    X(TCR_EL1, 0)                                                                                  \
    X(MAIR_EL1, 0)                                                                                 \
    X(AMAIR_EL1, 0)                                                                                \
    X(VBAR_EL1, 0)                                                                                 \
    X(CONTEXTIDR_EL1, 0)                                                                           \
    X(AFSR0_EL1, 0)                                                                                \
    X(AFSR1_EL1, 0)                                                                                \
    X(ESR_EL1, 0)                                                                                  \
    X(FAR_EL1, 0)                                                                                  \
    X(PAR_EL1, 0)                                                                                  \
    X(ELR_EL1, 0)                                                                                  \
    X(SPSR_EL1, 0)                                                                                 \
    X(SP_EL1, 0)                                                                                   \
    X(TPIDR_EL1, 0)                                                                                \
    X(CSSELR_EL1, 0)                                                                               \
    X(CNTV_CTL_EL0, 0)                                                                             \
    X(CNTV_CVAL_EL0, 0)                                                                            \
    X(CNTVOFF_EL2, 0)                                                                              \
    X(VMPIDR_EL2, 0x80000000)                                                                      \
    X(VPIDR_EL2, 0)                                                                                \
    X(VDISR_EL2, 0)                                                                                \
    X(TPIDR2_EL0, 0)

enum vcpu_register {
#define VCPU_REGISTER_ENUM(name, reset) VCPU_REG_##name,
    VCPU_REGISTER_LIST(VCPU_REGISTER_ENUM)
#undef VCPU_REGISTER_ENUM
        VCPU_REGISTERS, // how many these are
    // Debug registers of the guest: breakpoint and watchpoint n.
    VCPU_REG_DBGBVR = 0x80,
    VCPU_REG_DBGBCR = 0x90,
    VCPU_REG_DBGWVR = 0xa0,
    VCPU_REG_DBGWCR = 0xb0,
    // The virtual CPU interface: ICH_VMCR_EL2 or GICH_VMCR.
    VCPU_REG_VMCR = 0xc0,
    // ID registers of this machine, op0 3, op1 0, CRn 0: read only, the same for all vcpus.
    VCPU_REG_ID = 0x100
};
#define VCPU_REG_ID_OF(crm, op2) (VCPU_REG_ID + (crm)*8u + (op2))

// What kernel/arch.h asks of an arch: its types and inline functions, for AArch64 at EL2.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/syscall.h>
#include <abi/vcpu.h>
#include <base/addr.h>

#include <spec/sysreg.h>

#include "offsets.h"
#include "pte.h"
#include "sysreg.h"
#include "vgic.h"

struct percpu;

// A thread's registers while it is not running. Complete from the moment it enters the kernel on, `tpidrro` always:
// another core may take the thread over at once. FP registers follow their own rule (percpu.fp_owner).
struct arch_regs {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint64_t pstate;
    uint64_t tpidr;
    uint64_t tpidrro; // the process may read it, its creator sets it
};

struct arch_fp {
    _Alignas(16) uint64_t q[32][2];
    uint64_t fpsr;
    uint64_t fpcr;
};

struct arch_space {
    uint64_t vttbr; // root's address and VMID
    // A guest's: who used it last on each core. Its vcpus share a VMID, but not what each has in its own tables.
    const struct vcpu *last[CORES_MAX];
};

struct arch_vcpu {
    uint64_t reg[VCPU_REGISTERS]; // by enum vcpu_register
    uint64_t debug[4][16];        // breakpoints: value, control; watchpoints: value, control
    bool debugs;                  // one of the controls is not zero
    struct vgic_state vgic;
    struct arch_fp fp;
};

struct arch_percpu {
    uint64_t emergency_top;  // stack for what goes wrong inside the kernel
    uint64_t vttbr;          // what VTTBR_EL2 holds
    uint64_t nowhere;        // what it holds while the core runs nobody: stage2.c
    uint64_t sgi_target;     // how the interrupt controller names this core: gicv2.c, gicv3.c
    uint64_t mpidr;          // affinity
    struct trap_frame *trap; // registers at an exception inside the kernel, for panic
    bool fp_open;            // CPTR_EL2 lets EL0 use FP: only ever for the owner
    struct vcpu *resident;   // whose EL1, timer and interrupt state the registers hold
    bool in_guest;           // and what acts on EL0, too: guest.c
    uint64_t guard;          // no deadline is later: vgicv2.c
    bool debugs;             // the core's breakpoints are not all off
    bool
        lazy; // in_guest, or somebody's FP registers are in the core: switching is no simple matter
    volatile void *redistributor; // GICv3
    bool panicking;               // on this core
};

static inline struct percpu *this_cpu(void)
{
    // cppcheck-suppress uninitvar ; it does not see the assembly
    return (struct percpu *)sysreg_constant(tpidr_el2);
}

static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(PHYSMAP_BASE + pa.a);
}

// Of memory that phys_to_virt gave: not of the kernel's own variables.
static inline paddr_t virt_to_phys(const void *va)
{
    return paddr((uint64_t)va - PHYSMAP_BASE);
}

static inline uint64_t *arch_words(struct arch_regs *regs)
{
    return regs->x;
}

// Of a thread's pstate: it is the guest of its vcpu.
#define PSTATE_GUEST_MODE (1ull << 63)

static inline bool arch_guest_mode(const struct arch_regs *regs)
{
    return (regs->pstate & PSTATE_GUEST_MODE) != 0;
}

static inline void arch_leave_guest_mode(struct arch_regs *regs, int64_t result, uint64_t bits)
{
    regs->x[0] = (uint64_t)result;
    regs->x[1] = bits;
    regs->pstate = PSTATE_EL0T;
}

static inline void arch_restart_syscall(struct arch_regs *regs)
{
    regs->pc -= 4;
}

static inline void arch_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline bool arch_interrupt_pending(void)
{
    return sysreg_read(isr_el1) != 0;
}

static inline void arch_timer_set(const struct arch_percpu *cpu, uint64_t deadline)
{
    sysreg_write(cnthp_cval_el2, deadline < cpu->guard ? deadline : cpu->guard);
}

static inline uint64_t arch_now(void)
{
    isb(); // not read ahead of what comes before it
    return sysreg_read(cntpct_el0);
}

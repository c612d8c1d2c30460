// What kernel/arch.h asks of an arch: its types and inline functions, for fake cores on the development machine. Tests
// steer and watch them through fake.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/syscall.h>
#include <abi/vcpu.h>
#include <base/addr.h>

#include "../aarch64/pte.h"

struct percpu;
struct vcpu;

struct arch_regs {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint64_t pstate;
    uint64_t tpidr;
    uint64_t tpidrro;
};

// Only where the state is: that is what the kernel can get wrong.
struct arch_fp {
    unsigned resident; // core whose registers hold it, plus one; 0: in memory
};

struct arch_space {
    paddr_t root;
    uint16_t vmid;
};

// List registers are as many as there are sources, and none of them is ever active.
struct arch_vcpu {
    uint64_t reg[VCPU_REGISTERS];
    uint64_t listed;   // sources that are pending in list registers
    uint64_t hardware; // those of them that were linked when they came there
    unsigned folds;    // how often these were folded into the page
};

struct arch_percpu {
    uint64_t deadline;     // of the core's timer
    struct vcpu *resident; // whose registers the core holds
};

// fake.c, cores.c
extern struct percpu *fake_cpu; // the core that executes now; NULL: the test itself
void *fake_virtual(paddr_t pa);
paddr_t fake_physical(const void *va);
uint64_t fake_clock(void);
void fake_timer_set(uint64_t deadline);
bool fake_interrupted(void);
void fake_vcpu_load(struct vcpu *v);   // becomes resident on this core
void fake_vcpu_update(struct vcpu *v); // what may be delivered goes into list registers
void fake_relax(void);

static inline struct percpu *this_cpu(void)
{
    return fake_cpu;
}

static inline void *phys_to_virt(paddr_t pa)
{
    return fake_virtual(pa);
}

static inline paddr_t virt_to_phys(const void *va)
{
    return fake_physical(va);
}

static inline uint64_t *arch_words(struct arch_regs *regs)
{
    return regs->x;
}

#define FAKE_GUEST_MODE (1ull << 63) // of a thread's pstate

static inline bool arch_guest_mode(const struct arch_regs *regs)
{
    return (regs->pstate & FAKE_GUEST_MODE) != 0;
}

static inline void arch_leave_guest_mode(struct arch_regs *regs, int64_t result, uint64_t bits)
{
    regs->x[0] = (uint64_t)result;
    regs->x[1] = bits;
    regs->pstate = 0;
}

static inline void arch_restart_syscall(struct arch_regs *regs)
{
    regs->pc -= 4;
}

static inline void arch_relax(void)
{
    fake_relax();
}

static inline bool arch_interrupt_pending(void)
{
    return fake_interrupted();
}

static inline uint64_t arch_now(void)
{
    return fake_clock();
}

static inline void arch_timer_set(const struct arch_percpu *cpu, uint64_t deadline)
{
    (void)cpu;
    fake_timer_set(deadline);
}

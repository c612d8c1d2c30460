// Switching what acts on EL0 without being in struct arch_regs: address space, thread-ID registers, FP trap.
// Interrupts are off throughout; eret to the thread synchronizes the system registers, so there is no ISB here.
#include "context.h"

#include <assert.h>
#include <stddef.h>

#include <base/bits.h>
#include <spec/sysreg.h>

#include "el2.h"
#include "guest.h"
#include "percpu.h"
#include "space.h"
#include "stage2.h"
#include "thread.h"

void context_fp_trap(struct percpu *cpu, bool open)
{
    if (cpu->arch.fp_open != open) {
        cpu->arch.fp_open = open;
        sysreg_write(cptr_el2, open ? CPTR_PROCESS & ~CPTR_TFP : CPTR_PROCESS);
    }
}

static void set_lazy(struct percpu *cpu)
{
    cpu->arch.lazy = cpu->fp_owner != NULL || cpu->arch.in_guest;
}

static ALWAYS_INLINE struct thread *take_up(struct percpu *cpu, struct thread *to)
{
    if (to == NULL) {
        stage2_enter(&cpu->arch, cpu->arch.nowhere);
        return NULL;
    }
    stage2_enter(&cpu->arch, to->space->arch.vttbr);
    uint64_t tpidr = to->regs.tpidr;
    uint64_t tpidrro = to->regs.tpidrro;
    sysreg_write(tpidr_el0, tpidr);
    sysreg_write(tpidrro_el0, tpidrro);
    return to;
}

// The core holds registers of somebody else.
static NOINLINE struct thread *switch_lazily(struct percpu *cpu, struct thread *to)
{
    if (cpu->arch.in_guest) {
        guest_retire(cpu);
    }
    if (to != NULL) {
        context_fp_trap(cpu, cpu->fp_owner == &to->fp);
    }
    set_lazy(cpu);
    return take_up(cpu, to);
}

struct thread *arch_thread_switch(struct thread *from, struct thread *to)
{
    (void)from; // entry.S has saved all of it
    struct percpu *cpu = this_cpu();
    if (cpu->arch.lazy) {
        return switch_lazily(cpu, to); // last: no stack frame on the usual way
    }
    return take_up(cpu, to);
}

// ---- FP -----------------------------------------------------------------------------------------------------------

static void fp_put_away(struct percpu *cpu)
{
    if (cpu->fp_owner != NULL) {
        fp_save(cpu->fp_owner);
        cpu->fp_owner = NULL;
    }
}

void context_fp_take(struct arch_fp *fp)
{
    struct percpu *cpu = this_cpu();
    context_fp_trap(cpu, true);
    if (cpu->fp_owner != fp) {
        isb(); // from here on this core may use FP registers, too
        fp_put_away(cpu);
        fp_load(fp);
        cpu->fp_owner = fp;
    }
    cpu->arch.lazy = true;
}

void arch_fp_evict(struct arch_fp *fp)
{
    struct percpu *cpu = this_cpu();
    if (cpu->fp_owner != fp) {
        return;
    }
    context_fp_trap(cpu, true);
    isb();
    fp_put_away(cpu);
    context_fp_trap(cpu, false);
}

// ---- Registers by number ------------------------------------------------------------------------------------------

void arch_regs_init(struct arch_regs *regs)
{
    *regs = (struct arch_regs){.pstate = PSTATE_EL0T};
}

// struct arch_regs is the array of what enum thread_register names.
static_assert(offsetof(struct arch_regs, sp) == REG_SP * sizeof(uint64_t),
              "order of enum thread_register");
static_assert(offsetof(struct arch_regs, pc) == REG_PC * sizeof(uint64_t),
              "order of enum thread_register");
static_assert(offsetof(struct arch_regs, pstate) == REG_PSTATE * sizeof(uint64_t),
              "order of enum thread_register");
static_assert(offsetof(struct arch_regs, tpidr) == REG_TPIDR * sizeof(uint64_t),
              "order of enum thread_register");
static_assert(offsetof(struct arch_regs, tpidrro) == REG_TPIDRRO * sizeof(uint64_t),
              "order of enum thread_register");
static_assert(sizeof(struct arch_regs) == REG_COUNT * sizeof(uint64_t),
              "order of enum thread_register");

bool arch_reg_read(const struct arch_regs *regs, unsigned reg, uint64_t *value)
{
    if (reg >= REG_COUNT) {
        return false;
    }
    *value = ((const uint64_t *)regs)[reg] & (reg == REG_PSTATE ? PSTATE_NZCV : UINT64_MAX);
    return true;
}

// Of pstate only the flags: everything else stays as the kernel wants it.
bool arch_reg_write(struct arch_regs *regs, unsigned reg, uint64_t value)
{
    if (reg >= REG_COUNT) {
        return false;
    }
    ((uint64_t *)regs)[reg] =
        reg == REG_PSTATE ? (regs->pstate & ~PSTATE_NZCV) | (value & PSTATE_NZCV) : value;
    return true;
}

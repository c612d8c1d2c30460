// See loop.h. States of a vcpu: vm.h; stops: life.c.
#include "loop.h"

#include <base/bits.h>
#include <spec/pstate.h>

#include "cntp.h"
#include "cpu.h"
#include "exit.h"
#include "life.h"
#include "sysreg.h"
#include "vm.h"

// STARTING -> ON: as a core comes out of reset, or out of CPU_ON. The state changes first: what is set then is this
// thread's alone.
static void start(struct vcpu *v)
{
    struct vm *vm = v->vm;
    port_lock(vm->port, &vm->lock);
    uint64_t entry = v->entry;
    uint64_t context = v->context;
    atomic_store(&v->power, VCPU_ON);
    port_unlock(vm->port, &vm->lock);

    port_reset(vm->port, v->index);
    v->page->regs = (struct vcpu_regs){
        .x = {context},
        .pc = entry,
        .pstate = SPSR_EL1H | SPSR_DAIF,
    };
    port_register_write(vm->port, v->index, VCPU_REG_VMPIDR_EL2, vcpu_mpidr(v->index));
    port_register_write(vm->port, v->index, VCPU_REG_VPIDR_EL2, cpu_model_midr(vm));
    sysreg_reset(v);
}

static NOINLINE void rare_exit(struct vcpu *v, int64_t why)
{
    switch (why) {
    case VCPU_NOTIFIED: // what it was woken for, the next turn sees
        v->exits[TRACE_NOTIFIED]++;
        break;
    case VCPU_DEADLINE:
        v->exits[TRACE_DEADLINE]++;
        cntp_deadline(v);
        break;
    case VCPU_STOPPED:
        v->exits[TRACE_OTHER]++;
        break;
    case VCPU_SERROR:
        v->exits[TRACE_OTHER]++;
        vm_crash(v, "the guest caused a system error (ESR 0x%lx)",
                 (unsigned long)v->page->syndrome);
        break;
    default:
        v->exits[TRACE_OTHER]++;
        vm_crash(v, "the kernel refuses to run this state, error %ld (PSTATE 0x%lx)", (long)why,
                 (unsigned long)v->page->regs.pstate);
        break;
    }
}

// Relaxed: who changes these wakes the thread afterwards, and with the wake-up comes what was written before it.
static ALWAYS_INLINE bool may_run(const struct vcpu *v)
{
    return atomic_load_explicit(&v->power, memory_order_relaxed) == VCPU_ON &&
           atomic_load_explicit(&v->vm->stopping, memory_order_relaxed) == 0;
}

// The interrupt controller wants something of this vcpu before it runs. Returns the deadline of the run that follows;
// 0: none may follow. (Whoever wakes the thread meanwhile wakes it out of that, so it has to look again.)
static NOINLINE uint64_t serve(struct vcpu *v)
{
    uint64_t limit = vgic_serve(v);
    if (!may_run(v)) {
        return 0;
    }
    return limit < v->deadline ? limit : v->deadline;
}

static ALWAYS_INLINE void run(struct vcpu *v)
{
    uint64_t bits;
    uint64_t deadline = v->deadline;
    if (vgic_wanted(&v->vm->gic, v->index) && (deadline = serve(v)) == 0) {
        return;
    }
    int64_t why = port_run(v->vm->port, v->index, deadline, &bits);
    if (why == VCPU_TRAP) {
        exit_trap(v);
    } else {
        rare_exit(v, why);
    }
}

static NOINLINE void not_running(struct vcpu *v)
{
    uint32_t power = atomic_load(&v->power);
    if (atomic_load(&v->vm->stopping) != 0 && power != VCPU_HALTED) {
        life_halt(v);
    } else if (power == VCPU_STARTING) {
        start(v);
    } else if (power != VCPU_ON) {
        port_wait(v->vm->port, v->index, UINT64_MAX);
    }
}

static ALWAYS_INLINE void turn(struct vcpu *v)
{
    if (may_run(v)) {
        run(v);
    } else {
        not_running(v);
    }
}

void vcpu_turn(struct vcpu *v)
{
    turn(v);
}

_Noreturn void vcpu_loop(struct vcpu *v)
{
    for (;;) {
        turn(v);
    }
}

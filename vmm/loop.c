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

static void reset(struct vcpu *v)
{
    struct vm *vm = v->vm;
    port_reset(vm->port, v->index);
    port_register_write(vm->port, v->index, VCPU_REG_VMPIDR_EL2, vcpu_mpidr(v->index));
    port_register_write(vm->port, v->index, VCPU_REG_VPIDR_EL2, cpu_model_midr(vm));
    sysreg_reset(v);
}

// As the guest left its core by CPU_SUSPEND: the timers go on, and something has to wake it.
static void reset_to_resume(struct vcpu *v)
{
    struct port *port = v->vm->port;
    uint64_t cval = port_register_read(port, v->index, VCPU_REG_CNTV_CVAL_EL0);
    uint64_t ctl = port_register_read(port, v->index, VCPU_REG_CNTV_CTL_EL0);
    struct cntp cntp = v->cntp;
    reset(v);
    port_register_write(port, v->index, VCPU_REG_CNTV_CVAL_EL0, cval);
    port_register_write(port, v->index, VCPU_REG_CNTV_CTL_EL0, ctl);
    v->cntp = cntp;
    cntp_deadline(v);
    atomic_fetch_or(&v->page->attention, VCPU_ATTENTION_WAIT);
}

// STARTING -> ON: as a core comes out of reset, or out of CPU_ON. The state changes first: what is set then is this
// thread's alone.
static void start(struct vcpu *v)
{
    struct vm *vm = v->vm;
    port_lock(vm->port, &vm->lock);
    uint64_t entry = v->entry;
    uint64_t context = v->context;
    bool resumes = v->resumes;
    v->resumes = false;
    atomic_store(&v->power, VCPU_ON);
    port_unlock(vm->port, &vm->lock);

    if (resumes) {
        reset_to_resume(v);
    } else {
        reset(v);
    }
    v->page->regs = (struct vcpu_regs){
        .x = {context},
        .pc = entry,
        .pstate = SPSR_EL1H | SPSR_DAIF,
    };
}

static NOINLINE void rare_exit(struct vcpu *v, int64_t why)
{
    v->look = true;
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

static ALWAYS_INLINE void run(struct vcpu *v, uint64_t deadline, uint32_t kick)
{
    int64_t why = port_run(v->vm->port, v->index, deadline, kick);
    if (why == VCPU_TRAP) {
        exit_trap(v);
    } else {
        rare_exit(v, why);
    }
}

// It does not run soon, as whoever left it to the next run thought.
static void kick_now(struct vcpu *v)
{
    if (v->kick != PORT_NOBODY) {
        port_kick(v->vm->port, v->kick - 1);
        v->kick = PORT_NOBODY;
    }
}

// The interrupt controller wants something of this vcpu before it runs, and perhaps again soon. (Whoever wakes the thread
// meanwhile wakes it out of that, so it has to look again.)
static void serve_and_run(struct vcpu *v)
{
    kick_now(v);
    uint64_t limit = vgic_serve(v);
    v->look = limit != UINT64_MAX;
    if (may_run(v)) {
        run(v, limit < v->deadline ? limit : v->deadline, PORT_NOBODY);
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

void vcpu_turn(struct vcpu *v)
{
    v->look = false;
    if (!may_run(v)) {
        kick_now(v);
        not_running(v);
        v->look = true;
    } else if (vgic_wanted(&v->vm->gic, v->index)) {
        serve_and_run(v);
    } else {
        uint32_t kick = v->kick;
        v->kick = PORT_NOBODY;
        run(v, v->deadline, kick);
    }
}

// What another thread wants of this one ends port_run, and what this one does itself sets `look`: so as long as one trap
// follows another, there is nothing to look at.
_Noreturn void vcpu_loop(struct vcpu *v)
{
    for (;;) {
        vcpu_turn(v);
        while (!v->look) {
            run(v, v->deadline, PORT_NOBODY);
        }
    }
}

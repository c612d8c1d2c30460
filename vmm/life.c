// See life.h. The protocol:
//
//   1. vm_stop sets vm->stopping under the lock, unless it is set already, and wakes the threads of all other vcpus.
//   2. Every thread looks at vm->stopping before each port_run and after each port_wait. If it is set, the thread makes
//      its own vcpu HALTED, under the lock, whatever it was: nobody else ever does that, so a vcpu that is HALTED
//      touches no guest memory, no device and no register any more.
//   3. The transition that leaves all vcpus HALTED happens once in each stop. The thread that made it asks port_life,
//      without the lock; it alone is awake.
//   4. STOP: nothing more happens; vm->stopping stays set, the threads sleep in port_wait.
//      RESTART: life_begin makes everything new, and at its end, under the lock, the vcpus OFF or STARTING and
//      vm->stopping 0; then it wakes all threads.
//
// What could cross each other:
//
//   - A wake-up comes between a thread's look at vm->stopping and its port_run or port_wait: the port keeps it, and that
//     call returns at once. A thread that takes wake-ups elsewhere (gic/hold.c) looks again afterwards.
//   - CPU_ON during a stop. Its target is OFF: it becomes STARTING, but its thread looks at vm->stopping first, so it
//     halts instead. Its target is HALTED: CPU_ON refuses, since that is not OFF, and the caller halts in turn. An entry
//     and context that it left are overwritten by the next CPU_ON or by vm_start.
//   - Two vcpus stop the VM at the same time: one of them finds vm->stopping set and leaves it.
//   - A thread has seen vm->stopping set and comes to the lock when the VM has already started again (it was woken for
//     nothing while HALTED): life_halt looks again under the lock, and does nothing.
//   - vm_stop is still waking others when these have halted: the stopper itself has not, so nothing starts meanwhile.
#include "life.h"

#include <stdarg.h>

#include <base/format.h>

#include "log.h"
#include "vm.h"

void vm_stop(struct vcpu *self, enum vm_event event)
{
    struct vm *vm = self->vm;
    self->look = true;
    port_lock(vm->port, &vm->lock);
    bool first = atomic_load(&vm->stopping) == 0;
    if (first) {
        atomic_store(&vm->stopping, event);
    }
    port_unlock(vm->port, &vm->lock);

    for (unsigned i = 0; first && i < vm->vcpus; i++) {
        if (i != self->index) {
            port_wake(vm->port, i);
        }
    }
}

void vm_crash(struct vcpu *self, const char *text, ...)
{
    char why[VM_LOG_LINE];
    va_list args;
    va_start(args, text);
    format_v(why, sizeof(why), text, args);
    va_end(args);
    vm_log(self->vm, "vcpu %u at pc 0x%lx: %s: the VM crashes", self->index,
           (unsigned long)self->page->regs.pc, why);
    vm_stop(self, VM_EVENT_CRASH);
}

static bool all_halted(const struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        if (atomic_load(&vm->vcpu[i].power) != VCPU_HALTED) {
            return false;
        }
    }
    return true;
}

void life_begin(struct vm *vm)
{
    while (vm_start(vm) != OK) {
        if (port_life(vm->port, VM_EVENT_CRASH) != VM_ACTION_RESTART) {
            return;
        }
    }
}

// All vcpus stand still.
static void decide(struct vm *vm, enum vm_event event)
{
    trace_print(vm);
    unhandled_summary(vm);
    if (port_life(vm->port, event) == VM_ACTION_RESTART) {
        life_begin(vm);
    }
}

void life_halt(struct vcpu *v)
{
    struct vm *vm = v->vm;
    port_lock(vm->port, &vm->lock);
    uint32_t event = atomic_load(&vm->stopping);
    bool halts = event != 0 && atomic_load(&v->power) != VCPU_HALTED;
    if (halts) {
        atomic_store(&v->power, VCPU_HALTED);
    }
    bool last = halts && all_halted(vm);
    port_unlock(vm->port, &vm->lock);

    if (last) {
        decide(vm, (enum vm_event)event);
    }
}

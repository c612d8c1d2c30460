// See psci.h. Vcpus are switched on by their own threads (loop.c): what is decided here is a vcpu's power state, under
// the lock; then its thread is woken.
// A vcpu that calls is ON: only its own thread could have changed that.
//
// Optional functions that are not here: SYSTEM_SUSPEND, CPU_FREEZE, CPU_DEFAULT_SUSPEND, NODE_HW_STATE,
// SET_SUSPEND_MODE (the platform coordinates), statistics, MEM_PROTECT, migration (no trusted OS).
#include "psci.h"

#include <stddef.h>

#include <base/bits.h>
#include <spec/smccc.h>
#include <spec/sysreg.h>

#include "life.h"
#include "vm.h"

#define INSTRUCTION 4u // bytes

struct function {
    int64_t (*call)(struct vcpu *v, uint32_t id);
    bool smc64; // there is a function of that convention, too
};

// Argument n, from 1 on: xn, or wn for a call by SMC32.
static uint64_t argument(const struct vcpu *v, uint32_t id, unsigned n)
{
    uint64_t x = v->page->regs.x[n];
    return (id & PSCI_SMC64) != 0 ? x : (uint32_t)x;
}

// ---- One core ---------------------------------------------------------------------------------------------------

static bool is_entry(const struct vm *vm, uint64_t ipa)
{
    return is_aligned(ipa, INSTRUCTION) && vm_memory(vm, ipa, INSTRUCTION) != NULL;
}

// REQUIRES vm->lock.
static void set_starting(struct vcpu *v, uint64_t entry, uint64_t context)
{
    v->entry = entry;
    v->context = context;
    atomic_store(&v->power, VCPU_STARTING);
}

// Both wait for an interrupt, in the port_run that follows. That may end earlier, as a core may wake up for no reason. A
// power-down begins anew at the entry point; its timers go on, and what waits in the inbox stays there.
static int64_t cpu_suspend(struct vcpu *v, uint32_t id)
{
    uint64_t state = argument(v, id, 1);
    uint64_t entry = argument(v, id, 2);
    if ((state & ~PSCI_POWER_STATE) != 0) {
        return PSCI_INVALID_PARAMETERS;
    }
    if ((state & PSCI_POWER_DOWN) == 0) {
        atomic_fetch_or(&v->page->attention, VCPU_ATTENTION_WAIT);
        return PSCI_SUCCESS;
    }
    if (!is_entry(v->vm, entry)) {
        return PSCI_INVALID_ADDRESS;
    }
    port_lock(v->vm->port, &v->vm->lock);
    set_starting(v, entry, argument(v, id, 3));
    v->look = true;
    v->resumes = true;
    port_unlock(v->vm->port, &v->vm->lock);
    return PSCI_SUCCESS;
}

static int64_t cpu_off(struct vcpu *v, uint32_t id)
{
    (void)id;
    port_lock(v->vm->port, &v->vm->lock);
    atomic_store(&v->power, VCPU_OFF);
    vgic_power_changed(v);
    v->look = true;
    port_unlock(v->vm->port, &v->vm->lock);
    return PSCI_SUCCESS;
}

// ---- Other cores ------------------------------------------------------------------------------------------------

static struct vcpu *by_affinity(struct vm *vm, uint64_t affinity)
{
    for (unsigned i = 0; i < vm->vcpus; i++) {
        if ((vcpu_mpidr(i) & MPIDR_AFFINITY) == affinity) {
            return &vm->vcpu[i];
        }
    }
    return NULL;
}

// REQUIRES vm->lock.
static int64_t switch_on(struct vcpu *target, uint64_t entry, uint64_t context)
{
    switch ((enum vcpu_power)atomic_load(&target->power)) {
    case VCPU_OFF:
        set_starting(target, entry, context);
        return PSCI_SUCCESS;
    case VCPU_STARTING:
        return PSCI_ON_PENDING;
    case VCPU_ON:
        return PSCI_ALREADY_ON;
    default: // the VM stops
        return PSCI_INTERNAL_FAILURE;
    }
}

static int64_t cpu_on(struct vcpu *v, uint32_t id)
{
    struct vm *vm = v->vm;
    struct vcpu *target = by_affinity(vm, argument(v, id, 1));
    uint64_t entry = argument(v, id, 2);
    if (target == NULL) {
        return PSCI_INVALID_PARAMETERS;
    }
    if (!is_entry(vm, entry)) {
        return PSCI_INVALID_ADDRESS;
    }
    port_lock(vm->port, &vm->lock);
    int64_t result = switch_on(target, entry, argument(v, id, 3));
    if (result == PSCI_SUCCESS) {
        vgic_power_changed(v);
    }
    port_unlock(vm->port, &vm->lock);
    if (result == PSCI_SUCCESS) {
        port_wake(vm->port, target->index);
    }
    return result;
}

// Levels above 0, clusters, need not be there.
static int64_t affinity_info(struct vcpu *v, uint32_t id)
{
    const struct vcpu *target = by_affinity(v->vm, argument(v, id, 1));
    if (target == NULL || argument(v, id, 2) != 0) {
        return PSCI_INVALID_PARAMETERS;
    }
    switch ((enum vcpu_power)atomic_load(&target->power)) {
    case VCPU_ON:
        return PSCI_AFFINITY_ON;
    case VCPU_STARTING:
        return PSCI_AFFINITY_ON_PENDING;
    default:
        return PSCI_AFFINITY_OFF;
    }
}

// ---- The whole VM -----------------------------------------------------------------------------------------------

static int64_t system_off(struct vcpu *v, uint32_t id)
{
    (void)id;
    vm_stop(v, VM_EVENT_POWEROFF);
    return PSCI_SUCCESS;
}

static int64_t system_reset(struct vcpu *v, uint32_t id)
{
    (void)id;
    vm_stop(v, VM_EVENT_RESET);
    return PSCI_SUCCESS;
}

// A warm reset, and whatever types a vendor has, are the same here.
static int64_t system_reset2(struct vcpu *v, uint32_t id)
{
    uint32_t type = (uint32_t)argument(v, id, 1);
    if (type != PSCI_RESET_WARM && (type & PSCI_RESET_VENDOR) == 0) {
        return PSCI_INVALID_PARAMETERS;
    }
    return system_reset(v, id);
}

// ---- Questions --------------------------------------------------------------------------------------------------

static int64_t version(struct vcpu *v, uint32_t id)
{
    (void)v;
    (void)id;
    return PSCI_1_1;
}

static int64_t migrate_info_type(struct vcpu *v, uint32_t id)
{
    (void)v;
    (void)id;
    return PSCI_MIGRATION_NOT_REQUIRED;
}

static const struct function *find(uint32_t id);

// CPU_SUSPEND's flags are 0 as well: the original power state format, no coordination by the OS.
static int64_t features(struct vcpu *v, uint32_t id)
{
    uint32_t asked = (uint32_t)argument(v, id, 1);
    return asked == SMCCC_VERSION || find(asked) != NULL ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED;
}

// ---- All of them ------------------------------------------------------------------------------------------------

static const struct function functions[] = {
    [PSCI_VERSION & PSCI_NUMBER] = {version, false},
    [PSCI_CPU_SUSPEND & PSCI_NUMBER] = {cpu_suspend, true},
    [PSCI_CPU_OFF & PSCI_NUMBER] = {cpu_off, false},
    [PSCI_CPU_ON & PSCI_NUMBER] = {cpu_on, true},
    [PSCI_AFFINITY_INFO & PSCI_NUMBER] = {affinity_info, true},
    [PSCI_MIGRATE_INFO_TYPE & PSCI_NUMBER] = {migrate_info_type, false},
    [PSCI_SYSTEM_OFF & PSCI_NUMBER] = {system_off, false},
    [PSCI_SYSTEM_RESET & PSCI_NUMBER] = {system_reset, false},
    [PSCI_FEATURES & PSCI_NUMBER] = {features, false},
    [PSCI_SYSTEM_RESET2 & PSCI_NUMBER] = {system_reset2, true},
};

// NULL: not supported.
static const struct function *find(uint32_t id)
{
    uint32_t number = id & PSCI_NUMBER;
    if (!psci_has(id) || number >= ARRAY_SIZE(functions)) {
        return NULL;
    }
    const struct function *f = &functions[number];
    bool there = f->call != NULL && ((id & PSCI_SMC64) == 0 || f->smc64);
    return there ? f : NULL;
}

int64_t psci_call(struct vcpu *v, uint32_t id)
{
    const struct function *f = find(id);
    return f == NULL ? PSCI_NOT_SUPPORTED : f->call(v, id);
}

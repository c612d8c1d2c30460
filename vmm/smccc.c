// See smccc.h. PSCI and the Arm Architecture Service are there; of any other service, secure or not, every function
// says that it does not exist, the calls that ask for a service's identity included.
#include "smccc.h"

#include <stdint.h>

#include <spec/smccc.h>

#include "psci.h"
#include "vm.h"

// Place in cpu_model.workaround, or -1.
static int workaround_of(uint32_t function)
{
    switch (function) {
    case SMCCC_ARCH_WORKAROUND_1:
        return 0;
    case SMCCC_ARCH_WORKAROUND_2:
        return 1;
    case SMCCC_ARCH_WORKAROUND_3:
        return 2;
    default:
        return -1;
    }
}

static int64_t features(const struct cpu_model *m, uint32_t function)
{
    if (function == SMCCC_VERSION || function == SMCCC_ARCH_FEATURES) {
        return SMCCC_SUCCESS;
    }
    int which = workaround_of(function);
    return which < 0 ? SMCCC_NOT_SUPPORTED : m->workaround[which];
}

// Where it may be called there is nothing to do.
static int64_t work_around(const struct cpu_model *m, uint32_t function)
{
    return features(m, function) < 0 ? SMCCC_NOT_SUPPORTED : SMCCC_SUCCESS;
}

static int64_t architecture_call(const struct vcpu *v, uint32_t function)
{
    const struct cpu_model *m = &v->vm->cpu;
    switch (function) {
    case SMCCC_VERSION:
        return SMCCC_1_1;
    case SMCCC_ARCH_FEATURES:
        return features(m, (uint32_t)v->page->regs.x[1]);
    default:
        return work_around(m, function);
    }
}

// A result is signed. It fills the register, so that callers of either width see the same number.
void smccc_call(struct vcpu *v)
{
    uint64_t *x = v->page->regs.x;
    uint32_t function = (uint32_t)x[0];
    x[0] = (uint64_t)(psci_has(function) ? psci_call(v, function) : architecture_call(v, function));
}

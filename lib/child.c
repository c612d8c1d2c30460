// The functions of microkit.h on children, vcpus, firmware and <cspace> capabilities: a failed
// system call in one of them is a mistake of the description or of the program, so it prints and
// crashes.
#include <microkit.h>

#include <assert.h>

#include <abi/process.h>
#include <lib/syscall.h>

#include "crash.h"

static_assert(ARM_SMC_CAP == PROCESS_SMC, "handles of microkit.h");
static_assert(BASE_USER_CAPS == PROCESS_USER, "handles of microkit.h");

static void check(seL4_Error err, const char *what)
{
    if (err != seL4_NoError) {
        microkit_dbg_puts(what);
        microkit_dbg_puts("\n");
        microkit_internal_crash(err);
    }
}

void microkit_pd_restart(microkit_child pd, seL4_Word entry_point)
{
    const uint64_t values[5] = {entry_point};
    err_t err = sys_thread_stop(BASE_TCB_CAP + pd); // registers of a running thread cannot be set
    if (err == OK) {
        err = sys_thread_write(BASE_TCB_CAP + pd, REG_PC, 1, values);
    }
    if (err == OK) {
        err = sys_thread_start(BASE_TCB_CAP + pd);
    }
    check(bulkhead_sel4_error(err), "microkit_pd_restart: error writing TCB registers");
}

void microkit_pd_stop(microkit_child pd)
{
    check(seL4_TCB_Suspend(BASE_TCB_CAP + pd), "microkit_pd_stop: error suspending TCB");
}

void microkit_pd_resume(microkit_child pd)
{
    check(seL4_TCB_Resume(BASE_TCB_CAP + pd), "microkit_pd_resume: error resuming TCB");
}

void microkit_arm_smc_call(seL4_ARM_SMCContext *args, seL4_ARM_SMCContext *response)
{
    check(seL4_ARM_SMC_Call(ARM_SMC_CAP, args, response),
          "microkit_arm_smc_call: error making SMC call");
}

seL4_CPtr microkit_cspace_root_slot_to_cptr(seL4_Word slot)
{
    return slot == 0 || slot >= USER_SLOT_MAX ? seL4_CapNull : BASE_USER_CAPS + slot;
}

// ---- vcpus: no process has the capability -------------------------------------------------------

void microkit_vcpu_restart(microkit_child vcpu, seL4_Word entry_point)
{
    (void)vcpu;
    (void)entry_point;
    check(seL4_InvalidCapability, "microkit_vcpu_restart: error writing registers");
}

void microkit_vcpu_stop(microkit_child vcpu)
{
    (void)vcpu;
    check(seL4_InvalidCapability, "microkit_vcpu_stop: error suspending TCB");
}

void microkit_vcpu_arm_inject_irq(microkit_child vcpu, seL4_Uint16 irq, seL4_Uint8 priority,
                                  seL4_Uint8 group, seL4_Uint8 index)
{
    (void)vcpu;
    (void)irq;
    (void)priority;
    (void)group;
    (void)index;
    check(seL4_InvalidCapability, "microkit_vcpu_arm_inject_irq: error injecting IRQ");
}

void microkit_vcpu_arm_ack_vppi(microkit_child vcpu, seL4_Word irq)
{
    (void)vcpu;
    (void)irq;
    check(seL4_InvalidCapability, "microkit_vcpu_arm_ack_vppi: error acking VPPI");
}

seL4_Word microkit_vcpu_arm_read_reg(microkit_child vcpu, seL4_Word reg)
{
    (void)vcpu;
    (void)reg;
    check(seL4_InvalidCapability, "microkit_vcpu_arm_read_reg: error reading vCPU register");
    return 0;
}

void microkit_vcpu_arm_write_reg(microkit_child vcpu, seL4_Word reg, seL4_Word value)
{
    (void)vcpu;
    (void)reg;
    (void)value;
    check(seL4_InvalidCapability, "microkit_vcpu_arm_write_reg: error writing vCPU register");
}

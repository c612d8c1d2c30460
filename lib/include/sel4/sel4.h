// The part of seL4's C interface that programs written for Microkit use beside microkit.h: types,
// message registers, and the calls on capabilities that a description can hand out. What is not
// here this kernel does not have.
#pragma once

#include <kernel/gen_config.h>
#include <sel4/fault.h>
#include <sel4/types.h>

// The message page: word i of a message at offset i * 8.
typedef struct seL4_IPCBuffer_ {
    seL4_Word msg[seL4_MsgMaxLength];
} seL4_IPCBuffer;

extern seL4_IPCBuffer *__sel4_ipc_buffer;

static inline seL4_IPCBuffer *seL4_GetIPCBuffer(void)
{
    return __sel4_ipc_buffer;
}

static inline seL4_Word seL4_GetMR(int i)
{
    return __sel4_ipc_buffer->msg[i];
}

static inline void seL4_SetMR(int i, seL4_Word value)
{
    __sel4_ipc_buffer->msg[i] = value;
}

// On the handles that microkit.h names (BASE_..._CAP + id).
void seL4_Signal(seL4_CPtr notification);
seL4_Error seL4_IRQHandler_Ack(seL4_IRQHandler irq);
seL4_MessageInfo_t seL4_Call(seL4_CPtr endpoint, seL4_MessageInfo_t info);
void seL4_Yield(void);
void seL4_DebugPutChar(char c);
void seL4_DebugPutString(char *s);

// On children (BASE_TCB_CAP + id) and on threads shared by <cap_tcb>
// (microkit_cspace_root_slot_to_cptr). count counts words of seL4_UserContext; arch_flags is
// ignored. Only a stopped or faulted thread has registers to read or write: suspend_source stops
// it, resume_target stops it before and starts it after writing. Otherwise a running thread is
// seL4_IllegalOperation.
seL4_Error seL4_TCB_Suspend(seL4_TCB thread);
seL4_Error seL4_TCB_Resume(seL4_TCB thread);
seL4_Error seL4_TCB_ReadRegisters(seL4_TCB thread, seL4_Bool suspend_source, seL4_Uint8 arch_flags,
                                  seL4_Word count, seL4_UserContext *regs);
seL4_Error seL4_TCB_WriteRegisters(seL4_TCB thread, seL4_Bool resume_target, seL4_Uint8 arch_flags,
                                   seL4_Word count, seL4_UserContext *regs);

seL4_Error seL4_ARM_SMC_Call(seL4_ARM_SMC smc, seL4_ARM_SMCContext *args,
                             seL4_ARM_SMCContext *response);

// The functions of sel4/sel4.h: system calls on handles, under the names and with the error codes
// that programs written for seL4 expect.
#include <sel4/sel4.h>

#include <assert.h>
#include <stddef.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>
#include <lib/syscall.h>

#include "crash.h"
#include "message.h"

seL4_IPCBuffer *__sel4_ipc_buffer = (seL4_IPCBuffer *)PROCESS_MESSAGE;

// Nothing to do about a failure: the other end is gone, and a signal to nobody is lost as it would
// be on seL4.
void seL4_Signal(seL4_CPtr notification)
{
    err_t err = sys_signal(notification);
    (void)err;
}

seL4_Error seL4_IRQHandler_Ack(seL4_IRQHandler irq)
{
    return bulkhead_sel4_error(sys_irq_ack(irq));
}

seL4_MessageInfo_t seL4_Call(seL4_CPtr endpoint, seL4_MessageInfo_t info)
{
    uint64_t word = message_info(info);
    err_t err = sys_call(endpoint, &word, message_words());
    if (err != OK) {
        bulkhead_crash("seL4_Call: error calling", err);
    }
    return (seL4_MessageInfo_t){{word}};
}

void seL4_Yield(void)
{
    err_t err = sys_yield();
    (void)err;
}

void seL4_DebugPutChar(char c)
{
    microkit_dbg_putc(c);
}

void seL4_DebugPutString(char *s)
{
    microkit_dbg_puts(s);
}

// ---- Threads ------------------------------------------------------------------------------------

// enum thread_register of each word of seL4_UserContext.
// clang-format off
static const uint8_t context_registers[] = {
    REG_PC, REG_SP, REG_PSTATE,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 29, 30,
    9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    REG_TPIDR, REG_TPIDRRO,
};
// clang-format on
static_assert(sizeof(context_registers) * sizeof(seL4_Word) == sizeof(seL4_UserContext),
              "a register a word");
static_assert(offsetof(seL4_UserContext, x9) == 17 * sizeof(seL4_Word), "order of the table");

seL4_Error seL4_TCB_Suspend(seL4_TCB thread)
{
    return bulkhead_sel4_error(sys_thread_stop(thread));
}

seL4_Error seL4_TCB_Resume(seL4_TCB thread)
{
    return bulkhead_sel4_error(sys_thread_start(thread));
}

seL4_Error seL4_TCB_ReadRegisters(seL4_TCB thread, seL4_Bool suspend_source, seL4_Uint8 arch_flags,
                                  seL4_Word count, seL4_UserContext *regs)
{
    (void)arch_flags;
    err_t err = suspend_source ? sys_thread_stop(thread) : OK;
    for (size_t i = 0; err == OK && i < count && i < ARRAY_SIZE(context_registers); i++) {
        uint64_t values[6];
        err = sys_thread_read(thread, context_registers[i], 1, values);
        ((seL4_Word *)regs)[i] = values[0];
    }
    return bulkhead_sel4_error(err);
}

seL4_Error seL4_TCB_WriteRegisters(seL4_TCB thread, seL4_Bool resume_target, seL4_Uint8 arch_flags,
                                   seL4_Word count, seL4_UserContext *regs)
{
    (void)arch_flags;
    err_t err = resume_target ? sys_thread_stop(thread) : OK;
    for (size_t i = 0; err == OK && i < count && i < ARRAY_SIZE(context_registers); i++) {
        const uint64_t values[5] = {((const seL4_Word *)regs)[i]};
        err = sys_thread_write(thread, context_registers[i], 1, values);
    }
    if (err == OK && resume_target) {
        err = sys_thread_start(thread);
    }
    return bulkhead_sel4_error(err);
}

// ---- Firmware -----------------------------------------------------------------------------------

seL4_Error seL4_ARM_SMC_Call(seL4_ARM_SMC smc, seL4_ARM_SMCContext *args,
                             seL4_ARM_SMCContext *response)
{
    const uint64_t words[7] = {args->x0, args->x1, args->x2, args->x3,
                               args->x4, args->x5, args->x6};
    uint64_t results[4];
    err_t err = sys_smc(smc, words, results);
    if (err == OK) {
        *response = (seL4_ARM_SMCContext){results[0], results[1], results[2], results[3],
                                          args->x4,   args->x5,   args->x6,   args->x7};
    }
    return bulkhead_sel4_error(err);
}

// Fault messages: see fault.h. The kernel tells pc, address, syndrome and fetch; what else seL4's
// messages hold is read from the child's thread.
#include "fault.h"

#include <assert.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>
#include <lib/syscall.h>

static_assert((int)FAULT_SYSCALL == (int)seL4_Fault_UnknownSyscall, "labels are seL4's");
static_assert((int)FAULT_USER == (int)seL4_Fault_UserException, "labels are seL4's");
static_assert((int)FAULT_VM == (int)seL4_Fault_VMFault, "labels are seL4's");
static_assert(BASE_TCB_CAP == PROCESS_CHILD, "handles of microkit.h");

// Which message registers hold which registers of the thread, in order.
struct span {
    unsigned message;
    unsigned reg;   // enum thread_register
    unsigned count; // <= 5: what thread_write takes
};

static const struct span user_spans[] = {
    {seL4_UserException_FaultIP, REG_PC, 1},
    {seL4_UserException_SP, REG_SP, 1},
    {seL4_UserException_SPSR, REG_PSTATE, 1},
};

static const struct span syscall_spans[] = {
    {seL4_UnknownSyscall_X0, REG_X0, 5},      {seL4_UnknownSyscall_X5, REG_X0 + 5, 3},
    {seL4_UnknownSyscall_FaultIP, REG_PC, 1}, {seL4_UnknownSyscall_SP, REG_SP, 1},
    {seL4_UnknownSyscall_LR, REG_X0 + 30, 1}, {seL4_UnknownSyscall_SPSR, REG_PSTATE, 1},
};

// A register that cannot be read (the child was stopped and taken away meanwhile) counts as 0.
static void read_spans(microkit_child child, const struct span *spans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t values[6] = {0};
        err_t err = sys_thread_read(PROCESS_CHILD + child, spans[i].reg, spans[i].count, values);
        for (unsigned k = 0; k < spans[i].count; k++) {
            seL4_SetMR((int)(spans[i].message + k), err == OK ? values[k] : 0);
        }
    }
}

// The first `length` message registers. Best effort: a child that has gone meanwhile has no
// registers to set.
static void write_spans(microkit_child child, const struct span *spans, size_t count,
                        seL4_Word length)
{
    for (size_t i = 0; i < count && spans[i].message < length; i++) {
        uint64_t values[5] = {0};
        seL4_Word n = length - spans[i].message;
        n = n < spans[i].count ? n : spans[i].count;
        for (unsigned k = 0; k < n; k++) {
            values[k] = seL4_GetMR((int)(spans[i].message + k));
        }
        err_t err = sys_thread_write(PROCESS_CHILD + child, spans[i].reg, n, values);
        (void)err;
    }
}

seL4_MessageInfo_t bulkhead_fault_message(microkit_child child, seL4_MessageInfo_t kernel)
{
    seL4_Word label = seL4_MessageInfo_get_label(kernel);
    seL4_Word address = seL4_GetMR(1); // or the number of the system call
    seL4_Word syndrome = seL4_GetMR(2);
    seL4_Word fetch = seL4_GetMR(3);

    switch (label) {
    case FAULT_VM:
        seL4_SetMR(seL4_VMFault_Addr, address);
        seL4_SetMR(seL4_VMFault_PrefetchFault, fetch);
        seL4_SetMR(seL4_VMFault_FSR, syndrome);
        return seL4_MessageInfo_new(label, 0, 0, seL4_VMFault_Length);
    case FAULT_USER:
        read_spans(child, user_spans, ARRAY_SIZE(user_spans));
        seL4_SetMR(seL4_UserException_Number, syndrome);
        seL4_SetMR(seL4_UserException_Code, 0);
        return seL4_MessageInfo_new(label, 0, 0, seL4_UserException_Length);
    case FAULT_SYSCALL:
        read_spans(child, syscall_spans, ARRAY_SIZE(syscall_spans));
        seL4_SetMR(seL4_UnknownSyscall_Syscall, address);
        return seL4_MessageInfo_new(label, 0, 0, seL4_UnknownSyscall_Length);
    default:
        return kernel;
    }
}

bool bulkhead_fault_reply(microkit_child child, seL4_MessageInfo_t message,
                          seL4_MessageInfo_t reply)
{
    seL4_Word length = seL4_MessageInfo_get_length(reply);

    switch (seL4_MessageInfo_get_label(message)) {
    case FAULT_USER:
        write_spans(child, user_spans, ARRAY_SIZE(user_spans), length);
        return seL4_MessageInfo_get_label(reply) == 0;
    case FAULT_SYSCALL:
        write_spans(child, syscall_spans, ARRAY_SIZE(syscall_spans), length);
        return seL4_MessageInfo_get_label(reply) == 0;
    default:
        return true;
    }
}

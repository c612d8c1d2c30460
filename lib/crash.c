// How the library gives up: see crash.h. Also the entry points that a program may leave out.
#include "crash.h"

#include <lib/bulkhead.h>

seL4_Error bulkhead_sel4_error(err_t err)
{
    // clang-format off
    switch (err) {
    case OK: return seL4_NoError;
    case ERR_INVALID: return seL4_InvalidArgument;
    case ERR_NO_CAP:
    case ERR_TYPE:
    case ERR_RIGHTS: return seL4_InvalidCapability;
    case ERR_OCCUPIED: return seL4_DeleteFirst;
    case ERR_NO_MEMORY: return seL4_NotEnoughMemory;
    case ERR_ALIGN: return seL4_AlignmentError;
    case ERR_RANGE: return seL4_RangeError;
    case ERR_GONE: return seL4_FailedLookup;
    default: return seL4_IllegalOperation;
    }
    // clang-format on
}

static void complain(const char *what)
{
    microkit_dbg_puts(microkit_name);
    microkit_dbg_puts(" ");
    microkit_dbg_puts(what);
    microkit_dbg_puts("\n");
}

void bulkhead_crash(const char *what, err_t err)
{
    complain(what);
    microkit_internal_crash(bulkhead_sel4_error(err));
}

_Noreturn void bulkhead_assert_failed(const char *condition, const char *file, int line)
{
    microkit_dbg_puts(microkit_name);
    microkit_dbg_puts(": ");
    microkit_dbg_puts(file);
    microkit_dbg_puts(":");
    microkit_dbg_put32((seL4_Uint32)line);
    microkit_dbg_puts(": not true: ");
    microkit_dbg_puts(condition);
    microkit_dbg_puts("\n");
    for (;;) {
        microkit_internal_crash(seL4_NoError);
    }
}

// What <assert.h> of a program's C library calls.
void __assert_fail(const char *condition, const char *file, int line, const char *function);

__attribute__((weak)) void __assert_fail(const char *condition, const char *file, int line,
                                         const char *function)
{
    (void)function;
    bulkhead_assert_failed(condition, file, line);
}

__attribute__((weak)) microkit_msginfo protected(microkit_channel ch, microkit_msginfo msginfo)
{
    (void)ch;
    (void)msginfo;
    bulkhead_crash("is missing the 'protected' entry point", OK);
    return seL4_MessageInfo_new(0, 0, 0, 0);
}

__attribute__((weak)) seL4_Bool fault(microkit_child child, microkit_msginfo msginfo,
                                      microkit_msginfo *reply_msginfo)
{
    (void)child;
    (void)msginfo;
    (void)reply_msginfo;
    bulkhead_crash("is missing the 'fault' entry point", OK);
    return seL4_False;
}

__attribute__((weak)) void deadline(void)
{
    bulkhead_crash("set a deadline, but is missing the 'deadline' entry point", OK);
}

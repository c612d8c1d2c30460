// What runs between crt0 and the program, on the process's first thread: takes over what init says in the config page, runs
// constructors and init(), then the event loop for ever. Owns the process's state, which restarting
// it at its entry point begins anew.
#include <assert.h>
#include <stddef.h>

#include <abi/process.h>
#include <abi/vm.h>
#include <lib/bulkhead.h>
#include <lib/syscall.h>
#include <microkit.h>

#include "crash.h"
#include "loop.h"

static_assert(PROCESS_STACK_TOP == 0x7fffffd000, "crt0.S");
static_assert(VM_STACK_TOP == 0x7f81000000, "crt0.S");
static_assert(VM_STACK_STRIDE == 1 << 20, "crt0.S");
static_assert(PROCESS_IMAGE == 0x200000, "microkit.ld");
static_assert(MICROKIT_PD_NAME_LENGTH == PROCESS_NAME_MAX, "microkit.h");

// Not in .bss, so that a tool that knows only the image can fill them in. The config page says the
// same, and wins.
#define PATCHED __attribute__((section(".data")))
char microkit_name[MICROKIT_PD_NAME_LENGTH] PATCHED;
seL4_Bool microkit_passive PATCHED;
seL4_Word microkit_irqs PATCHED;
seL4_Word microkit_notifications PATCHED;
seL4_Word microkit_pps PATCHED;

static struct loop loop;

typedef void (*constructor_fn)(void);
extern const constructor_fn __init_array_start[];
extern const constructor_fn __init_array_end[];

void bulkhead_main(void);

static void take_config(const struct process_config *config)
{
    if (config->magic != PROCESS_CONFIG_MAGIC) {
        return;
    }
    for (size_t i = 0; i + 1 < sizeof(microkit_name); i++) {
        microkit_name[i] = config->name[i];
    }
    microkit_passive = config->passive != 0;
    microkit_irqs = config->irqs;
    microkit_notifications = config->notifications;
    microkit_pps = config->calls;
}

void bulkhead_set_deadline(uint64_t ticks)
{
    if (microkit_passive && ticks != DEADLINE_NEVER) {
        bulkhead_crash("is passive and cannot have a deadline", ERR_INVALID);
    }
    loop.deadline = ticks;
}

void bulkhead_main(void)
{
    take_config(process_config());
    microkit_have_signal = seL4_False;
    bulkhead_loop_init(&loop);

    for (const constructor_fn *f = __init_array_start; f < __init_array_end; f++) {
        (*f)();
    }
    init();

    bulkhead_loop_start();
    for (;;) {
        bulkhead_loop_once(&loop);
    }
}

// A vcpu thread of a program that doesn't know of them: it waits for ever.
__attribute__((weak)) _Noreturn void bulkhead_thread(unsigned number)
{
    (void)number;
    for (;;) {
        uint64_t info = 0;
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t bits;
        err_t err = sys_receive(0, DEADLINE_NEVER, &info, words, &bits);
        if (err != OK) {
            bulkhead_crash("thread: error receiving", err);
        }
    }
}

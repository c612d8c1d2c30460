// Where assembly enters C: main.c.
#pragma once

#include <base/addr.h>

struct thread;

enum boot_refusal { // start.S, enter_el2
    BOOT_NOT_EL2 = 1,
    BOOT_E2H = 2,
};

// start.S. fdt, image: physical.
_Noreturn void boot_main(paddr_t fdt, paddr_t image);
_Noreturn void boot_refuse(enum boot_refusal reason, const void *fdt);

// entry.S. Each returns the thread to go on with; interrupt_entry NULL if there is none.
struct thread *interrupt_entry(void);
struct thread *idle_entry(void);

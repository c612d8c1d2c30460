// The deliberate crash. A file of its own, so that unit tests can do without.
#include <microkit.h>

void microkit_internal_crash(seL4_Error err)
{
    // The lowest 2 MiB of a process are never mapped. Hidden from the compiler, which knows that this
    // is wrong.
    volatile uint32_t *address = (volatile uint32_t *)(uintptr_t)err;
    __asm__ volatile("" : "+r"(address));
    *address = 0;
}

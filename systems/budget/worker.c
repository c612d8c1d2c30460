// Works without a pause, and counts how much it got done.
#include <microkit.h>

uintptr_t work_region;

void init(void)
{
    volatile uint64_t *work = (volatile uint64_t *)work_region;
    for (;;) {
        ++*work;
    }
}

void notified(microkit_channel ch)
{
    (void)ch;
}

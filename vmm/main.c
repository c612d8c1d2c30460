// The default VMM: one virtual machine as its config says (abi/vm.h), its console on the serial link that it was given.
#include <microkit.h>

#include <lib/bulkhead.h>

#include "monitor.h"

static struct monitor monitor;

void init(void)
{
    if (monitor_create(&monitor)) {
        monitor_start(&monitor);
    }
}

void notified(microkit_channel ch)
{
    (void)ch; // a character's way is short: whatever happened, both directions are looked at
    monitor_serve(&monitor);
}

void deadline(void)
{
    monitor_serve(&monitor);
}

_Noreturn void bulkhead_thread(unsigned number)
{
    monitor_thread(&monitor, number);
}

// The serial mux's process: shares one UART driver among up to nine clients (mux.h).
//
// In the description: channel 0 leads to the driver, whose region is mapped with setvar_vaddr="driver"; channel N, 1 to
// 9, to client N, whose region is mapped with setvar_vaddr="clientN". With power="true", Ctrl-] q ends the system. A
// region with a configuration (config.h) is optional: prefilled, setvar_vaddr="config" setvar_prefill_size="config_size".
#include <microkit.h>

#include <base/bits.h>
#include <lib/bulkhead.h>

#include "mux.h"

// Set by the description.
uintptr_t driver;
uintptr_t client1, client2, client3, client4, client5, client6, client7, client8, client9;
uintptr_t config;
uint64_t config_size;

static struct mux mux;

static void run(void)
{
    struct mux_wishes wishes = mux_run(&mux, process_clock());

    while (wishes.notify != 0) {
        microkit_notify((microkit_channel)__builtin_ctz(wishes.notify));
        wishes.notify &= wishes.notify - 1;
    }
    bulkhead_set_deadline(wishes.deadline);
    if (wishes.quit && bulkhead_power_off(0) != OK) {
        mux.quitting = false;
        mux_say(&mux, "ending the system is not among this process's rights\n");
        bulkhead_set_deadline(0);
    }
}

void init(void)
{
    const uintptr_t regions[MUX_SOURCES] = {0,       client1, client2, client3, client4,
                                            client5, client6, client7, client8, client9};

    if (driver == 0) {
        bulkhead_log("no region is mapped as \"driver\"");
        return;
    }
    mux_init(&mux, process_config()->ticks_per_second, (const char *)config, config_size,
             (void *)driver);
    for (unsigned n = 1; n < MUX_SOURCES; n++) {
        if (regions[n] != 0) {
            mux_add_client(&mux, n, (void *)regions[n]);
        }
    }
    run();
}

void notified(microkit_channel ch)
{
    (void)ch;
    if (driver != 0) {
        run();
    }
}

void deadline(void)
{
    run();
}

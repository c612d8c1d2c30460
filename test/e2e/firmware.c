// Calls the firmware and ends the system: with 0 if PSCI answers. Without the right, the call is this program's end.
#include <microkit.h>

#include <lib/bulkhead.h>

#define PSCI_VERSION 0x84000000u
#define PSCI_1_0     0x10000u

void init(void)
{
    seL4_ARM_SMCContext ask = {.x0 = PSCI_VERSION};
    seL4_ARM_SMCContext answer = {0};
    microkit_arm_smc_call(&ask, &answer);
    microkit_dbg_puts("firmware: it answered\n");
    bulkhead_power_off(answer.x0 >= PSCI_1_0 ? 0 : 1);
}

void notified(microkit_channel ch)
{
    (void)ch;
}

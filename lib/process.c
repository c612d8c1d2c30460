// The native interface of a process: see bulkhead.h.
#include "bulkhead.h"

#include <stddef.h>

#include <base/str.h>
#include <lib/syscall.h>

const struct process_device *process_device(const char *region)
{
    const struct process_config *config = process_config();
    for (uint32_t i = 0; i < config->device_count && i < PROCESS_DEVICE_MAX; i++) {
        if (strcmp(config->devices[i].region, region) == 0) {
            return &config->devices[i];
        }
    }
    return NULL;
}

uint64_t process_clock(void)
{
    return sys_clock();
}

err_t bulkhead_power_off(int code)
{
    return sys_system_off(PROCESS_POWER, (uint64_t)code & 0xff, SYSTEM_OFF);
}

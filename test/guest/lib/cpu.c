// Starting and stopping cores: see cpu.h. A core's number is that of the stack that it runs on.
#include "cpu.h"

#include <spec/psci.h>

#include "arch.h"
#include "machine.h"

extern char _stacks[] __attribute__((visibility("hidden")));

static void (*volatile entries[CPUS_MAX])(void);

int64_t psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
    struct smccc_registers result =
        machine.psci_smc ? smccc_smc(function, a, b, c) : smccc_hvc(function, a, b, c);
    // Functions of the 32-bit convention answer in w0.
    return function & 1u << 30 ? (int64_t)result.x[0] : (int32_t)result.x[0];
}

unsigned cpu_number(void)
{
    return (unsigned)(((uintptr_t)__builtin_frame_address(0) - (uintptr_t)_stacks) >> STACK_SHIFT);
}

// What cpu_start does, and the stack that it needs.
static uintptr_t prepare(unsigned cpu, void (*run)(void))
{
    entries[cpu] = run;
    dsb();
    return (uintptr_t)_stacks + ((uintptr_t)(cpu + 1) << STACK_SHIFT);
}

int64_t cpu_on(unsigned cpu, void (*run)(void))
{
    uintptr_t top = prepare(cpu, run);
    return psci(PSCI_CPU_ON, machine.mpidr[cpu], (uintptr_t)core_entry, top);
}

int64_t cpu_power_down(void (*run)(void))
{
    uintptr_t top = prepare(cpu_number(), run);
    return psci(PSCI_CPU_SUSPEND, PSCI_POWER_DOWN, (uintptr_t)core_entry, top);
}

void cpu_start(void)
{
    entries[cpu_number()]();
    for (;;) {
        psci(PSCI_CPU_OFF, 0, 0, 0);
    }
}

bool cpu_wait_off(unsigned cpu)
{
    uint64_t end = now() + 10 * machine.ticks_per_second;
    while (psci(PSCI_AFFINITY_INFO, machine.mpidr[cpu], 0, 0) != PSCI_AFFINITY_OFF) {
        if (now() > end) {
            return false;
        }
        delay(microseconds(10));
    }
    return true;
}

uint64_t microseconds(uint64_t count)
{
    return count * machine.ticks_per_second / 1000000;
}

void delay(uint64_t ticks)
{
    uint64_t begin = now();
    while (now() - begin < ticks) {
        yield();
    }
}

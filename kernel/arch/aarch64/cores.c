// Cores: their stacks, starting them by PSCI, and what each does for itself. The boot core is core 0, the others follow
// in the device tree's order.
#include "cores.h"

#include <stdatomic.h>

#include <spec/psci.h>
#include <spec/sysreg.h>

#include "arch.h"
#include "console.h"
#include "el2.h"
#include "guest.h"
#include "machine.h"
#include "mmu.h"
#include "panic.h"
#include "percpu.h"
#include "sched.h"
#include "stage2.h"
#include "timer.h"

static _Atomic unsigned arrived; // cores that reached secondary_main
static _Atomic bool released;

extern char secondary_start[];       // start.S
_Noreturn void secondary_main(void); // from start.S

static void map_stack(uint64_t base, uint64_t size)
{
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        mmu_map(base + done, (struct range){mmu_pages(1).a, PAGE_SIZE}, MMU_DATA);
    }
}

// The pages between stay unmapped: a stack that overflows faults and is found out on the emergency stack.
static void prepare(unsigned id, uint64_t mpidr)
{
    struct percpu *cpu = &percpu[id];
    uint64_t base = STACK_BASE + (uint64_t)id * STACK_STRIDE;
    map_stack(base + STACK_EMERGENCY_OFFSET, STACK_EMERGENCY_SIZE);
    map_stack(base + STACK_OFFSET, STACK_SIZE);
    sched_init(cpu, id);
    cpu->stack_top = base + STACK_OFFSET + STACK_SIZE;
    cpu->arch.emergency_top = base + STACK_EMERGENCY_OFFSET + STACK_EMERGENCY_SIZE;
    cpu->arch.mpidr = mpidr;
}

void cores_prepare_boot(void)
{
    prepare(0, sysreg_read(mpidr_el1) & MPIDR_AFFINITY);
    core_count = 1;
}

void cores_init_this(void)
{
    el2_init_core();
    stage2_init_core();
    machine.gic.ops->init_core();
    timer_init_core();
    guest_init_core();
}

static bool start(unsigned id)
{
    int64_t result = psci_cpu_on(&machine.psci, percpu[id].arch.mpidr,
                                 image_to_phys(secondary_start), (uint64_t)&percpu[id]);
    if (result != PSCI_SUCCESS) {
        console_printf("bulkhead: core %lx does not start (PSCI %ld)\n", percpu[id].arch.mpidr,
                       result);
        return false;
    }
    uint64_t patience = arch_now() + machine.boot.ticks_per_second * 5;
    while (atomic_load_explicit(&arrived, memory_order_acquire) != id) {
        if (arch_now() > patience) {
            panic("core %lx was started and never arrived", percpu[id].arch.mpidr);
        }
        arch_relax();
    }
    return true;
}

void cores_start_others(void)
{
    unsigned limit = machine.gic.ops->cores_max;
    unsigned left_alone = 0;
    for (uint32_t i = 0; i < machine.cpu_count; i++) {
        if (machine.cpus[i] == percpu[0].arch.mpidr) {
            continue;
        }
        if (core_count == limit || !machine.psci.present) {
            left_alone++;
            continue;
        }
        prepare(core_count, machine.cpus[i]);
        if (start(core_count)) {
            core_count++;
        }
    }
    if (left_alone != 0) {
        console_printf("bulkhead: %u more cores are left alone\n", left_alone);
    }
}

void cores_release(void)
{
    atomic_store_explicit(&released, true, memory_order_release); // pairs with secondary_main
    sev();
}

_Noreturn void secondary_main(void)
{
    mmu_use_kernel_tables();
    cores_init_this();
    atomic_store_explicit(&arrived, this_cpu()->id, memory_order_release); // pairs with start
    while (!atomic_load_explicit(&released, memory_order_acquire)) {
        wfe();
    }
    enter_threads(this_cpu()->stack_top);
}

// ---- Panic --------------------------------------------------------------------------------------------------------

void arch_panic_begin(void)
{
    static _Atomic bool begun;
    struct percpu *cpu = this_cpu();
    if (core_count < 2) {
        // No other core, perhaps not even an address space in which an atomic access works.
        if (atomic_load_explicit(&begun, memory_order_relaxed)) {
            arch_off(false);
        }
        atomic_store_explicit(&begun, true, memory_order_relaxed);
        return;
    }
    while (atomic_exchange(&begun, true)) {
        if (cpu->arch.panicking) {
            arch_off(false); // a panic within the panic
        }
        wfe(); // another core's came first
    }
    cpu->arch.panicking = true;
    gic_halt_others();
}

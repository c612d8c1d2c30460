// Boot, as one list. Runs on the core that firmware started, at the kernel's own addresses (start.S), interrupts masked.
#include "main.h"

#include "arch.h"
#include "boot.h"
#include "console.h"
#include "cores.h"
#include "devtree.h"
#include "entry.h"
#include "machine.h"
#include "mmu.h"
#include "panic.h"
#include "percpu.h"
#include "stage2.h"

#define VERSION        "0.1"
#define NOTHING_TO_RUN 1

struct machine machine;

static void banner(void)
{
    console_printf("Bulkhead " VERSION ": %u core%s, GICv%u, %lu MiB, %s\n", core_count,
                   core_count == 1 ? "" : "s", machine.gic.version, memmap_size(&machine.ram) >> 20,
                   machine.core_name);
}

static void require_bundle(void)
{
    if (machine.boot.bundle.size == 0) {
        console_force("bulkhead: there is no bundle behind the kernel, so nothing to run\n"
                      "bulkhead: off, code %d\n",
                      NOTHING_TO_RUN);
        arch_off(false);
    }
}

_Noreturn void boot_main(paddr_t fdt, paddr_t image)
{
    sysreg_write(tpidr_el2, &percpu[0]); // this_cpu works
    mmu_init(image);
    mmu_use_kernel_tables();    // with nothing in them yet but the image
    machine_read_tree(fdt);     // from here on there is a console, and panic is heard
    machine_sort_memory(image); // phys_to_virt works
    machine_find_devices();
    stage2_init();
    machine.gic.ops->init();
    cores_prepare_boot();
    cores_init_this();    // what every core does for itself
    cores_start_others(); // they wait
    machine_hand_over();  // boot takes no memory after this
    banner();
    require_bundle();
    boot_first_process(&machine.boot);
    cores_release();
    enter_threads(percpu[0].stack_top);
}

// ---- From entry.S -------------------------------------------------------------------------------------------------

struct thread *interrupt_entry(void)
{
    gic_dispatch(machine.gic.ops->acknowledge());
    return entry_resume();
}

// Interrupts stay masked: WFI ends when one is pending, and it is taken here.
struct thread *idle_entry(void)
{
    for (;;) {
        wfi();
        struct thread *next = interrupt_entry();
        if (next != NULL) {
            return next;
        }
    }
}

// ---- A machine that the kernel cannot run on ----------------------------------------------------------------------

// MMU off, wherever the image was loaded: whatever this calls is position independent and makes no atomic access.
_Noreturn void boot_refuse(enum boot_refusal reason, const void *fdt)
{
    if (fdt != NULL && devtree_valid(fdt)) {
        uart_find(fdt, &machine.uart);
        if (machine.uart.physical.size != 0) {
            uart_use(&machine.uart, (volatile void *)machine.uart.physical.base);
        }
        psci_find(fdt, &machine.psci);
    }
    if (reason == BOOT_NOT_EL2) {
        panic_print("bulkhead: started at EL%u, but a hypervisor needs EL2 (QEMU: -M "
                    "virt,virtualization=on)\n",
                    (unsigned)(sysreg_read(CurrentEL) >> 2));
    } else {
        panic_print(
            "bulkhead: this core's HCR_EL2.E2H cannot be cleared, and the kernel needs it clear\n");
    }
    panic_print("bulkhead: off, code 1\n");
    arch_off(false);
}

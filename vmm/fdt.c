// See fdt.h. Nodes and properties: Devicetree Specification 0.4 and the kernel's bindings.
#include "fdt.h"

#include <libfdt.h>

#include <abi/vm.h>
#include <base/bits.h>
#include <base/format.h>

#include "fdt_check.h"
#include "fdt_merge.h"
#include "fdt_write.h"
#include "log.h"
#include "vm.h"

// Bytes for the VM's own nodes, command line included.
#define OWN_SIZE 0x8000u

// Phandles of the tree that isn't given.
#define PHANDLE_INTERRUPTS 1u
#define PHANDLE_CLOCK      2u

#define CLOCK_HZ 24000000u

#define REDISTRIBUTOR_SIZE 0x20000u // of each vcpu

// Interrupt cells of PPIs: type, number, flags.
#define CELL_PPI   1u
#define CELL_LEVEL 4u // active high

#define MPIDR_AFFINITY FIELD(23, 0)

// ---- Nodes ------------------------------------------------------------------------------------------------------

struct plan {
    const struct vm *vm;
    struct range initrd;
};

static void write_root(const struct plan *p, struct fdt_writer *w)
{
    (void)p;
    fdt_write_string(w, "model", "Bulkhead virtual machine");
    fdt_write_strings(w, "compatible", (const char *const[]){"bulkhead,vm", "linux,dummy-virt"}, 2);
    fdt_write_cell(w, "#address-cells", w->address_cells);
    fdt_write_cell(w, "#size-cells", w->size_cells);
    fdt_write_cell(w, "interrupt-parent", w->interrupts);
}

// No seeds for the guest's randomness: there is no source for them.
static void write_chosen(const struct plan *p, struct fdt_writer *w)
{
    char path[32];
    fdt_write_begin(w, "chosen");
    format(path, sizeof(path), "/pl011@%lx", (unsigned long)p->vm->console.base);
    fdt_write_string(w, "stdout-path", path);
    if (p->vm->config->cmdline[0] != '\0') {
        fdt_write_string(w, "bootargs", p->vm->config->cmdline);
    }
    if (p->initrd.size != 0) {
        fdt_write_u64(w, "linux,initrd-start", p->initrd.base);
        fdt_write_u64(w, "linux,initrd-end", p->initrd.base + p->initrd.size);
    }
    fdt_write_end(w);
    fdt_write_begin(w, "aliases");
    fdt_write_string(w, "serial0", path);
    fdt_write_end(w);
}

static void write_memory(const struct plan *p, struct fdt_writer *w)
{
    const struct vm_config *c = p->vm->config;
    fdt_write_begin_at(w, "memory", c->ram_ipa);
    fdt_write_string(w, "device_type", "memory");
    fdt_write_reg(w, &(struct range){c->ram_ipa, c->ram_size}, 1);
    fdt_write_end(w);
}

static void write_processors(const struct plan *p, struct fdt_writer *w)
{
    fdt_write_begin(w, "cpus");
    fdt_write_cell(w, "#address-cells", 1);
    fdt_write_cell(w, "#size-cells", 0);
    for (unsigned i = 0; i < p->vm->vcpus; i++) {
        uint64_t affinity = vcpu_mpidr(i) & MPIDR_AFFINITY;
        fdt_write_begin_at(w, "cpu", affinity);
        fdt_write_string(w, "device_type", "cpu");
        fdt_write_string(w, "compatible", p->vm->cpu.compatible);
        fdt_write_cell(w, "reg", (uint32_t)affinity);
        fdt_write_string(w, "enable-method", "psci");
        fdt_write_end(w);
    }
    fdt_write_end(w);
    fdt_write_begin(w, "psci");
    fdt_write_strings(w, "compatible", (const char *const[]){"arm,psci-1.0", "arm,psci-0.2"}, 2);
    fdt_write_string(w, "method", "hvc");
    fdt_write_end(w);
}

static void write_timer(const struct plan *p, struct fdt_writer *w)
{
    // Secure physical, physical, virtual, hypervisor's.
    static const uint32_t ppis[] = {13, 14, 11, 10};
    // Version 2: the cores that it is for, in bits 15-8.
    uint64_t cores = p->vm->config->gic_version == 2 ? FIELD(p->vm->vcpus - 1, 0) << 8 : 0;
    uint32_t cells[3 * ARRAY_SIZE(ppis)];
    for (size_t i = 0; i < ARRAY_SIZE(ppis); i++) {
        cells[3 * i] = CELL_PPI;
        cells[3 * i + 1] = ppis[i];
        cells[3 * i + 2] = (uint32_t)cores | CELL_LEVEL;
    }
    fdt_write_begin(w, "timer");
    fdt_write_strings(w, "compatible", (const char *const[]){"arm,armv8-timer", "arm,armv7-timer"},
                      2);
    fdt_write_flag(w, "always-on");
    fdt_write_cell(w, "interrupt-parent", w->interrupts);
    fdt_write_cells(w, "interrupts", cells, ARRAY_SIZE(cells));
    fdt_write_end(w);
}

static void write_interrupt_controller(const struct plan *p, struct fdt_writer *w)
{
    const struct vm *vm = p->vm;
    struct range where[2] = {{VGIC_DISTRIBUTOR, VGIC_DISTRIBUTOR_SIZE}};
    fdt_write_begin_at(w, "intc", VGIC_DISTRIBUTOR);
    if (vm->config->gic_version == 2) {
        where[1] = (struct range){VGIC_CPU_INTERFACE, VGIC_CPU_INTERFACE_SIZE};
        fdt_write_strings(w, "compatible",
                          (const char *const[]){"arm,cortex-a15-gic", "arm,gic-400"}, 2);
    } else {
        where[1] = (struct range){VGIC_REDISTRIBUTOR, vm->vcpus * REDISTRIBUTOR_SIZE};
        fdt_write_string(w, "compatible", "arm,gic-v3");
        fdt_write_cell(w, "#redistributor-regions", 1);
    }
    fdt_write_reg(w, where, 2);
    fdt_write_flag(w, "interrupt-controller");
    fdt_write_cell(w, "#interrupt-cells", 3);
    fdt_write_cell(w, "#address-cells", w->address_cells);
    fdt_write_cell(w, "#size-cells", w->size_cells);
    fdt_write_flag(w, "ranges");
    fdt_write_cell(w, "phandle", w->interrupts);
    fdt_write_end(w);
}

static void write_clock(const struct plan *p, struct fdt_writer *w)
{
    (void)p;
    fdt_write_begin(w, "apb-pclk");
    fdt_write_string(w, "compatible", "fixed-clock");
    fdt_write_cell(w, "#clock-cells", 0);
    fdt_write_cell(w, "clock-frequency", CLOCK_HZ);
    fdt_write_string(w, "clock-output-names", "clk24mhz");
    fdt_write_cell(w, "phandle", w->clock);
    fdt_write_end(w);
}

static void write_console(const struct plan *p, struct fdt_writer *w)
{
    pl011_describe(&p->vm->console, w);
}

static void write_rtc(const struct plan *p, struct fdt_writer *w)
{
    pl031_describe(&p->vm->rtc, w);
}

static void write_extension(const struct plan *p, struct fdt_writer *w)
{
    if (p->vm->extension != NULL) {
        p->vm->extension->describe(p->vm, w);
    }
}

// The tree, in this order. A device has a row that calls what describes it.
typedef void fdt_node_fn(const struct plan *p, struct fdt_writer *w);
static fdt_node_fn *const nodes[] = {
    write_root,       write_chosen,  write_memory,
    write_processors, write_timer,   write_interrupt_controller,
    write_clock,      write_console, write_rtc,
    write_extension,
};

static int write_own(const struct plan *p, struct fdt_writer *w, void *buffer)
{
    fdt_write_start(w, buffer, OWN_SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        nodes[i](p, w);
    }
    fdt_write_finish(w);
    return w->error;
}

// ---- Alone or merged --------------------------------------------------------------------------------------------

// The smallest node that can be disabled is longer than what that adds to it.
size_t fdt_room(const struct vm *vm)
{
    uint64_t given = vm->config->dtb.size;
    return given == 0 ? OWN_SIZE : 2 * align_up(given, 8) + 2 * OWN_SIZE;
}

static err_t complain(const struct vm *vm, const char *what)
{
    vm_log(vm, "the given device tree (%lu bytes) cannot be used: %s",
           (unsigned long)vm->config->dtb.size, what);
    return ERR_INVALID;
}

// The given tree is opened at the buffer's start; the VM's own is made at its end and merged into it.
static err_t make_merged(const struct plan *p, void *buffer)
{
    const struct vm *vm = p->vm;
    const struct vm_image *dtb = &vm->config->dtb;
    const void *bytes = (const void *)(uintptr_t)dtb->vaddr;
    if (dtb->size > FDT_SIZE_MAX || !fdt_is_sound(bytes, dtb->size)) {
        return complain(vm, "it is damaged, or more than 2 MiB long; give a .dtb file");
    }
    size_t size = fdt_room(vm) - OWN_SIZE;
    int error = fdt_open_into(bytes, buffer, (int)size);
    if (error != 0) {
        return complain(vm, "it is damaged; give one that dtc has made");
    }
    struct fdt_writer w;
    const char *wrong = fdt_merge_facts(buffer, &w);
    if (wrong != NULL) {
        return complain(vm, wrong);
    }
    void *own = (char *)buffer + size;
    if (write_own(p, &w, own) != 0) {
        return complain(vm, "the VM's addresses need two cells in its root");
    }
    error = fdt_merge(vm, buffer, own);
    error = error == 0 ? fdt_pack(buffer) : error;
    if (error != 0 || fdt_totalsize(buffer) > FDT_SIZE_MAX) {
        return complain(vm, "with the VM's own nodes it is damaged or longer than 2 MiB");
    }
    return OK;
}

static err_t make_alone(const struct plan *p, void *buffer)
{
    struct fdt_writer w = {.interrupts = PHANDLE_INTERRUPTS,
                           .clock = PHANDLE_CLOCK,
                           .address_cells = 2,
                           .size_cells = 2};
    if (write_own(p, &w, buffer) != 0) {
        vm_log(p->vm, "the guest's device tree does not fit into its %u KiB", OWN_SIZE / 1024);
        return ERR_NO_MEMORY;
    }
    return OK;
}

err_t fdt_make(const struct vm *vm, void *buffer, const struct range *initrd)
{
    struct plan p = {vm, *initrd};
    bool given = vm->config->dtb.size != 0;
    err_t err = given ? make_merged(&p, buffer) : make_alone(&p, buffer);
    size_t made = err == OK ? fdt_totalsize(buffer) : 0;
    memset((char *)buffer + made, 0, fdt_room(vm) - made); // what making it left behind it
    return err;
}

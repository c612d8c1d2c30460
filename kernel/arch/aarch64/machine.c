// Finding out what machine this is: from the device tree to struct machine. See machine.h. A tree that does not say
// enough ends in a message; nothing in it is trusted further than it was checked.
#include "machine.h"

#include <abi/bundle.h>
#include <base/str.h>
#include <spec/sysreg.h>

#include "arch.h"
#include "console.h"
#include "devtree.h"
#include "mmu.h"
#include "panic.h"

#define UART_SIZE  0x100u    // bytes of registers that are used
#define POOL_FIRST 0x100000u // of memory that boot's own tables may need before all of it is mapped

extern char __kernel_start[], __kernel_end[];

// ---- The tree -----------------------------------------------------------------------------------------------------

static void map_tree(paddr_t fdt)
{
    uint64_t base = align_down(fdt.a, LARGE_PAGE_SIZE);
    if (fdt.a == 0 || !is_aligned(fdt.a, 8) || fdt.a >= PHYSMAP_SIZE) {
        panic("no device tree: x0 was %#lx", fdt.a);
    }
    mmu_map(FDT_BASE, (struct range){base, 2 * LARGE_PAGE_SIZE}, MMU_CONSTANT);
    machine.fdt = (const void *)(FDT_BASE + (fdt.a - base));
    if (!devtree_valid(machine.fdt)) {
        panic("no valid device tree at %#lx", fdt.a);
    }
    struct boot_machine *boot = &machine.boot;
    uint64_t first = align_down(fdt.a, PAGE_SIZE);
    boot->fdt_size = devtree_size(machine.fdt);
    boot->fdt_offset = fdt.a - first;
    boot->fdt = (struct range){first, align_up(boot->fdt_offset + boot->fdt_size, PAGE_SIZE)};
}

static void find_uart(void)
{
    struct uart *uart = &machine.uart;
    uart_find(machine.fdt, uart);
    if (uart->physical.size == 0) {
        return;
    }
    uart_use(uart, mmu_map_device((struct range){uart->physical.base, UART_SIZE}));
    machine.boot.console_base = uart->physical.base;
    machine.boot.console_irq = uart->irq;
}

static bool is_of_type(int node, const char *type)
{
    return devtree_string_index(machine.fdt, node, "device_type", type) == 0 &&
           devtree_available(machine.fdt, node);
}

// "cortex-a53" of "arm,cortex-a53".
static const char *core_name(int node)
{
    const char *name = devtree_string(machine.fdt, node, "compatible");
    if (name == NULL) {
        return "unknown core";
    }
    const char *model = strchr(name, ',');
    return model != NULL ? model + 1 : name;
}

// Each core's affinity, in the order of the tree.
static void find_cores(void)
{
    const void *fdt = machine.fdt;
    int cpus = devtree_path(fdt, "/cpus", 5);
    for (int node = devtree_child(fdt, cpus, -1); node >= 0;
         node = devtree_child(fdt, cpus, node)) {
        uint32_t first, second;
        if (!is_of_type(node, "cpu") || !devtree_cell(fdt, node, "reg", 0, &first)) {
            continue;
        }
        bool two = devtree_cell(fdt, node, "reg", 1, &second);
        uint64_t affinity = two ? (uint64_t)first << 32 | second : first;
        if (machine.cpu_count == 0) {
            machine.core_name = core_name(node);
        }
        if (machine.cpu_count < MACHINE_CPUS_MAX) {
            machine.cpus[machine.cpu_count++] = affinity & MPIDR_AFFINITY;
        }
    }
}

static void find_timer(void)
{
    int node = devtree_find(machine.fdt, -1, "arm,armv8-timer");
    int named = devtree_string_index(machine.fdt, node, "interrupt-names", "hyp-phys");
    uint32_t frequency;
    if (!devtree_interrupt(machine.fdt, node, named >= 0 ? (unsigned)named : 3,
                           &machine.timer_intid) ||
        machine.timer_intid >= INTID_SPI) {
        panic("device tree: no EL2 timer interrupt");
    }
    named = devtree_string_index(machine.fdt, node, "interrupt-names", "virt");
    if (!devtree_interrupt(machine.fdt, node, named >= 0 ? (unsigned)named : 2,
                           &machine.vtimer_intid) ||
        machine.vtimer_intid >= INTID_SPI) {
        panic("device tree: no virtual timer interrupt");
    }
    machine.boot.ticks_per_second = sysreg_read(cntfrq_el0);
    if (devtree_cell(machine.fdt, node, "clock-frequency", 0, &frequency) && frequency != 0) {
        machine.boot.ticks_per_second = frequency;
    }
    if (machine.boot.ticks_per_second == 0) {
        panic("the timer's frequency is unknown: firmware has not set CNTFRQ_EL0");
    }
}

void machine_read_tree(paddr_t fdt)
{
    map_tree(fdt);
    find_uart();
    psci_find(machine.fdt, &machine.psci);
    if (machine.psci.hvc) {
        machine.psci = (struct psci){0}; // whoever would answer is not there
        console_printf("bulkhead: PSCI by HVC cannot be called from EL2: one core, no power off\n");
    }
}

void machine_find_devices(void)
{
    find_timer();
    find_cores();
    if (!gic_find(machine.fdt, &machine.gic)) {
        panic("device tree: no interrupt controller that is known (GICv2, GICv3)");
    }
    machine.boot.gic_version = machine.gic.version;
    machine.boot.gicv_base = machine.gic.gicv;
}

// ---- Memory -------------------------------------------------------------------------------------------------------

static void remember(bool done)
{
    if (!done) {
        panic("device tree: memory is in more than %u pieces", MEMMAP_MAX);
    }
}

static void find_ram(void)
{
    int root = devtree_next(machine.fdt, -1, NULL);
    for (int node = devtree_child(machine.fdt, root, -1); node >= 0;
         node = devtree_child(machine.fdt, root, node)) {
        struct range r;
        for (unsigned i = 0; is_of_type(node, "memory") && devtree_reg(machine.fdt, node, i, &r);
             i++) {
            remember(memmap_add(&machine.ram, r));
        }
    }
}

static void remove_reserved(struct memmap *m)
{
    struct range r;
    for (unsigned i = 0; devtree_reservation(machine.fdt, i, &r); i++) {
        remember(memmap_remove(m, r));
    }
    int parent = devtree_path(machine.fdt, "/reserved-memory", 16);
    for (int node = devtree_child(machine.fdt, parent, -1); node >= 0;
         node = devtree_child(machine.fdt, parent, node)) {
        for (unsigned i = 0;
             devtree_available(machine.fdt, node) && devtree_reg(machine.fdt, node, i, &r); i++) {
            remember(memmap_remove(m, r));
        }
    }
}

// What the tool appended to the image. Its header is looked at here only to know where it ends.
static void find_bundle(paddr_t image)
{
    uint64_t base = image.a + (uint64_t)(__kernel_end - __kernel_start);
    struct range page = {base, PAGE_SIZE};
    machine.boot.bundle = (struct range){base, 0};
    if (!memmap_contains(&machine.ram, page) || range_overlaps(machine.boot.fdt, page)) {
        return;
    }
    mmu_map(BUNDLE_BASE, page, MMU_CONSTANT);
    const struct bundle_header *header = (const void *)BUNDLE_BASE;
    struct range bundle = {base, header->size};
    if (header->magic != BUNDLE_MAGIC || bundle.size == 0 || !is_aligned(bundle.size, PAGE_SIZE)) {
        return;
    }
    if (!range_valid(bundle) || !memmap_contains(&machine.ram, bundle) ||
        range_overlaps(bundle, machine.boot.fdt)) {
        panic("the bundle (%#lx bytes) does not fit where the image was loaded, %#lx", bundle.size,
              image.a);
    }
    machine.boot.bundle = bundle;
}

// The pool for tables and stacks is the beginning of the first free range that has room. That range is the first to
// be mapped: enough of it with tables out of the image, the rest with tables out of itself.
static void map_free(const struct memmap *m)
{
    uint32_t pool = 0;
    while (pool < m->count && m->r[pool].size < 2 * POOL_FIRST) {
        pool++;
    }
    if (pool == m->count) {
        panic("too little memory: %lu KiB", memmap_size(m) >> 10);
    }
    struct range whole = m->r[pool];
    struct range first = {whole.base,
                          align_up(whole.base + POOL_FIRST, LARGE_PAGE_SIZE) - whole.base};
    first.size = first.size < whole.size ? first.size : whole.size;
    (void)mmu_map_ram(first, MMU_DATA);
    mmu_pool_set(first);
    (void)mmu_map_ram((struct range){first.base + first.size, whole.size - first.size}, MMU_DATA);
    for (uint32_t i = 0; i < m->count; i++) {
        if (i != pool) {
            (void)mmu_map_ram(m->r[i], MMU_DATA);
        }
    }
    mmu_pool_set(
        (struct range){mmu_pool_rest().base, whole.base + whole.size - mmu_pool_rest().base});
}

static void map_constants(void)
{
    if (!mmu_map_ram(machine.boot.bundle, MMU_CONSTANT) ||
        !mmu_map_ram(machine.boot.fdt, MMU_CONSTANT)) {
        panic("bundle or device tree are out of the kernel's reach");
    }
}

static void limit_to_window(struct memmap *m)
{
    uint64_t before = memmap_size(m);
    remember(memmap_remove(m, (struct range){PHYSMAP_SIZE, UINT64_MAX - PHYSMAP_SIZE}));
    if (memmap_size(m) != before) {
        console_printf("bulkhead: %lu MiB of memory are out of reach\n",
                       (before - memmap_size(m)) >> 20);
    }
}

void machine_sort_memory(paddr_t image)
{
    find_ram();
    struct memmap m = machine.ram;
    limit_to_window(&m);
    find_bundle(image);
    remove_reserved(&m);
    remember(memmap_remove(&m, (struct range){image.a, machine.boot.bundle.base +
                                                           machine.boot.bundle.size - image.a}));
    remember(memmap_remove(&m, machine.boot.fdt));
    memmap_trim_to_pages(&m);
    map_free(&m);
    map_constants();
    machine.free = m;
}

// The largest pieces of what is left now that boot needs no more for itself.
void machine_hand_over(void)
{
    struct memmap *m = &machine.free;
    struct range rest = mmu_pool_rest();
    for (uint32_t i = 0; i < m->count; i++) {
        if (range_contains(m->r[i], rest.base, rest.size)) {
            m->r[i] = rest;
        }
    }
    while (m->count > BOOT_UNTYPED_MAX) {
        uint32_t smallest = 0;
        for (uint32_t i = 1; i < m->count; i++) {
            smallest = m->r[i].size < m->r[smallest].size ? i : smallest;
        }
        remember(memmap_remove(m, m->r[smallest]));
    }
    machine.boot.free_count = m->count;
    memcpy(machine.boot.free, m->r, m->count * sizeof(m->r[0]));
}

// ---- arch.h -------------------------------------------------------------------------------------------------------

bool arch_device_range_allowed(paddr_t pa, uint64_t size)
{
    struct range r = {pa.a, size};
    if (!range_valid(r) || pa.a + size > BIT(arch_stage2_bits()) ||
        memmap_overlaps(&machine.ram, r)) {
        return false;
    }
    // The guests' CPU interface is theirs.
    if (machine.gic.gicv != 0 &&
        range_contains((struct range){machine.gic.gicv, 2 * PAGE_SIZE}, r.base, r.size)) {
        return true;
    }
    for (uint32_t i = 0; i < machine.gic.regions; i++) {
        struct range gic = machine.gic.physical[i];
        uint64_t base = align_down(gic.base, PAGE_SIZE);
        if (range_overlaps(r,
                           (struct range){base, align_up(gic.base + gic.size, PAGE_SIZE) - base})) {
            return false;
        }
    }
    return true;
}

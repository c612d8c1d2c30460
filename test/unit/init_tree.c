// The device tree of init's tests: see init_tree.h.
#include "init_tree.h"

#include <stdint.h>
#include <stdlib.h>

#include <libfdt.h>

#define TREE_BYTES 16384

static void cells(void *fdt, const char *name, const uint32_t *values, unsigned count)
{
    fdt32_t be[16];
    for (unsigned i = 0; i < count; i++) {
        be[i] = cpu_to_fdt32(values[i]);
    }
    (void)fdt_property(fdt, name, be, (int)(count * sizeof(be[0])));
}

#define CELLS(fdt, name, ...)                                                                      \
    cells((fdt), (name), (const uint32_t[]){__VA_ARGS__},                                          \
          sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void bus(void *fdt, unsigned address_cells, unsigned size_cells)
{
    CELLS(fdt, "#address-cells", address_cells);
    CELLS(fdt, "#size-cells", size_cells);
}

enum { GIC_PHANDLE = 1, CLOCK_PHANDLE, GPIO_PHANDLE, FIRMWARE_PHANDLE };

static void gic(void *fdt)
{
    (void)fdt_begin_node(fdt, "intc@8000000");
    (void)fdt_property_string(fdt, "compatible", "arm,cortex-a15-gic");
    CELLS(fdt, "phandle", GIC_PHANDLE);
    CELLS(fdt, "#interrupt-cells", 3);
    CELLS(fdt, "reg", 0, 0x8000000, 0, 0x10000);
    (void)fdt_end_node(fdt);
}

static void uart(void *fdt)
{
    static const char compatible[] = "arm,pl011\0arm,primecell";
    (void)fdt_begin_node(fdt, "pl011@9000000");
    (void)fdt_property(fdt, "compatible", compatible, sizeof(compatible));
    CELLS(fdt, "reg", 0, 0x9000000, 0, 0x1000);
    CELLS(fdt, "interrupts", 0, 1, 4);
    CELLS(fdt, "clocks", CLOCK_PHANDLE, CLOCK_PHANDLE);
    (void)fdt_end_node(fdt);
}

// Two small devices in one page, the first out of order.
static void virtio(void *fdt)
{
    (void)fdt_begin_node(fdt, "virtio@a000000");
    (void)fdt_property_string(fdt, "compatible", "virtio,mmio");
    (void)fdt_property_string(fdt, "status", "disabled");
    CELLS(fdt, "reg", 0, 0xa000000, 0, 0x200);
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "virtio@a000200");
    (void)fdt_property_string(fdt, "compatible", "virtio,mmio");
    CELLS(fdt, "reg", 0, 0xa000200, 0, 0x200);
    CELLS(fdt, "interrupts", 0, 17, 1);
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "virtio@a001e00");
    (void)fdt_property_string(fdt, "compatible", "virtio,mmio");
    CELLS(fdt, "reg", 0, 0xa001e00, 0, 0x400);
    CELLS(fdt, "interrupts", 0, 18, 1, 0, 19, 4);
    (void)fdt_end_node(fdt);
}

// A bus that moves addresses, with devices whose interrupts take several ways.
static void soc(void *fdt)
{
    (void)fdt_begin_node(fdt, "soc");
    bus(fdt, 1, 1);
    CELLS(fdt, "ranges", 0x0, 0, 0xc0000000, 0x100000, 0x800000, 1, 0, 0x100000);
    (void)fdt_begin_node(fdt, "gpio@1000");
    CELLS(fdt, "phandle", GPIO_PHANDLE);
    CELLS(fdt, "#interrupt-cells", 2);
    CELLS(fdt, "reg", 0x1000, 0x1000);
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "timer@2000");
    (void)fdt_property_string(fdt, "compatible", "vendor,timer");
    CELLS(fdt, "reg", 0x2000, 0x100);
    CELLS(fdt, "interrupts-extended", GPIO_PHANDLE, 5, 1, GIC_PHANDLE, 0, 40, 2, GIC_PHANDLE, 1, 11,
          8);
    CELLS(fdt, "clocks", FIRMWARE_PHANDLE, 3);
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "high@800000");
    (void)fdt_property_string(fdt, "compatible", "vendor,high");
    CELLS(fdt, "reg", 0x800000, 0x2000);
    CELLS(fdt, "interrupt-parent", GPIO_PHANDLE);
    CELLS(fdt, "interrupts", 3, 1);
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "lost@900000"); // outside every window of the bus
    (void)fdt_property_string(fdt, "compatible", "vendor,lost");
    CELLS(fdt, "reg", 0x900000, 0x1000);
    (void)fdt_end_node(fdt);
    (void)fdt_end_node(fdt);
}

static void pci(void *fdt)
{
    (void)fdt_begin_node(fdt, "pcie@10000000");
    CELLS(fdt, "#address-cells", 3);
    CELLS(fdt, "#size-cells", 2);
    CELLS(fdt, "ranges", 0x2000000, 0, 0x10000000, 0, 0x10000000, 0, 0x2eff0000);
    (void)fdt_end_node(fdt);
}

static void clocks(void *fdt)
{
    (void)fdt_begin_node(fdt, "apb-clock");
    (void)fdt_property_string(fdt, "compatible", "fixed-clock");
    CELLS(fdt, "phandle", CLOCK_PHANDLE);
    CELLS(fdt, "clock-frequency", 24000000);
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "firmware-clock");
    (void)fdt_property_string(fdt, "compatible", "vendor,clocks");
    CELLS(fdt, "phandle", FIRMWARE_PHANDLE);
    (void)fdt_end_node(fdt);
}

void *world_tree(void)
{
    void *fdt = malloc(TREE_BYTES);
    (void)fdt_create(fdt, TREE_BYTES);
    (void)fdt_finish_reservemap(fdt);
    (void)fdt_begin_node(fdt, "");
    bus(fdt, 2, 2);
    CELLS(fdt, "interrupt-parent", GIC_PHANDLE);
    (void)fdt_begin_node(fdt, "memory@40000000");
    (void)fdt_property_string(fdt, "device_type", "memory");
    CELLS(fdt, "reg", 0, WORLD_RAM, 0, WORLD_RAM_END - WORLD_RAM);
    (void)fdt_end_node(fdt);
    gic(fdt);
    uart(fdt);
    virtio(fdt);
    soc(fdt);
    pci(fdt);
    clocks(fdt);
    (void)fdt_begin_node(fdt, "aliases");
    (void)fdt_property_string(fdt, "serial0", "/pl011@9000000");
    (void)fdt_property_string(fdt, "bad", "/nowhere");
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "chosen");
    (void)fdt_property_string(fdt, "stdout-path", "serial0:115200n8");
    (void)fdt_end_node(fdt);
    (void)fdt_end_node(fdt);
    (void)fdt_finish(fdt);
    return fdt;
}

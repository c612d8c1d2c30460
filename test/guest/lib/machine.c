// Reads the device tree: see machine.h. #address-cells and #size-cells are taken to be 2, as on every machine that
// payloads run on.
#include "machine.h"

#include <base/bits.h>
#include <base/str.h>

#include <libfdt.h>

#include "arch.h"

struct machine machine;

#define INTID_OF_PPI(number) ((number) + 16u)
#define INTID_OF_SPI(number) ((number) + 32u)

static const fdt32_t *property(int node, const char *name, int *words)
{
    int length = 0;
    const fdt32_t *found = node < 0 ? NULL : fdt_getprop(machine.tree, node, name, &length);
    *words = found == NULL ? 0 : length / (int)sizeof(fdt32_t);
    return found;
}

static int compatible(const char *name)
{
    return fdt_node_offset_by_compatible(machine.tree, -1, name);
}

// Range `index` of a node's `reg`. Returns the address; 0 if there is none.
static uint64_t reg(int node, int index, uint64_t *size)
{
    int words;
    const fdt32_t *cells = property(node, "reg", &words);
    if (words < 4 * (index + 1)) {
        return 0;
    }
    cells += (ptrdiff_t)4 * index;
    *size = (uint64_t)fdt32_to_cpu(cells[2]) << 32 | fdt32_to_cpu(cells[3]);
    return (uint64_t)fdt32_to_cpu(cells[0]) << 32 | fdt32_to_cpu(cells[1]);
}

static unsigned interrupt(int node, int index)
{
    int words;
    const fdt32_t *cells = property(node, "interrupts", &words);
    if (words < 3 * (index + 1)) {
        return 0;
    }
    cells += (ptrdiff_t)3 * index;
    unsigned number = fdt32_to_cpu(cells[1]);
    return fdt32_to_cpu(cells[0]) == 0 ? INTID_OF_SPI(number) : INTID_OF_PPI(number);
}

static void read_gic(void)
{
    uint64_t size;
    int v3 = compatible("arm,gic-v3");
    if (v3 >= 0) {
        machine.gic_version = 3;
        machine.gicd = reg(v3, 0, &size);
        machine.gicr = reg(v3, 1, &machine.gicr_size);
        return;
    }
    int v2 = compatible("arm,cortex-a15-gic");
    v2 = v2 >= 0 ? v2 : compatible("arm,gic-400");
    machine.gic_version = 2;
    machine.gicd = reg(v2, 0, &size);
    machine.gicc = reg(v2, 1, &size);
}

static void read_cpus(void)
{
    const void *tree = machine.tree;
    int node;
    fdt_for_each_subnode(node, tree, fdt_path_offset(tree, "/cpus"))
    {
        int words;
        const char *type = fdt_getprop(tree, node, "device_type", NULL);
        const fdt32_t *cells = property(node, "reg", &words);
        if (type == NULL || strcmp(type, "cpu") != 0 || words < 1 || machine.cpus == CPUS_MAX) {
            continue;
        }
        uint64_t high = words > 1 ? fdt32_to_cpu(cells[0]) : 0;
        machine.mpidr[machine.cpus++] = high << 32 | fdt32_to_cpu(cells[words - 1]);
    }
}

static void read_memory(void)
{
    const void *tree = machine.tree;
    int node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "memory", sizeof("memory"));
    machine.memory = reg(node, 0, &machine.memory_size);
}

void machine_read(const void *tree, uint64_t entered)
{
    uint64_t size;
    machine.tree = tree;
    machine.entered = entered;
    machine.ticks_per_second = READ(cntfrq_el0);
    machine.arguments = fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "bootargs", NULL);
    int uart = compatible("arm,pl011");
    int rtc = compatible("arm,pl031");
    int timer = compatible("arm,armv8-timer");
    int psci = compatible("arm,psci-1.0");
    psci = psci >= 0 ? psci : compatible("arm,psci-0.2");
    machine.uart = reg(uart, 0, &size);
    machine.uart_intid = interrupt(uart, 0);
    machine.rtc = reg(rtc, 0, &size);
    machine.rtc_intid = interrupt(rtc, 0);
    machine.timer_physical = interrupt(timer, 1);
    machine.timer_virtual = interrupt(timer, 2);
    const char *method = fdt_getprop(tree, psci, "method", NULL);
    machine.psci_smc = method != NULL && strcmp(method, "smc") == 0;
    read_gic();
    read_cpus();
    read_memory();
}

static uint64_t number(const char *text)
{
    uint64_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (uint64_t)(*text - '0');
    }
    return value;
}

// What stands behind `name=`, or NULL.
static const char *value_of(const char *name)
{
    size_t length = strlen(name);
    for (const char *at = machine.arguments; at != NULL && *at != '\0'; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            return at + length + 1;
        }
    }
    return NULL;
}

uint64_t option(const char *name, uint64_t otherwise)
{
    const char *value = value_of(name);
    return value != NULL ? number(value) : otherwise;
}

bool option_is(const char *name, const char *text)
{
    const char *value = value_of(name);
    size_t length = strlen(text);
    return value != NULL && strncmp(value, text, length) == 0 &&
           (value[length] == '\0' || value[length] == ' ');
}

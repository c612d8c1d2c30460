// See uart.h. The models differ in numbers only: PL011 (Arm DDI 0183), Cadence (UG1087).
#include "uart.h"

#include <base/bits.h>
#include <base/str.h>
#include <spec/cadence_uart.h>
#include <spec/pl011.h>

#include "arch.h"
#include "devtree.h"
#include "machine.h"
#include "mmio.h"

#define PATIENCE 200000u // polls for room for one character: more than 10 ms on any bus

struct model {
    char compatible[20];
    uint32_t data;    // register: write a character
    uint32_t status;  // register with
    uint32_t full;    // this bit: no room
    uint32_t control; // register with
    uint32_t on;      // these bits set and
    uint32_t off;     // these clear: the transmitter works
};

static const struct model models[] = {
    {
        .compatible = "arm,pl011",
        .data = PL011_DR,
        .status = PL011_FR,
        .full = PL011_FR_TXFF,
        .control = PL011_CR,
        .on = PL011_CR_UARTEN | PL011_CR_TXE,
    },
    {
        .compatible = "arm,sbsa-uart", // a PL011 that firmware has set up for good
        .data = PL011_DR,
        .status = PL011_FR,
        .full = PL011_FR_TXFF,
    },
    {
        .compatible = "cdns,uart-r1p12",
        .data = CADENCE_FIFO,
        .status = CADENCE_SR,
        .full = CADENCE_SR_TXFULL,
        .control = CADENCE_CR,
        .on = CADENCE_CR_TX_EN,
        .off = CADENCE_CR_TX_DIS,
    },
};

static bool try_node(const void *fdt, int node, struct uart *uart)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(models); i++) {
        if (devtree_string_index(fdt, node, "compatible", models[i].compatible) >= 0 &&
            devtree_available(fdt, node) && devtree_reg(fdt, node, 0, &uart->physical)) {
            uart->model = i;
            if (!devtree_interrupt(fdt, node, 0, &uart->irq)) {
                uart->irq = 0;
            }
            return true;
        }
    }
    return false;
}

static int stdout_node(const void *fdt)
{
    const char *path = devtree_string(fdt, devtree_path(fdt, "/chosen", 7), "stdout-path");
    if (path == NULL) {
        return -1;
    }
    const char *options = strchr(path, ':');
    return devtree_path(fdt, path,
                        (uint32_t)(options != NULL ? (size_t)(options - path) : strlen(path)));
}

void uart_find(const void *fdt, struct uart *uart)
{
    if (try_node(fdt, stdout_node(fdt), uart)) {
        return;
    }
    for (int node = devtree_next(fdt, -1, NULL); node >= 0; node = devtree_next(fdt, node, NULL)) {
        if (try_node(fdt, node, uart)) {
            return;
        }
    }
    uart->physical = (struct range){0};
}

void uart_use(struct uart *uart, volatile void *base)
{
    const struct model *m = &models[uart->model];
    uart->base = base;
    if (m->on != 0) {
        mmio_write32(base, m->control, (mmio_read32(base, m->control) & ~m->off) | m->on);
    }
}

static void send(struct uart *uart, char character)
{
    const struct model *m = &models[uart->model];
    for (unsigned i = 0; (mmio_read32(uart->base, m->status) & m->full) != 0; i++) {
        if (i == PATIENCE) {
            uart->dead = true;
            return;
        }
        arch_relax();
    }
    mmio_write32(uart->base, m->data, (uint8_t)character);
}

void arch_console_write(const char *text, unsigned length)
{
    struct uart *uart = &machine.uart;
    if (uart->base == NULL) {
        return;
    }
    for (unsigned i = 0; i < length && !uart->dead; i++) {
        if (text[i] == '\n') {
            send(uart, '\r');
        }
        send(uart, text[i]);
    }
}

bool arch_console_owns(paddr_t pa, uint64_t size)
{
    return range_overlaps(machine.uart.physical, (struct range){pa.a, size});
}

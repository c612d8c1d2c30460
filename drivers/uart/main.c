// The UART driver: one process around one UART. Its other end is the serial mux or a single client (abi/serial.h), and
// is not trusted: a ring that makes no sense is left alone for good.
//
// In the description: a region named "uart" with the device, its interrupt as id 0, and a region shared with the other
// end, mapped with setvar_vaddr="wire", whose channel is id 1.
#include <microkit.h>

#include <base/bits.h>
#include <base/str.h>
#include <lib/bulkhead.h>

#include "pump.h"

#define UART_IRQ  0
#define UART_WIRE 1

// Set by the description.
uintptr_t wire;

static struct pump pump; // without a model: there is nothing to drive

static bool is_compatible(const struct uart_model *model, const char *compatible)
{
    for (const char *const *c = model->compatible; *c != NULL; c++) {
        if (strcmp(*c, compatible) == 0) {
            return true;
        }
    }
    return false;
}

static const struct uart_model *find_model(const char *compatible)
{
    static const struct uart_model *const models[] = {&pl011_model, &cadence_model};
    for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
        if (is_compatible(models[i], compatible)) {
            return models[i];
        }
    }
    return NULL;
}

static void run(void)
{
    if (pump.model == NULL || pump.broken) {
        return;
    }
    struct pump_wishes wishes = pump_run(&pump, process_clock());
    if (wishes.notify) {
        microkit_notify(UART_WIRE);
    }
    bulkhead_set_deadline(wishes.deadline);
    if (pump.broken) {
        bulkhead_log("stops: the ring of the other end makes no sense");
    }
}

void init(void)
{
    const struct process_device *device = process_device("uart");
    const struct uart_model *model = device == NULL ? NULL : find_model(device->compatible);
    if (model == NULL || wire == 0) {
        bulkhead_log("cannot drive %s",
                     device == NULL ? "a device that is not there" : device->compatible);
        return;
    }
    pump_init(&pump, model, (uart_regs_t){(uintptr_t)device->vaddr}, (void *)wire,
              process_config()->ticks_per_second);
    run();
}

// An interrupt that nobody would serve is not acknowledged: it stays masked.
void notified(microkit_channel ch)
{
    if (pump.model == NULL) {
        return;
    }
    if (ch == UART_IRQ) {
        pump.model->acknowledge(pump.regs);
    }
    run();
    if (ch == UART_IRQ && !pump.broken) {
        microkit_irq_ack(UART_IRQ);
    }
}

void deadline(void)
{
    run();
}

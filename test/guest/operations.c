// Does what its boot arguments say, so often as they say, and switches off: hypercalls (hvc=N), reads of an ID register
// (id=N), of the distributor (gicd=N) and of the UART's flags (uart=N), writes to the clock (rtc=N), SGIs to itself, each
// taken and ended (sgi=N). For those who count from outside: it does as little else as it can, prints nothing, and with the
// same machine the same each time.
#include <spec/pl011.h>
#include <spec/pl031.h>
#include <spec/psci.h>
#include <spec/smccc.h>

#include "lib/arch.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/report.h"

#define SGI_SELF 1u

static volatile bool taken;

static void handle_interrupt(void)
{
    uint32_t acknowledged = gic_acknowledge();
    taken = gic_intid(acknowledged) == SGI_SELF;
    gic_end(acknowledged);
}

static void send_to_self(void)
{
    taken = false;
    gic_sgi(SGI_SELF, 0);
    while (!taken) {
        yield();
    }
}

// Does a statement as often as the boot arguments say.
#define REPEAT(name, ...)                                                                          \
    for (uint64_t repeat_left = option(name, 0); repeat_left > 0; repeat_left--) {                 \
        __VA_ARGS__;                                                                               \
    }

void guest_main(void)
{
    irq_handler = handle_interrupt;
    gic_init();
    gic_init_core();
    gic_enable(SGI_SELF);
    irq_on();
    REPEAT("hvc", smccc_hvc(PSCI_VERSION, 0, 0, 0))
    REPEAT("id", (void)READ(id_aa64mmfr0_el1))
    REPEAT("gicd", read32(machine.gicd + GICD_TYPER))
    REPEAT("uart", read32(machine.uart + PL011_FR))
    REPEAT("rtc", write32(machine.rtc + PL031_ICR, 1))
    REPEAT("sgi", send_to_self())
    power_off();
}

// Waits until every greeter's greeting has left the wire, then ends the system: with 0, or with 1 if one is missing
// when the time is over.
#include <microkit.h>

#include <base/bits.h>

#include "../verdict.h"

#define SERIAL      0
#define GREETERS    4 // on channels 1 to 4
#define PATIENCE_MS 5000

uintptr_t serial_region;

static struct serial serial;
static struct verdict verdict = {VERDICT_NONE};
static uint64_t greeted; // BIT(channel)

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    bulkhead_set_deadline(process_clock() + ticks_from_ms(PATIENCE_MS));
}

void notified(microkit_channel ch)
{
    if (ch != SERIAL) {
        greeted |= BIT(ch);
        if (greeted == FIELD(GREETERS, 1) && verdict.code == VERDICT_NONE) {
            serial_puts(&serial, "all four greetings have left the wire\n");
            verdict_give(&verdict, 0);
        }
    }
    verdict_check(&verdict, &serial);
}

void deadline(void)
{
    verdict_late(&verdict);
    for (unsigned ch = 1; ch <= GREETERS; ch++) {
        if ((greeted & BIT(ch)) == 0) {
            serial_printf(&serial, "no greeting from core%u\n", ch - 1);
        }
    }
    verdict_give(&verdict, 1);
}

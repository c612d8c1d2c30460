// Says hello, and tells the judge once the greeting has left the wire.
#include <microkit.h>

#include <lib/serial.h>

#define SERIAL 0
#define JUDGE  1

uintptr_t serial_region;

static struct serial serial;
static bool told;

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    serial_printf(&serial, "hello, this is %s\n", microkit_name);
}

void notified(microkit_channel ch)
{
    if (ch == SERIAL && !told && serial_drained(&serial)) {
        told = true;
        microkit_notify(JUDGE);
    }
}

// Which interrupts came: see record.h.
#include "record.h"

#include <stddef.h>

#include "cpu.h"
#include "exception.h"
#include "gic.h"

#define MOMENT 200u // microseconds

struct record record;
void (*volatile record_hook)(unsigned intid);

static void record_interrupt(void)
{
    uint32_t acknowledged = gic_acknowledge();
    unsigned intid = gic_intid(acknowledged);
    uint32_t at = record.length++;
    record.acknowledged[intid] = acknowledged;
    record.running_priority = gic_running_priority();
    record.by[intid] = (uint8_t)cpu_number();
    if (at < RECORD_ORDER) {
        record.order[at] = (uint16_t)intid;
    }
    record.count[intid]++;
    if (record_hook != NULL) {
        record_hook(intid);
    }
    if (intid < INTID_SPI_END) {
        gic_end(acknowledged);
    }
}

void record_begin(void)
{
    record_hook = NULL;
    for (unsigned i = 0; i < RECORD_LINES; i++) {
        record.count[i] = 0;
        record.by[i] = UINT8_MAX;
    }
    record.length = 0;
    irq_handler = record_interrupt;
    dsb();
}

void record_let_in(void)
{
    uint32_t length;
    irq_on();
    do {
        length = record.length;
        delay(microseconds(MOMENT));
    } while (record.length != length);
    irq_off();
}

bool record_wait(unsigned intid, unsigned count)
{
    uint64_t end = now() + 10 * machine.ticks_per_second;
    while (record.count[intid] < count) {
        if (now() > end) {
            return false;
        }
        yield();
    }
    return true;
}

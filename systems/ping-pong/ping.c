// Calls and notifies two partners, one on its own core and one on another, counts the answers, and prints how long a
// round trip takes. Ends the system: with 0 if no answer was wrong.
#include <microkit.h>

#include "../verdict.h"

#define SERIAL      0
#define NEAR        1
#define FAR         2
#define CALLS       2000u
#define ROUNDS      2000u
#define PATIENCE_MS 20000

uintptr_t serial_region;

static struct serial serial;
static struct verdict verdict = {VERDICT_NONE};
static microkit_channel partner; // whose notifications are awaited
static unsigned rounds;          // notifications answered by `partner`
static uint64_t started;         // ticks
static bool wrong;

static const char *where(microkit_channel ch)
{
    return ch == NEAR ? "same core" : "across cores";
}

static void print(const char *what, microkit_channel ch, unsigned count)
{
    uint64_t ns = (process_clock() - started) * 1000000000u / process_config()->ticks_per_second;
    serial_printf(&serial, "%s, %s: %u round trips, %lu ns each\n", what, where(ch), count,
                  (unsigned long)(ns / count));
}

static void call(microkit_channel ch)
{
    started = process_clock();
    for (unsigned i = 0; i < CALLS; i++) {
        microkit_mr_set(0, i);
        microkit_msginfo answer = microkit_ppcall(ch, microkit_msginfo_new(i, 1));
        if (microkit_msginfo_get_label(answer) != i || microkit_msginfo_get_count(answer) != 1 ||
            microkit_mr_get(0) != i + 1) {
            wrong = true;
            serial_printf(&serial, "call %u, %s: wrong answer\n", i, where(ch));
            return;
        }
    }
    print("calls", ch, CALLS);
}

static void notify(microkit_channel ch)
{
    partner = ch;
    rounds = 0;
    started = process_clock();
    microkit_notify(ch);
}

static void finish(void)
{
    partner = SERIAL;
    serial_puts(&serial, wrong ? "something went wrong\n" : "every answer was right\n");
    verdict_give(&verdict, wrong ? 1 : 0);
}

static void answered(microkit_channel ch)
{
    if (ch != partner) {
        wrong = true;
        serial_printf(&serial, "a notification out of turn on channel %u\n", ch);
        return;
    }
    if (++rounds < ROUNDS) {
        microkit_notify(ch);
        return;
    }
    print("notifications", ch, ROUNDS);
    if (ch == NEAR) {
        notify(FAR);
    } else {
        finish();
    }
}

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    bulkhead_set_deadline(process_clock() + ticks_from_ms(PATIENCE_MS));
    call(NEAR);
    call(FAR);
    notify(NEAR);
}

void notified(microkit_channel ch)
{
    if (ch != SERIAL) {
        answered(ch);
    }
    verdict_check(&verdict, &serial);
}

void deadline(void)
{
    verdict_late(&verdict);
    serial_printf(&serial, "only %u notifications were answered, %s\n", rounds, where(partner));
    wrong = true;
    finish();
}

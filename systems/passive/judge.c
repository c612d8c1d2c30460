// Lets three clients call the passive server, one after the other: "full" on the server's home core, "fifth" on another
// core with a fifth of its time, "far" on a third core while the server's home core is kept busy. Prints how many calls
// each got done, and how much time the kernel charged it with. Ends the system: with 0 if the time was the callers' own.
#include <microkit.h>

#include <lib/syscall.h>

#include "../verdict.h"
#include "passive.h"

#define SERIAL      0
#define HOG         4
#define PATIENCE_MS 20000

// Percent of a core's time that each may and must be charged with.
#define FULL_MIN   70u
#define FIFTH_MIN  10u
#define FIFTH_MAX  30u
#define SERVER_MAX 2u
#define FAR_CALLS_MIN                                                                              \
    5u // percent of the calls that "full" made; nearly none if it had to wait for the hog

uintptr_t serial_region;
uintptr_t full_report, fifth_report, far_report;

enum { FULL = 1, FIFTH, FAR, SERVER }; // channels (the server has none) and slots of <cspace>

// One client's turn.
struct turn {
    uint64_t start;       // ticks
    uint64_t used;        // by the client, ticks; while it lasts: before it began
    uint64_t server_used; // the same of the server
    unsigned percent;     // of its time that the client was charged with
    unsigned server_percent;
};

static struct serial serial;
static struct verdict verdict = {VERDICT_NONE};
static unsigned finished; // BIT(channel)
static struct turn turns[FAR + 1];

static uint64_t ticks_used(unsigned slot)
{
    struct thread_info info;
    if (sys_thread_info(microkit_cspace_root_slot_to_cptr(slot), &info) != OK) {
        bulkhead_log("no account of the thread in slot %u", slot);
        return 0;
    }
    return info.used;
}

static void begin(microkit_channel ch)
{
    turns[ch] = (struct turn){
        .start = process_clock(),
        .used = ticks_used(ch),
        .server_used = ticks_used(SERVER),
    };
    microkit_notify(ch);
}

static void end(microkit_channel ch)
{
    struct turn *t = &turns[ch];
    uint64_t elapsed = process_clock() - t->start;
    t->percent = (unsigned)((ticks_used(ch) - t->used) * 100 / elapsed);
    t->server_percent = (unsigned)((ticks_used(SERVER) - t->server_used) * 100 / elapsed);
}

static const struct report *report_of(microkit_channel ch)
{
    return (const struct report *)(ch == FULL    ? full_report
                                   : ch == FIFTH ? fifth_report
                                                 : far_report);
}

static void print(microkit_channel ch, const char *who)
{
    const struct report *r = report_of(ch);
    serial_printf(&serial, "%s: %lu calls in %lu ms, charged %u %% of its core, the server %u %%\n",
                  who, (unsigned long)r->calls,
                  (unsigned long)(r->ticks * 1000 / process_config()->ticks_per_second),
                  turns[ch].percent, turns[ch].server_percent);
}

static bool is_right(void)
{
    for (microkit_channel ch = FULL; ch <= FAR; ch++) {
        if (report_of(ch)->wrong != 0 || report_of(ch)->calls == 0 ||
            turns[ch].server_percent > SERVER_MAX) {
            return false;
        }
    }
    return turns[FULL].percent >= FULL_MIN && turns[FIFTH].percent >= FIFTH_MIN &&
           turns[FIFTH].percent <= FIFTH_MAX &&
           report_of(FAR)->calls * 100 >= report_of(FULL)->calls * FAR_CALLS_MIN;
}

static void finish(void)
{
    bool right = is_right();
    print(FULL, "all of the server's home core");
    print(FIFTH, "a fifth of another core");
    print(FAR, "a third core, the home core busy");
    serial_puts(&serial, right ? "callers paid for what they got\n" : "that was not fair\n");
    verdict_give(&verdict, right ? 0 : 1);
}

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    bulkhead_set_deadline(process_clock() + ticks_from_ms(PATIENCE_MS));
    begin(FULL);
}

static void next(void)
{
    if (finished == 1u << FULL) {
        begin(FIFTH);
    } else if (finished == (1u << FULL | 1u << FIFTH)) {
        microkit_notify(HOG);
        begin(FAR);
    } else if (finished == (1u << FULL | 1u << FIFTH | 1u << FAR | 1u << HOG)) {
        finish();
    }
}

void notified(microkit_channel ch)
{
    if (ch != SERIAL && verdict.code == VERDICT_NONE) {
        finished |= 1u << ch;
        if (ch != HOG) {
            end(ch);
        }
        next();
    }
    verdict_check(&verdict, &serial);
}

void deadline(void)
{
    verdict_late(&verdict);
    serial_printf(&serial, "no end: %x\n", finished);
    verdict_give(&verdict, 1);
}

// Watches two processes that want all of one core for a second: "greedy" has the higher priority and a budget of 30 %,
// "modest" the lower one. Prints what each got, in work done and in the kernel's account of time. Ends the system: with
// 0 if the shares are what the budget says.
#include <microkit.h>

#include <lib/syscall.h>

#include "../verdict.h"

#define SERIAL      0
#define GREEDY_SLOT 1 // of <cspace>
#define MODEST_SLOT 2
#define MEASURE_MS  1000

// Percent of the core's time, with room for a machine that is itself short of time.
#define GREEDY_MIN 25u
#define GREEDY_MAX 40u
#define MODEST_MIN 55u

uintptr_t serial_region;
uintptr_t greedy_work, modest_work;

struct reading {
    uint64_t ticks;                    // of the clock
    uint64_t greedy, modest;           // work done
    uint64_t greedy_used, modest_used; // ticks, by the kernel's account
};

static struct serial serial;
static struct verdict verdict = {VERDICT_NONE};
static struct reading start;

static uint64_t ticks_used(unsigned slot)
{
    struct thread_info info;
    if (sys_thread_info(microkit_cspace_root_slot_to_cptr(slot), &info) != OK) {
        bulkhead_log("no account of the thread in slot %u", slot);
        return 0;
    }
    return info.used;
}

static struct reading read_all(void)
{
    return (struct reading){
        .ticks = process_clock(),
        .greedy = *(volatile uint64_t *)greedy_work,
        .modest = *(volatile uint64_t *)modest_work,
        .greedy_used = ticks_used(GREEDY_SLOT),
        .modest_used = ticks_used(MODEST_SLOT),
    };
}

static unsigned percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (unsigned)((part * 100 + whole / 2) / whole);
}

static void judge(const struct reading *end)
{
    uint64_t greedy = end->greedy - start.greedy;
    uint64_t modest = end->modest - start.modest;
    uint64_t elapsed = end->ticks - start.ticks;
    unsigned greedy_time = percent(end->greedy_used - start.greedy_used, elapsed);
    unsigned modest_time = percent(end->modest_used - start.modest_used, elapsed);

    serial_printf(&serial,
                  "greedy (priority 150, budget 30 %%): %u %% of the time, %u %% of the work\n",
                  greedy_time, percent(greedy, greedy + modest));
    serial_printf(&serial,
                  "modest (priority 100):              %u %% of the time, %u %% of the work\n",
                  modest_time, percent(modest, greedy + modest));
    bool right = greedy_time >= GREEDY_MIN && greedy_time <= GREEDY_MAX &&
                 modest_time >= MODEST_MIN && modest > 0;
    serial_puts(&serial, right ? "each got its share\n" : "the shares are wrong\n");
    verdict_give(&verdict, right ? 0 : 1);
}

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    start = read_all();
    bulkhead_set_deadline(start.ticks + ticks_from_ms(MEASURE_MS));
}

void notified(microkit_channel ch)
{
    (void)ch;
    verdict_check(&verdict, &serial);
}

void deadline(void)
{
    verdict_late(&verdict);
    struct reading end = read_all();
    judge(&end);
}

// Two VMs and one with two vcpus share a core and take a thousand timer ticks a second each, while the threads of two of
// these vcpus move from core to core at random: ticks equal elapsed time. `migrations=N seed=N` among the boot arguments.
#include "../harness/options.h"
#include "../harness/random.h"
#include "../harness/report.h"
#include "../harness/vm.h"

#include <lib/syscall.h>

#define GUESTS     4u
#define PAUSE_MOST 150u  // us between two migrations
#define PERIOD_US  1000u // of a tick

enum { WAITING, BUSY, CALLING }; // x22 of DO_TICKS

struct ticker {
    struct guest guest;
    struct vmm *vmm;
    struct child child;
};

static struct ticker ticker_new(struct guest guest, uint64_t how)
{
    struct ticker t = {.guest = guest};
    t.child = vmm_new(&t.guest, &t.vmm, 0, 0);
    guest_begin(&t.guest, DO_TICKS);
    guest_enable(&t.guest, 27);
    t.guest.page->regs.x[20] = ticks_of_us(PERIOD_US);
    t.guest.page->regs.x[22] = how;
    t.guest.page->regs.x[28] = GUEST_RAM + GUEST_DATA;
    return t;
}

static void check(const struct ticker *t, const char *name)
{
    const uint64_t *x = t->guest.page->regs.x;
    bool done = child_done(&t->child, SURELY_MS);
    uint64_t elapsed = (x[29] - x[27]) / ticks_of_us(PERIOD_US);
    report(done && guest_called(t->guest.page, GUEST_DONE) && x[19] == elapsed && elapsed != 0,
           "%s: %lu ticks in %lu ms", name, x[19], elapsed);
    say("      the latest after %lu us", x[24] / ticks_of_us(1));
}

static void test_ticks(void)
{
    uint64_t wanted = option_number("migrations", 300);
    uint64_t seed = option_number("seed", 1);
    struct random random = random_begin(seed);
    struct guest a = guest_new();
    struct guest c = guest_new();
    struct ticker tickers[GUESTS] = {ticker_new(a, WAITING), ticker_new(guest_new(), BUSY),
                                     ticker_new(c, WAITING), ticker_new(guest_beside(&c), CALLING)};
    for (unsigned i = 0; i < GUESTS; i++) {
        child_start(&tickers[i].child);
    }
    for (uint64_t i = 0; i < wanted; i++) {
        const struct child *moving = &tickers[i % 2 == 0 ? 0 : GUESTS - 1].child;
        child_set_time(moving, CHILD_PRIORITY, random_below(&random, boot_info()->cores));
        sleep_us(1 + random_below(&random, PAUSE_MOST));
    }
    for (unsigned i = 0; i < GUESTS; i++) {
        *(volatile uint64_t *)(tickers[i].guest.ram + GUEST_DATA) = 1;
    }
    say("      seed %lu, %lu migrations", seed, wanted);
    check(&tickers[0], "a guest in WFI, that moves");
    check(&tickers[1], "a busy guest, that stays");
    check(&tickers[2], "a vcpu of two, in WFI, that stays");
    check(&tickers[3], "the other one, with hypercalls, that moves");
}

static const struct test_case cases[] = {
    {"ticks", test_ticks},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

// Measures what a machine costs its guest: operations that need what is below, each many times, in nanoseconds of the
// virtual counter. Under QEMU's `-icount shift=0` a nanosecond is an executed instruction, of all cores and levels.
//
// Prints a line `name value unit` for each, and needs nothing but what every machine of this kind has: a GIC, the
// virtual timer, a PL011, a PL031, PSCI by HVC. The rows of two cores are left out on a machine with one. With boot=1
// among the boot arguments it only says when it was entered; with profile=NAME it passes profile_begin and profile_end
// around the turns of that row, and whoever counts instructions (test/bench/instructions.py) knows which ones are meant.
#include <stdatomic.h>

#include <base/bits.h>
#include <spec/pl011.h>
#include <spec/pl031.h>
#include <spec/psci.h>
#include <spec/smccc.h>

#include "lib/arch.h"
#include "lib/cpu.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/machine.h"
#include "lib/report.h"

#define TURNS   4096u
#define WARM_UP 4u // turns that are not counted, where first ones are dearer
#define PAGES   1024u
#define PAGE    4096u

enum sgi {
    SGI_SELF = 1,
    SGI_PING, // answered with SGI_PONG
    SGI_PONG,
    SGI_ONE_WAY,
};

// What handlers tell the loops that wait.
static volatile struct {
    bool self;
    bool timer;
    bool pong;
    bool one_way;
    bool other_is_up;
    bool other_sleeps; // else it spins
    uint64_t timer_at;
    uint64_t one_way_at;
} seen;

// ---- Printing --------------------------------------------------------------------------------------------------------

// Ticks that `turns` turns took: nanoseconds of one, with a decimal.
static void print(const char *name, uint64_t ticks, uint64_t turns)
{
    uint64_t tenths = ticks * (10000000000ull / machine.ticks_per_second) / turns;
    say("%s %lu.%lu ns", name, (unsigned long)(tenths / 10), (unsigned long)(tenths % 10));
}

// Nothing but addresses.
void profile_begin(void);
void profile_end(void);

NOINLINE void profile_begin(void)
{
    __asm__ volatile("" : : : "memory");
}

NOINLINE void profile_end(void)
{
    __asm__ volatile("" : : : "memory");
}

static void begin(const char *name)
{
    if (option_is("profile", name)) {
        profile_begin();
    }
}

// Measures a statement.
#define MEASURE(name, turns, ...)                                                                  \
    do {                                                                                           \
        begin(name);                                                                               \
        uint64_t measure_begin = now();                                                            \
        for (uint64_t measure_turn = (turns); measure_turn > 0; measure_turn--) {                  \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        uint64_t measure_ticks = now() - measure_begin;                                            \
        profile_end();                                                                             \
        print(name, measure_ticks, turns);                                                         \
    } while (0)

#define WAIT_FOR(flag)                                                                             \
    while (!(flag)) {                                                                              \
        yield();                                                                                   \
    }

// The same asleep. Interrupts are masked before and after: a flag that rises is never missed.
#define SLEEP_UNTIL(flag)                                                                          \
    while (!(flag)) {                                                                              \
        wfi();                                                                                     \
        irq_on();                                                                                  \
        isb();                                                                                     \
        irq_off();                                                                                 \
    }

// ---- Handlers --------------------------------------------------------------------------------------------------------

static void handle_interrupt(void)
{
    uint64_t at = READ(cntvct_el0);
    uint32_t acknowledged = gic_acknowledge();
    unsigned intid = gic_intid(acknowledged);
    if (intid == machine.timer_virtual) {
        WRITE(cntv_ctl_el0, 0);
        isb();
        seen.timer_at = at;
        seen.timer = true;
    } else if (intid == SGI_SELF) {
        seen.self = true;
    } else if (intid == SGI_PING) {
        gic_sgi(SGI_PONG, 0);
    } else if (intid == SGI_PONG) {
        seen.pong = true;
    } else if (intid == SGI_ONE_WAY) {
        seen.one_way_at = at;
        seen.one_way = true;
    }
    if (intid < INTID_SPI_END) {
        gic_end(acknowledged);
    }
}

static void enable_interrupts(void)
{
    gic_init_core();
    for (unsigned i = SGI_SELF; i <= SGI_ONE_WAY; i++) {
        gic_enable(i);
    }
    gic_enable(machine.timer_virtual);
    irq_on();
}

// ---- One core --------------------------------------------------------------------------------------------------------

static void measure_control(void)
{
    uint64_t turns = 1000000;
    uint64_t first = now();
    __asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(turns) : : "cc");
    print("control_loop", now() - first, 1000000);
}

static void measure_exits(void)
{
    MEASURE("hvc_psci_version", TURNS, smccc_hvc(PSCI_VERSION, 0, 0, 0));
    MEASURE("hvc_smccc_version", TURNS, smccc_hvc(SMCCC_VERSION, 0, 0, 0));
    MEASURE("idreg_read", TURNS, (void)READ(id_aa64mmfr0_el1));
    MEASURE("gicd_read", TURNS, read32(machine.gicd + GICD_TYPER));
    MEASURE("uart_read", TURNS, read32(machine.uart + PL011_FR));
    if (machine.rtc != 0) {
        MEASURE("rtc_write", TURNS, write32(machine.rtc + PL031_ICR, 1));
    }
}

static void measure_self_sgi(void)
{
    MEASURE("self_sgi", TURNS, seen.self = false; gic_sgi(SGI_SELF, 0); WAIT_FOR(seen.self));
    irq_off();
    MEASURE("self_sgi_wfi", TURNS, seen.self = false; gic_sgi(SGI_SELF, 0); SLEEP_UNTIL(seen.self));
    irq_on();
}

// From the deadline to the handler.
static void measure_timer(const char *name, const char *name_max, uint64_t distance, bool sleep,
                          unsigned turns)
{
    uint64_t sum = 0;
    uint64_t longest = 0;
    begin(name);
    for (unsigned i = 0; i < turns + WARM_UP; i++) {
        irq_off();
        seen.timer = false;
        uint64_t deadline = now() + microseconds(distance);
        WRITE(cntv_cval_el0, deadline);
        WRITE(cntv_ctl_el0, 1);
        isb();
        if (sleep) {
            SLEEP_UNTIL(seen.timer)
            irq_on();
        } else {
            irq_on();
            WAIT_FOR(seen.timer)
        }
        uint64_t late = seen.timer_at - deadline;
        sum += i < WARM_UP ? 0 : late;
        longest = i < WARM_UP || late < longest ? longest : late;
    }
    profile_end();
    print(name, sum, turns);
    print(name_max, longest, 1);
}

static void measure_memory(void)
{
    uint64_t middle = align_down(machine.memory + machine.memory_size / 2, PAGE);
    uint64_t end = middle + (uint64_t)PAGES * PAGE;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t first = now();
        for (uint64_t page = middle; page < end; page += PAGE) {
            write32(page, 0);
        }
        print(i == 0 ? "first_touch" : "second_touch", now() - first, PAGES);
    }
}

// ---- Two cores -------------------------------------------------------------------------------------------------------

static void other_core(void)
{
    enable_interrupts();
    seen.other_is_up = true;
    for (;;) {
        if (seen.other_sleeps) {
            wfi();
        } else {
            yield();
        }
    }
}

static void ping(void)
{
    seen.pong = false;
    gic_sgi(SGI_PING, 1);
    WAIT_FOR(seen.pong)
}

static void measure_one_way(void)
{
    uint64_t sum = 0;
    begin("ipi_one_way");
    for (unsigned i = 0; i < TURNS; i++) {
        seen.one_way = false;
        uint64_t sent = now();
        gic_sgi(SGI_ONE_WAY, 1);
        WAIT_FOR(seen.one_way)
        sum += seen.one_way_at - sent;
    }
    profile_end();
    print("ipi_one_way", sum, TURNS);
}

// The other core has to be in its loop, busy or asleep, before the first turn counts.
static void other_core_sleeps(bool sleeps)
{
    seen.other_sleeps = sleeps;
    for (unsigned i = 0; i < WARM_UP; i++) {
        ping();
    }
}

static void measure_two_cores(void)
{
    int64_t answer = cpu_on(1, other_core);
    if (answer != PSCI_SUCCESS) {
        report_value((uint64_t)answer, PSCI_SUCCESS, "core 1 starts");
        return;
    }
    WAIT_FOR(seen.other_is_up)
    other_core_sleeps(false);
    measure_one_way();
    MEASURE("ipi_round_trip", TURNS, ping());
    other_core_sleeps(true);
    MEASURE("ipi_round_trip_wfi_target", TURNS, ping());
    irq_off();
    MEASURE("ipi_round_trip_wfi_both", TURNS, seen.pong = false; gic_sgi(SGI_PING, 1);
            SLEEP_UNTIL(seen.pong));
    irq_on();
}

void guest_main(void)
{
    irq_handler = handle_interrupt;
    say("exitbench: GICv%u, %u cores, midr 0x%lx", machine.gic_version, machine.cpus,
        (unsigned long)READ(midr_el1));
    say("profile_begin 0x%lx, profile_end 0x%lx", (unsigned long)profile_begin,
        (unsigned long)profile_end);
    print("boot_to_guest", machine.entered, 1);
    // First the virtual one: a tick between the two must not make less than nothing.
    uint64_t virtual = READ(cntvct_el0);
    print("virtual_offset", READ(cntpct_el0) - virtual, 1);
    if (option("boot", 0) != 0) {
        return;
    }
    gic_init();
    enable_interrupts();
    measure_control();
    measure_exits();
    measure_self_sgi();
    measure_timer("timer_busy", "timer_busy_max", 100, false, 2000);
    measure_timer("timer_wfi_100us", "timer_wfi_100us_max", 100, true, 2000);
    measure_timer("timer_wfi_5ms", "timer_wfi_5ms_max", 5000, true, 500);
    measure_memory();
    if (machine.cpus > 1) {
        measure_two_cores();
    }
}

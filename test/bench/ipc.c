// What the kernel's services cost, in executed instructions: user code around the system calls included, the reading
// of the clock taken off. Run under QEMU's `-icount shift=0`, where the clock of 62.5 MHz ticks every 16 instructions
// (test/bench/run.py). Means over many turns, each begun at another phase of the tick.
//
// Prints a line `BENCH: name instructions` a figure, in tenths of an instruction.
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>
#include <spec/pl011.h>

#define INSTRUCTIONS_PER_SECOND 1000000000u
#define TURNS                   4096u
#define PAGES                   1024u
#define OBJECTS                 1000u

#define RW (MAP_READ | MAP_WRITE)

// Shared with the other side of a measurement.
struct shared {
    volatile uint64_t sent;  // clock, just before
    volatile uint64_t total; // ticks until the other side ran, over all turns
    volatile uint64_t turns; // done by the other side
    volatile uint32_t *uart;
};

// Where a profile begins and ends: the counting of instructions looks for these two addresses.
void profile_begin(void);
void profile_end(void);

__attribute__((noinline)) void profile_begin(void)
{
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void profile_end(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline __attribute__((always_inline)) uint64_t clock(void)
{
    register uint64_t x1 __asm__("x1");
    __asm__ volatile("svc %[number]" : "=r"(x1) : [number] "i"(SYS_clock) : "x0", "x2", "memory");
    return x1;
}

// Three instructions a turn, sixteen an odd number of times: every phase of the tick comes up equally often.
static inline void shift_phase(uint64_t turn)
{
    uint64_t n = (turn & 15) + 1;
    __asm__ volatile("1: nop\n\tsubs %0, %0, #1\n\tb.ne 1b" : "+r"(n) : : "cc");
}

// What reading the clock twice in a row gives, in ticks over TURNS turns.
static uint64_t clock_cost(void)
{
    uint64_t total = 0;
    for (uint64_t i = 0; i < TURNS; i++) {
        shift_phase(i);
        uint64_t begun = clock();
        total += clock() - begun;
    }
    return total;
}

static void print(const char *name, uint64_t ticks, uint64_t clock_ticks, uint64_t turns)
{
    uint64_t per_tick = INSTRUCTIONS_PER_SECOND / boot_info()->ticks_per_second;
    say("BENCH: %s %lu", name, (ticks - clock_ticks) * per_tick * 10 / turns);
}

// Of one stretch with `turns` operations in it.
static void print_stretch(const char *name, uint64_t ticks, uint64_t turns)
{
    print(name, ticks, clock_cost() / TURNS, turns);
}

// Of what the other side summed up, once a turn.
static void print_total(const char *name, const struct shared *s)
{
    print(name, s->total, clock_cost(), TURNS);
}

static struct child partner(child_fn *run, struct shared **shared,
                            const struct child_options *options)
{
    handle_t frames;
    *shared = map_new(PAGE_SIZE, &frames);
    struct child c = child_new(run, *shared, options);
    child_map(&c, frames, *shared, RW);
    return c;
}

// ---- Signals and calls --------------------------------------------------------------------------------------

static void signal_idle(void)
{
    handle_t n = make(OBJ_NOTIFICATION, 0);
    profile_begin();
    uint64_t begun = clock();
    for (unsigned i = 0; i < TURNS; i++) {
        ignore(sys_signal(n));
    }
    uint64_t ended = clock();
    profile_end();
    print_stretch("signal_idle", ended - begun, TURNS);
}

static void serve(void *argument)
{
    (void)argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t badge;
    ignore(sys_receive(0, DEADLINE_NEVER, &info, words, &badge));
    for (;;) {
        ignore(sys_receive(RECEIVE_REPLY, DEADLINE_NEVER, &info, words, &badge));
    }
}

static void measure_calls(const char *name, unsigned flags)
{
    struct child server =
        child_new(serve, NULL, &(struct child_options){.serves = true, .flags = flags});
    child_start(&server);
    uint64_t words[MESSAGE_REGISTER_WORDS] = {1, 2, 3, 4};
    uint64_t info = INFO(0, MESSAGE_REGISTER_WORDS);
    handle_t endpoint = copy_of(server.endpoint, RIGHT_WRITE, 1);
    MUST(child_reaches(&server, THREAD_RECEIVING) ? OK : ERR_TIMEOUT);
    MUST(sys_call(endpoint, &info, words));
    profile_begin();
    uint64_t begun = clock();
    for (unsigned i = 0; i < TURNS; i++) {
        ignore(sys_call(endpoint, &info, words));
    }
    uint64_t ended = clock();
    profile_end();
    print_stretch(name, ended - begun, TURNS);
}

static void call_reply_own_time(void)
{
    measure_calls("call_reply_own_time", 0);
}

static void call_reply(void)
{
    measure_calls("call_reply", THREAD_PASSIVE);
}

// Says how long ago the sender began.
static void wake(void *argument)
{
    struct shared *s = argument;
    for (;;) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        uint64_t bits;
        ignore(sys_receive(0, DEADLINE_NEVER, &info, words, &bits));
        s->total += clock() - s->sent;
        s->turns++;
    }
}

// The boot thread below everybody else, or above.
static void set_own_priority(uint64_t priority)
{
    uint64_t slice = ticks_of_ms(10);
    MUST(sys_thread_time(BOOT_THREAD, BOOT_TIME, priority, 0, slice, slice));
}

static void begin_waking(const struct child *waiter, struct shared *s)
{
    child_start(waiter);
    MUST(child_reaches(waiter, THREAD_RECEIVING) ? OK : ERR_TIMEOUT);
    s->total = 0;
    s->turns = 0;
    set_own_priority(CHILD_PRIORITY - 1);
}

static void notify_same_core(void)
{
    struct shared *s;
    struct child waiter = partner(wake, &s, &(struct child_options){0});
    handle_t n = copy_of(waiter.notification, RIGHT_WRITE, 1);
    begin_waking(&waiter, s);
    profile_begin();
    for (unsigned i = 0; i < TURNS; i++) {
        shift_phase(i);
        s->sent = clock();
        ignore(sys_signal(n));
    }
    profile_end();
    set_own_priority(PRIORITY_MAX);
    MUST(s->turns == TURNS ? OK : ERR_TIMEOUT);
    print_total("notify_same_core", s);
}

// The sender gives way as soon as it has sent (YIELD moves QEMU on to the next core), so that what it does afterwards
// is not counted.
static void notify_cross_core(void)
{
    struct shared *s;
    struct child waiter = partner(wake, &s, &(struct child_options){.core = 1});
    handle_t n = copy_of(waiter.notification, RIGHT_WRITE, 1);
    begin_waking(&waiter, s);
    profile_begin();
    for (unsigned i = 0; i < TURNS; i++) {
        shift_phase(i);
        s->sent = clock();
        ignore(sys_signal(n));
        while (s->turns == i) {
            __asm__ volatile("yield");
        }
        // Until the other core sleeps again: its way back is not part of the next turn.
        for (unsigned k = 0; k < 4; k++) {
            __asm__ volatile("yield");
        }
    }
    profile_end();
    set_own_priority(PRIORITY_MAX);
    print_total("notify_cross_core", s);
}

// ---- Interrupts ---------------------------------------------------------------------------------------------

static void drive(void *argument)
{
    struct shared *s = argument;
    for (;;) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        uint64_t bits;
        ignore(sys_receive(0, DEADLINE_NEVER, &info, words, &bits));
        s->total += clock() - s->sent;
        s->turns++;
        s->uart[PL011_IMSC / 4] = 0;
        ignore(sys_irq_ack(CHILD_OWN));
    }
}

static handle_t uart_irq(const struct child *driver)
{
    handle_t irq = handle_new();
    MUST(sys_irq_create(BOOT_IRQ_CONTROL, memory(), boot_info()->console_irq, IRQ_LEVEL,
                        BOOT_CSPACE, irq));
    MUST(sys_irq_bind(irq, copy_of(driver->notification, RIGHT_WRITE, 1)));
    child_give(driver, irq, CHILD_OWN, RIGHT_ALL, 0);
    return irq;
}

// The UART's transmit interrupt is raised by allowing it: there is room.
static void irq_to_driver(void)
{
    struct shared *s;
    struct child driver = partner(drive, &s, &(struct child_options){0});
    handle_t irq = uart_irq(&driver);
    handle_t uart = handle_new();
    uint64_t at = address_new(PAGE_SIZE);
    MUST(sys_device_frames(BOOT_DEVICE_MEMORY, memory(), boot_info()->console_base, 1, BOOT_CSPACE,
                           uart));
    MUST(sys_map(copy_all(uart), BOOT_SPACE, at, RW));
    MUST(sys_map(uart, driver.space, at, RW));
    s->uart = (volatile uint32_t *)at;
    begin_waking(&driver, s);
    MUST(sys_irq_ack(irq));
    profile_begin();
    for (unsigned i = 0; i < TURNS; i++) {
        shift_phase(i);
        s->sent = clock();
        s->uart[PL011_IMSC / 4] = PL011_INT_TX;
    }
    profile_end();
    set_own_priority(PRIORITY_MAX);
    MUST(s->turns == TURNS ? OK : ERR_TIMEOUT);
    print_total("irq_to_driver", s);
}

// ---- Memory -------------------------------------------------------------------------------------------------

// The same frames at many addresses: copies of one capability, and a space for them.
struct many {
    handle_t copies;
    handle_t space;
    uint64_t bytes;
};

static struct many many_new(uint64_t bytes)
{
    struct many m = {.copies = handles_new(PAGES), .space = make(OBJ_SPACE, 64), .bytes = bytes};
    handle_t f = make(OBJ_FRAMES, bytes);
    for (unsigned i = 0; i < PAGES; i++) {
        MUST(sys_copy(BOOT_CSPACE, f, BOOT_CSPACE, m.copies + i, RIGHT_ALL, 0));
    }
    return m;
}

static void map_many(const struct many *m)
{
    for (unsigned i = 0; i < PAGES; i++) {
        ignore(sys_map(m->copies + i, m->space, BIT(34) + i * m->bytes, RW));
    }
}

static void measure_map(const char *name, uint64_t bytes)
{
    struct many m = many_new(bytes);
    profile_begin();
    uint64_t begun = clock();
    map_many(&m);
    uint64_t ended = clock();
    profile_end();
    print_stretch(name, ended - begun, PAGES);
}

static void measure_unmap(const char *name, uint64_t bytes)
{
    struct many m = many_new(bytes);
    map_many(&m);
    profile_begin();
    uint64_t begun = clock();
    for (unsigned i = 0; i < PAGES; i++) {
        ignore(sys_unmap(m.copies + i));
    }
    uint64_t ended = clock();
    profile_end();
    print_stretch(name, ended - begun, PAGES);
}

static void map_4k(void)
{
    measure_map("map_4k", PAGE_SIZE);
}

static void unmap_4k(void)
{
    measure_unmap("unmap_4k", PAGE_SIZE);
}

static void map_2m(void)
{
    measure_map("map_2m", LARGE_PAGE_SIZE);
}

static void unmap_2m(void)
{
    measure_unmap("unmap_2m", LARGE_PAGE_SIZE);
}

// ---- Objects ------------------------------------------------------------------------------------------------

static void make_many(handle_t untyped, handle_t to)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        ignore(sys_retype(untyped, OBJ_NOTIFICATION, 0, BOOT_CSPACE, to + i));
    }
}

static void retype_1000(void)
{
    handle_t u = make(OBJ_UNTYPED, 0x100000);
    handle_t h = handles_new(OBJECTS);
    profile_begin();
    uint64_t begun = clock();
    make_many(u, h);
    uint64_t ended = clock();
    profile_end();
    print_stretch("retype_1000", ended - begun, 1);
}

static void revoke_1000(void)
{
    handle_t u = make(OBJ_UNTYPED, 0x100000);
    make_many(u, handles_new(OBJECTS));
    profile_begin();
    uint64_t begun = clock();
    ignore(sys_revoke(BOOT_CSPACE, u));
    uint64_t ended = clock();
    profile_end();
    print_stretch("revoke_1000", ended - begun, 1);
}

static const struct test_case cases[] = {
    {"signal_idle", signal_idle},
    {"call_reply_own_time", call_reply_own_time},
    {"call_reply", call_reply},
    {"notify_same_core", notify_same_core},
    {"notify_cross_core", notify_cross_core},
    {"irq_to_driver", irq_to_driver},
    {"map_4k", map_4k},
    {"unmap_4k", unmap_4k},
    {"map_2m", map_2m},
    {"unmap_2m", unmap_2m},
    {"retype_1000", retype_1000},
    {"revoke_1000", revoke_1000},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

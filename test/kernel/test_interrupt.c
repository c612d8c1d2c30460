// Device interrupts in a running kernel, by the UART that every machine has: allowing its transmit interrupt raises it,
// since there is room to transmit; it is a level, so it stays until it is forbidden again.
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>
#include <spec/pl011.h>

#define RW         (MAP_READ | MAP_WRITE)
#define BIT_OF_IRQ 0x4000u

static uint64_t last_core(void)
{
    return boot_info()->cores - 1;
}

static volatile uint32_t *uart_new(handle_t *frames)
{
    uint64_t at = address_new(PAGE_SIZE);
    *frames = handle_new();
    MUST(sys_device_frames(BOOT_DEVICE_MEMORY, memory(), boot_info()->console_base, 1, BOOT_CSPACE,
                           *frames));
    MUST(sys_map(copy_all(*frames), BOOT_SPACE, at, RW));
    return (volatile uint32_t *)at;
}

static void allow(volatile uint32_t *uart, bool allowed)
{
    uart[PL011_IMSC / 4] = allowed ? PL011_INT_TX : 0;
}

static err_t create(uint64_t intid, uint64_t trigger, handle_t to)
{
    return sys_irq_create(BOOT_IRQ_CONTROL, memory(), intid, trigger, BOOT_CSPACE, to);
}

static handle_t irq_new(void)
{
    handle_t h = handle_new();
    MUST(create(boot_info()->console_irq, IRQ_LEVEL, h));
    return h;
}

static bool arrives(void)
{
    return await_bits(BIT_OF_IRQ, SURELY_MS);
}

static bool silent(void)
{
    return !await_bits(BIT_OF_IRQ, HARDLY_MS);
}

// ---- Creating -----------------------------------------------------------------------------------------------

static void test_wrong_interrupts_are_refused(void)
{
    static const uint64_t wrong[] = {
        0,    1,    15,   16,   26,         27,         30,
        31,   1020, 1023, 8192, 0xffffffff, 1ull << 32, (1ull << 32) + 40,
        ~0ull};
    handle_t h = handle_new();
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        report_err(create(wrong[i], IRQ_LEVEL, h), ERR_INVALID, "interrupt %lu is not to be had",
                   wrong[i]);
    }
    report_err(create(boot_info()->irq_count, IRQ_LEVEL, h), ERR_INVALID,
               "nor is the first that does not exist");
    report_err(create(boot_info()->console_irq, IRQ_EDGE + 1, h), ERR_INVALID,
               "nor a third kind of trigger");
    report_err(sys_irq_create(BOOT_CONSOLE, memory(), 40, 0, BOOT_CSPACE, h), ERR_TYPE,
               "who controls the console does not control interrupts");
    report(is_empty(h), "nothing came of that");
    report_err(create(boot_info()->console_irq, IRQ_LEVEL, h), OK, "the UART's is");
    handle_t other = handle_new();
    report_err(create(boot_info()->console_irq, IRQ_LEVEL, other), ERR_OCCUPIED, "once");
    MUST(sys_delete(BOOT_CSPACE, h));
    report_err(create(boot_info()->console_irq, IRQ_LEVEL, other), OK,
               "and again, when it is gone");
    report_err(create(boot_info()->irq_count - 1, IRQ_EDGE, h), OK, "the last one exists");
}

static void test_wrong_bindings_are_refused(void)
{
    handle_t irq = irq_new();
    handle_t n = make(OBJ_NOTIFICATION, 0);
    report_err(sys_irq_ack(n), ERR_TYPE, "a notification is not acknowledged");
    report_err(sys_irq_ack(copy_of(irq, RIGHT_READ, 0)), ERR_RIGHTS,
               "acknowledging needs the right to write");
    report_err(sys_irq_bind(irq, irq), ERR_TYPE, "an interrupt signals notifications only");
    report_err(sys_irq_bind(irq, copy_of(n, RIGHT_READ, 0)), ERR_RIGHTS,
               "and needs the right to signal");
    report_err(sys_irq_bind(n, n), ERR_TYPE, "a notification is no interrupt");
    report_err(sys_irq_bind(irq, n), OK, "it is bound");
    report_err(sys_irq_bind(irq, n), ERR_OCCUPIED, "once");
    MUST(sys_revoke(BOOT_CSPACE, n));
    report_err(sys_irq_bind(irq, n), OK, "and again, when the notification was taken away");
}

// ---- Arriving -----------------------------------------------------------------------------------------------

static void test_arrives_and_is_quiet_until_acknowledged(void)
{
    handle_t frames;
    volatile uint32_t *uart = uart_new(&frames);
    handle_t irq = irq_new();
    allow(uart, true);
    MUST(sys_irq_bind(irq, copy_of(BOOT_NOTIFICATION, RIGHT_WRITE, BIT_OF_IRQ)));
    report(silent(), "an interrupt is quiet before its first acknowledgement");
    MUST(sys_irq_ack(irq));
    report(arrives(), "acknowledged, it arrives");
    report(silent(), "it does not arrive again");
    allow(uart, false);
    allow(uart, true);
    report(silent(), "not even raised anew, until it is acknowledged");
    MUST(sys_irq_ack(irq));
    report(arrives(), "then it does");
    allow(uart, false);
    MUST(sys_irq_ack(irq));
    report(silent(), "no longer raised and acknowledged, it is silent");
    MUST(sys_irq_ack(irq));
    report(silent(), "a second acknowledgement changes nothing");
    allow(uart, true);
    report(arrives(), "raised, it arrives at once");
    allow(uart, false);
    unsigned count = 0;
    for (unsigned i = 0; i < 500; i++) {
        MUST(sys_irq_ack(irq));
        allow(uart, true);
        count += arrives();
        allow(uart, false);
    }
    report(count == 500, "500 times");
}

static void test_end_silences(void)
{
    handle_t frames;
    volatile uint32_t *uart = uart_new(&frames);
    for (unsigned i = 0; i < 3; i++) {
        handle_t irq = irq_new();
        handle_t n = copy_of(BOOT_NOTIFICATION, RIGHT_WRITE, BIT_OF_IRQ);
        MUST(sys_irq_bind(irq, n));
        allow(uart, true);
        MUST(sys_irq_ack(irq));
        report(arrives(), "an interrupt arrives");
        if (i == 0) {
            MUST(sys_revoke(BOOT_CSPACE, n));
            MUST(sys_irq_ack(irq));
            report(silent(), "its notification taken away, it is silent");
            allow(uart, false);
            MUST(sys_irq_bind(irq, n));
            allow(uart, true);
            MUST(sys_irq_ack(irq));
            report(arrives(), "bound again, it arrives");
        }
        // With i == 1 it ends unacknowledged and raised, with i == 2 acknowledged and raised.
        if (i == 2) {
            allow(uart, false);
            MUST(sys_irq_ack(irq));
            MUST(sys_delete(BOOT_CSPACE, irq));
            allow(uart, true);
        } else {
            MUST(sys_delete(BOOT_CSPACE, irq));
        }
        report(silent(), "deleted, it is silent");
        allow(uart, false);
    }
}

// ---- A driver -----------------------------------------------------------------------------------------------

struct driver {
    volatile uint32_t *uart;
    volatile uint64_t count;
};

static void drive(void *argument)
{
    struct driver *d = argument;
    for (;;) {
        if ((child_await_bits() & BIT_OF_IRQ) != 0) {
            allow(d->uart, false);
            ignore(sys_irq_ack(CHILD_OWN));
            d->count++;
        }
    }
}

static void test_driver_on_every_core(void)
{
    handle_t uart_frames;
    handle_t frames;
    volatile uint32_t *uart = uart_new(&uart_frames);
    struct driver *d = map_new(PAGE_SIZE, &frames);
    d->uart = uart;
    for (uint64_t core = 0; core < boot_info()->cores; core++) {
        struct child c = child_new(drive, d, &(struct child_options){.core = core});
        child_map(&c, frames, d, RW);
        child_map(&c, uart_frames, (const void *)uart, RW);
        handle_t irq = irq_new();
        MUST(sys_irq_bind(irq, copy_of(c.notification, RIGHT_WRITE, BIT_OF_IRQ)));
        child_give(&c, irq, CHILD_OWN, RIGHT_ALL, 0);
        child_start(&c);
        MUST(child_reaches(&c, THREAD_RECEIVING) ? OK : ERR_TIMEOUT);
        MUST(sys_irq_ack(irq));
        uint64_t before = d->count;
        bool all = true;
        for (uint64_t i = 1; all && i <= 200; i++) {
            allow(uart, true);
            all = word_reaches(&d->count, before + i);
        }
        report(all, "a driver on core %lu serves 200 interrupts", core);
        MUST(sys_revoke(BOOT_CSPACE, irq));
        MUST(sys_delete(BOOT_CSPACE, irq));
        child_stop(&c);
    }
}

// The driver is moved and stopped while interrupts arrive.
static void test_driver_moves(void)
{
    handle_t uart_frames;
    handle_t frames;
    volatile uint32_t *uart = uart_new(&uart_frames);
    struct driver *d = map_new(PAGE_SIZE, &frames);
    struct child c = child_new(drive, d, &(struct child_options){.core = last_core()});
    d->uart = uart;
    child_map(&c, frames, d, RW);
    child_map(&c, uart_frames, (const void *)uart, RW);
    handle_t irq = irq_new();
    MUST(sys_irq_bind(irq, copy_of(c.notification, RIGHT_WRITE, BIT_OF_IRQ)));
    child_give(&c, irq, CHILD_OWN, RIGHT_ALL, 0);
    child_start(&c);
    MUST(sys_irq_ack(irq));
    bool all = true;
    for (uint64_t i = 1; all && i <= 300; i++) {
        allow(uart, true);
        child_set_time(&c, CHILD_PRIORITY, i % boot_info()->cores);
        if (i % 5 == 0) {
            child_stop(&c);
            child_start(&c);
        }
        all = word_reaches(&d->count, i);
    }
    report(all, "300 interrupts reach a driver that is moved and stopped meanwhile");
}

static const struct test_case cases[] = {
    {"wrong interrupts are refused", test_wrong_interrupts_are_refused},
    {"wrong bindings are refused", test_wrong_bindings_are_refused},
    {"arrives, and is quiet until acknowledged", test_arrives_and_is_quiet_until_acknowledged},
    {"the end silences", test_end_silences},
    {"a driver on every core", test_driver_on_every_core},
    {"a driver moves", test_driver_moves},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

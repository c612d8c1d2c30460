// Verdicts, and text through the PL011: see report.h.
#include "report.h"

#include <stdarg.h>
#include <stdatomic.h>

#include <base/format.h>
#include <base/str.h>
#include <spec/pl011.h>
#include <spec/psci.h>

#include "arch.h"
#include "cpu.h"
#include "machine.h"

#define LINE_LIMIT 256u

static unsigned failures;
static _Atomic unsigned line_taken; // a line at a time

static void put(char c)
{
    while (read32(machine.uart + PL011_FR) & PL011_FR_TXFF) {
        yield();
    }
    write32(machine.uart + PL011_DR, (uint8_t)c);
}

static void print_line(const char *verdict, const char *text, va_list arguments)
{
    char line[LINE_LIMIT];
    size_t begun = format(line, sizeof(line), "%s", verdict);
    format_v(line + begun, sizeof(line) - begun, text, arguments);
    while (atomic_exchange_explicit(&line_taken, 1, memory_order_acquire) != 0) {
        yield();
    }
    for (const char *c = line; *c != '\0'; c++) {
        put(*c);
    }
    put('\n');
    atomic_store_explicit(&line_taken, 0, memory_order_release);
}

void say(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    print_line("", text, arguments);
    va_end(arguments);
}

bool report(bool holds, const char *claim, ...)
{
    va_list arguments;
    va_start(arguments, claim);
    print_line(holds ? "PASS: " : "FAIL: ", claim, arguments);
    va_end(arguments);
    failures += !holds;
    return holds;
}

bool report_value(uint64_t got, uint64_t wanted, const char *claim, ...)
{
    va_list arguments;
    va_start(arguments, claim);
    print_line(got == wanted ? "PASS: " : "FAIL: ", claim, arguments);
    va_end(arguments);
    if (got != wanted) {
        say("      0x%lx instead of 0x%lx", (unsigned long)got, (unsigned long)wanted);
        failures++;
    }
    return got == wanted;
}

_Noreturn void power_off(void)
{
    for (;;) {
        psci(PSCI_SYSTEM_OFF, 0, 0, 0);
    }
}

_Noreturn void summary(void)
{
    say("%s: %u failed", failures == 0 ? "GOOD" : "BAD", failures);
    power_off();
}

_Noreturn void guest_start(const void *tree, uint64_t entered)
{
    machine_read(tree, entered);
    guest_main();
    summary();
}

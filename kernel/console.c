// The kernel's own console: see console.h.
#include "console.h"

#include <stdarg.h>

#include <base/format.h>

#include "lock.h"
#include "relaxed.h"

#define LINE_MAX 256u

static struct spinlock
    lock; // keeps texts of different cores apart; taken last, held while the UART takes a text
static _Atomic bool enabled = true;

static void write_text(const char *text, unsigned length)
{
    spin_lock(&lock);
    arch_console_write(text, length);
    spin_unlock(&lock);
}

static void write_formatted(const char *format, va_list args)
{
    char line[LINE_MAX];
    size_t length = format_v(line, sizeof(line), format, args);
    write_text(line, (unsigned)(length < sizeof(line) ? length : sizeof(line) - 1));
}

void console_write(const char *text, unsigned length)
{
    if (load_relaxed(&enabled)) {
        write_text(text, length);
    }
}

void console_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (load_relaxed(&enabled)) {
        write_formatted(format, args);
    }
    va_end(args);
}

void console_force(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_formatted(format, args);
    va_end(args);
}

void console_set(bool on)
{
    store_relaxed(&enabled, on);
}

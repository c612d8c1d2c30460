// See panic.h.
#include "panic.h"

#include <stdarg.h>

#include <base/format.h>

#include "arch.h"

#define LINE_MAX   256u
#define PANIC_CODE 70

static void print_v(const char *format, va_list args)
{
    char line[LINE_MAX];
    size_t length = format_v(line, sizeof(line), format, args);
    arch_console_write(line, (unsigned)(length < sizeof(line) ? length : sizeof(line) - 1));
}

void panic_print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_v(format, args);
    va_end(args);
}

_Noreturn void panic(const char *format, ...)
{
    arch_panic_begin();
    panic_print("\nbulkhead: panic: ");
    va_list args;
    va_start(args, format);
    print_v(format, args);
    va_end(args);
    panic_print("\n");
    arch_panic_details();
    panic_print("bulkhead: off, code %d\n", PANIC_CODE);
    arch_off(false);
}

// bulkhead_log: see bulkhead.h. One system call for each 48 characters, so lines of several
// processes may mix.
#include "bulkhead.h"

#include <stdarg.h>
#include <stddef.h>

#include <base/format.h>
#include <microkit.h>

#include "console.h"

#define LOG_MAX 200u

void bulkhead_log(const char *fmt, ...)
{
    char line[LOG_MAX + 2];
    va_list args;

    size_t used = format(line, sizeof(line) - 1, "%s: ", microkit_name);
    va_start(args, fmt);
    used += format_v(line + used, sizeof(line) - 1 - used, fmt, args);
    va_end(args);

    if (used > LOG_MAX) {
        used = LOG_MAX;
    }
    line[used++] = '\n';
    bulkhead_console_write(line, used);
}

// See log.h.
#include "log.h"

#include <stdarg.h>

#include <base/format.h>

#include "vm.h"

void vm_log(const struct vm *vm, const char *text, ...)
{
    char line[VM_LOG_LINE];
    size_t used = format(line, sizeof(line), "%s: ", vm->config->name);
    if (used >= sizeof(line)) {
        used = sizeof(line) - 1;
    }
    va_list args;
    va_start(args, text);
    format_v(line + used, sizeof(line) - used, text, args);
    va_end(args);
    port_log(vm->port, line);
}

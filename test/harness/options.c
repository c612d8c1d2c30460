// Boot arguments: see options.h.
#include "options.h"

#include <libfdt.h>

#include "world.h"

// The text behind `name=`, up to a space or the end. NULL: none.
static const char *find(const char *name)
{
    const void *fdt = (const char *)BOOT_FDT_ADDRESS + boot_info()->fdt_offset;
    size_t length = strlen(name);
    const char *at = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", NULL);
    while (at != NULL) {
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            return at + length + 1;
        }
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return NULL;
}

uint64_t option_number(const char *name, uint64_t otherwise)
{
    const char *at = find(name);
    if (at == NULL) {
        return otherwise;
    }
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (uint64_t)(*at - '0');
    }
    return number;
}

bool option_allows(const char *name, const char *value)
{
    const char *at = find(name);
    size_t length = strlen(value);
    return at == NULL ||
           (strncmp(at, value, length) == 0 && (at[length] == ' ' || at[length] == '\0'));
}

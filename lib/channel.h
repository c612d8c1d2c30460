// Is this a channel or an id that the process has? Private to lib.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/process.h>
#include <base/bits.h>
#include <microkit.h>

// Prints "<process> <function>: invalid channel given '<ch>'".
__attribute__((cold, noinline)) void bulkhead_channel_complain(microkit_channel ch,
                                                               const char *function);

static inline bool channel_check(microkit_channel ch, uint64_t mask, const char *function)
{
    if (ch < CHANNEL_MAX && (mask & BIT(ch)) != 0) {
        return true;
    }
    bulkhead_channel_complain(ch, function);
    return false;
}

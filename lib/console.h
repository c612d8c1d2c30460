// The debug console: text to the kernel's console, as far as this process may write there. Private
// to lib.
#pragma once

#include <stddef.h>

void bulkhead_console_write(const char *text, size_t length);

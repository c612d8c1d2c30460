// The kernel's own console: text for whoever develops or debugs a system. Off once a driver has the UART; then the
// kernel speaks only in a panic and when the system ends.
#pragma once

#include <stdbool.h>

// Whole texts, one core at a time. `forced` ones are written although the console is off.
void console_write(const char *text, unsigned length);
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_force(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_set(bool on);

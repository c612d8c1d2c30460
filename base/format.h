// printf's little sister for code without a C library: %s %c %d %u %x %p, with l/ll/z, width and zero padding, %%.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// As vsnprintf: writes at most size - 1 characters and a zero, returns the length the whole text would have.
size_t format_v(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
size_t format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Programs for Linux guests without a C library: system calls, and where they begin. Each file is a static program.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    SYS_READ = 63,
    SYS_WRITE = 64,
    SYS_TIMERFD_CREATE = 85,
    SYS_TIMERFD_SETTIME = 86,
    SYS_EXIT = 93,
    SYS_CLOCK_GETTIME = 113,
};

// The fourth argument is 0.

static inline long linux_call(long number, long a, const void *b, long c)
{
    register long x0 __asm__("x0") = a;
    register const void *x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = 0;
    register long x8 __asm__("x8") = number;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x8) : "memory");
    return x0;
}

_Noreturn void _start(void);

static inline _Noreturn void linux_exit(long code)
{
    for (;;) {
        linux_call(SYS_EXIT, code, NULL, 0);
    }
}

static inline void print_text(const char *text, size_t length)
{
    linux_call(SYS_WRITE, 1, text, (long)length);
}

// A decimal number and what follows it.
static inline void print_number(uint64_t value, char behind)
{
    char text[24];
    size_t at = sizeof(text);
    text[--at] = behind;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    print_text(text + at, sizeof(text) - at);
}

// The end: a bug of the kernel's own, or a machine that it cannot run on. Prints why, registers and a backtrace,
// stops every core. Nothing that a process does may get here.
#pragma once

_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Text on the way out, and before the console can be used: straight to the UART, without its lock.
void panic_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Checks for our own bugs: never with effects, never on values from outside the kernel.
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);                  \
        }                                                                                          \
    } while (0)

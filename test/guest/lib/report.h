// What a payload says on its console: one line a claim, `PASS: ...` or `FAIL: ...`; at the end `GOOD: 0 failed` or
// `BAD: N failed`, and the machine is switched off.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A line without a verdict. From any core: lines don't mix.
void say(const char *text, ...) __attribute__((format(printf, 1, 2)));

// A claim. Returns whether it holds.
bool report(bool holds, const char *claim, ...) __attribute__((format(printf, 2, 3)));

// A claim that a value is the expected one; says what it was otherwise.
bool report_value(uint64_t got, uint64_t wanted, const char *claim, ...)
    __attribute__((format(printf, 3, 4)));

_Noreturn void summary(void);
_Noreturn void power_off(void);

// The payload's own: called on the boot core when the machine is known. It need not return.
void guest_main(void);

// Called by start.S.
_Noreturn void guest_start(const void *tree, uint64_t entered);

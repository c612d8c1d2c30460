// What a test says: one line a claim, `PASS: ...` or `FAIL: ...`, on the kernel's console. The image ends the machine
// with code 0 if nothing failed, 1 otherwise. First process only.
#pragma once

#include <stdbool.h>

#include <abi/err.h>

// Prints without a verdict.
void say(const char *text, ...) __attribute__((format(printf, 1, 2)));

// A claim. Returns whether it holds.
bool report(bool holds, const char *claim, ...) __attribute__((format(printf, 2, 3)));

// A claim that a call gives this error (OK: none).
bool report_err(err_t got, err_t wanted, const char *claim, ...)
    __attribute__((format(printf, 3, 4)));

// What a test is built with. If it fails, there is nothing to go on with: the image ends.
#define MUST(call) must((call), #call, __FILE__, __LINE__)
void must(err_t err, const char *call, const char *file, int line);

_Noreturn void summary(void);

// The test image's own: where it begins (init/start.S calls it).
_Noreturn void init_main(void);

// ---- Cases: each is run with memory of its own (world.h), all of which must come back ----------------------------

struct test_case {
    const char *name;
    void (*run)(void);
};

// All of them, or the one that the boot arguments name: only=NAME.
void run_cases(const struct test_case *cases, unsigned count);

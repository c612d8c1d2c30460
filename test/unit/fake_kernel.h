// A scripted kernel for unit tests of lib/. Each system call writes a line into the transcript;
// what receive finds is queued beforehand. Tests that use it have -Itest/unit/fake in front of
// -Ilib/include.
#pragma once

#include <setjmp.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/syscall.h>

// What one receive returns.
struct fake_arrival {
    err_t err;
    uint64_t badge;
    uint64_t info;
    uint64_t words[4];
};

struct fake {
    char transcript[4096];
    char console[4096];
    struct fake_arrival arrivals[64];
    unsigned arrival_count;
    unsigned arrival_next;
    err_t err;                     // what every other call returns
    uint64_t now;                  // ticks
    uint64_t registers[REG_COUNT]; // of every thread
    uint64_t page[512];            // the message page
    jmp_buf crash;                 // where microkit_internal_crash goes
    int crash_error;
};

extern struct fake fake;

// Everything zero and empty, the message page in place.
void fake_reset(void);
void fake_arrive(struct fake_arrival a);

// A line of the transcript.
void fake_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

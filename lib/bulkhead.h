// The native interface of a process, beside microkit.h: what init told it, time, log, and the end
// of the system. Implements the process side of abi/process.h. Everything here may be called from
// any entry of a process.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/process.h>
#include <abi/syscall.h>

// The config page: valid for as long as the process lives.
static inline const struct process_config *process_config(void)
{
    return (const struct process_config *)(uintptr_t)PROCESS_CONFIG;
}

// The device that the description maps as memory region `region`; NULL if there is none.
const struct process_device *process_device(const char *region);

// Ticks since boot; there are process_config()->ticks_per_second of them in a second.
uint64_t process_clock(void);

// The event loop calls deadline() once when the clock reaches `ticks`, and never before. A new
// deadline replaces the old one; DEADLINE_NEVER takes it back. Not for passive processes, which
// have no time of their own to wait in.
void bulkhead_set_deadline(uint64_t ticks);

// Supplied by a program that sets deadlines. Entered like notified(): between other entries, never
// during one.
void deadline(void);

// Supplied by the program of a VMM (abi/vm.h): where its vcpu threads start, on stacks of their own and
// with their numbers, from 1 on. They start with the process, so init() may not have run: they wait for
// a signal of thread 0 (VM_THREAD + number), and don't return. A thread has no message page (messages of
// four words), and of this library's functions only those without state: system calls, config,
// process_clock.
_Noreturn void bulkhead_thread(unsigned number);

// Ends the whole system with an exit code of 0 to 255. Returns only if the process has no right to
// do that.
err_t bulkhead_power_off(int code);

// A line on the debug console, with the process's name in front and a line feed behind; cut after
// 200 characters.
void bulkhead_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// For our own bugs only, never for what a partner, a device or a guest did: prints where and
// crashes.
#define bulkhead_assert(condition)                                                                 \
    ((condition) ? (void)0 : bulkhead_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void bulkhead_assert_failed(const char *condition, const char *file, int line);

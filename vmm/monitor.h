// What every VMM program on our kernel has around the library: config, console, clock, threads. The default program
// (main.c) is this and nothing else; one of an integrator's own adds what it likes between monitor_create and
// monitor_start, and to its entries.
//
//   static struct monitor monitor;
//   void init(void)                      { if (monitor_create(&monitor)) monitor_start(&monitor); }
//   void notified(microkit_channel ch)   { monitor_serve(&monitor); }
//   void deadline(void)                  { monitor_serve(&monitor); }
//   void bulkhead_thread(unsigned n)     { monitor_thread(&monitor, n); }
//
// Thread 0 makes the machine and then moves characters; each vcpu's thread waits until the machine is made. What loading
// costs is the first vcpu's time, as everything that its guest causes.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lib/serial.h>

#include "port/bulkhead.h"
#include "vm.h"

#define MONITOR_INPUT 64u // bytes of input moved at a time

// Zeroed memory to begin with. Thread 0's, except for `vm`, which says itself whose it is.
struct monitor {
    struct vm vm;
    struct port port;
    _Atomic bool begun;   // the machine's devices have been reset for the first time
    struct serial serial; // vm.lock
    // Input that the guest's UART has not taken yet.
    uint8_t input[MONITOR_INPUT];
    size_t first;
    size_t count;
};

// In init(): the machine that this process's config describes (abi/vm.h), switched off. Its console, and what the VMM says,
// is on the serial link whose region the description gives to `serial_region`; without a console the link's channel is
// what it gives to `serial_channel`. False: it cannot be made; that has been said, and counts as the VM's crash.
bool monitor_create(struct monitor *m) WARN_UNUSED;

// In init(), afterwards: the machine begins.
void monitor_start(struct monitor *m);

// In init(), instead: it cannot begin, and why.
void monitor_fail(struct monitor *m, const char *why);

// In notified(), for any channel, and in deadline(): characters in both directions, and the clock's alarm. The process's
// deadline is the clock's: set no other.
void monitor_serve(struct monitor *m);

// In bulkhead_thread().
_Noreturn void monitor_thread(struct monitor *m, unsigned number);

// The port on our kernel: abi/vm.h says what init has arranged.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/vm.h>

#include "../port.h"

// Zeroed memory is one that works.
struct port {
    // Writes a line for port_log; false: it has no room at the moment. NULL: lines go to the kernel's console.
    bool (*say)(void *context, const char *line);
    void *context;
};

// Has the first thread look at everything that it serves: VM_WAKE_MAIN. From any thread. It also happens by itself when
// that thread has found bits of its channels while it waited for a lock.
void port_wake_main(void);

// A vcpu's thread waits for the first one to have made the machine.
void port_await_start(void);

// Lets it go on.
void port_start_thread(unsigned vcpu);

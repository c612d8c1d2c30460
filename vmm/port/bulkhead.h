// The port on our kernel: abi/vm.h says what init has arranged.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/vm.h>

#include "../port.h"

// It keeps nothing: the kernel does.
struct port {
    char nothing;
};

// Has the first thread look at everything that it serves: VM_WAKE_MAIN. From any thread. It also happens by itself when
// that thread has found bits of its channels while it waited for a lock.
void port_wake_main(void);

// A vcpu's thread waits for the first one to have made the machine.
void port_await_start(void);

// Lets it go on.
void port_start_thread(unsigned vcpu);

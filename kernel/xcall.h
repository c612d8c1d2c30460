// Cross calls: the holder of the build lock has a function run on another core, in its kernel, interrupts off, and
// waits for its end, taking in threads that were woken for its own core. This is how a core's own state (queues,
// current thread, FP registers) is changed from outside, and how the kernel learns that a core holds no pointer any
// more: a core takes the call from user mode or from sleep only, so by then it has left whatever it was doing in the
// kernel before.
#pragma once

void xcall_run(unsigned core, void (*run)(void *arg), void *arg);

// Until every other core has left the kernel once. Afterwards nobody can reach what was unlinked before.
void xcall_quiesce(void);

// On the target, when it is kicked.
void xcall_poll(void);

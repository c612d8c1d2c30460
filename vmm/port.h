// What the VMM library needs from the world beneath it. Nothing else in vmm/ knows a kernel.
//
// Implementations: port/bulkhead.c, on our kernel; port/sim.c, for tests and fuzzers on the development machine, which
// can also play a host with one thread for all vcpus and list registers that cannot be read.
//
// A vcpu's registers and its inbox of virtual interrupts are memory that the port shares: `struct vcpu_page`
// (abi/vcpu.h). The library changes the inbox as described there and then calls port_kick.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/vcpu.h>
#include <abi/vm.h>

struct port; // the implementation's own

// What this port can do.
struct port_abilities {
    bool can_read_lr;        // port_sync tells what is pending and active in list registers
    bool linked_irq;         // physical interrupts go to the guest without the VMM
    uint32_t threads_per_vm; // vcpu threads that run at the same time: 1, or one per vcpu
};
const struct port_abilities *port_abilities(const struct port *p);

// ---- Virtual cores ----------------------------------------------------------------------------------------------

struct vcpu_page *port_page(struct port *p, unsigned vcpu);

// Runs the guest until there is something to handle; from the vcpu's own thread. `deadline`: ticks of port_now,
// UINT64_MAX for none. `kick`: PORT_NOBODY, or the number plus one of another vcpu, for which port_kick comes first. Returns enum vcpu_exit or
// an error (abi/vcpu.h).
#define PORT_NOBODY 0u
int64_t port_run(struct port *p, unsigned vcpu, uint64_t deadline, uint32_t kick);

// Its inbox has changed: it is looked at before the vcpu's next instruction, wherever it runs. From any thread.
void port_kick(struct port *p, unsigned vcpu);

// Afterwards the inbox's words `pending` and `active` hold all there is. What a running guest does meanwhile may make
// that old at once; to change what is active or pending elsewhere, stop the vcpu first. From any thread.
void port_sync(struct port *p, unsigned vcpu);

// Registers that are not in the page. Of a vcpu that does not run. A reset leaves the inbox as it is.
void port_reset(struct port *p, unsigned vcpu);
uint64_t port_register_read(struct port *p, unsigned vcpu, unsigned reg); // enum vcpu_register
void port_register_write(struct port *p, unsigned vcpu, unsigned reg, uint64_t value);

// The guest's own translation, as the vcpu stands. False: it has none.
bool port_translate(struct port *p, unsigned vcpu, uint64_t va, bool el0, uint64_t *ipa);

// ---- Threads ----------------------------------------------------------------------------------------------------

// Ends the present or next port_run (VCPU_NOTIFIED) or port_wait of a vcpu's thread. From any thread.
void port_wake(struct port *p, unsigned vcpu);

// The vcpu's thread sleeps until it is woken or the deadline passes.
void port_wait(struct port *p, unsigned vcpu, uint64_t deadline);

// A lock whose waiters sleep. Zeroed memory is a free lock. Never held across port_run, port_wait, port_life.
struct port_lock {
    _Atomic uint32_t state;   // 0 free, 1 held, 2 held and somebody waits
    _Atomic uint32_t waiters; // threads that sleep on it, a bit each
};
void port_lock(struct port *p, struct port_lock *lock);
void port_unlock(struct port *p, struct port_lock *lock);

// ---- The rest ---------------------------------------------------------------------------------------------------

uint64_t port_now(struct port *p); // ticks of CNTPCT_EL0
uint64_t port_ticks_per_second(struct port *p);

// Memory that the guest may read past its caches: cleans and invalidates to the point of coherency.
void port_publish(struct port *p, const void *start, size_t size);
// Zeroes it, published.
void port_zero(struct port *p, void *start, size_t size);

// Asks whoever owns the VM what is to follow. Returns enum vm_action.
enum vm_action port_life(struct port *p, enum vm_event event);

// Text for whoever looks after the system: a line, zero-terminated, no newline.
void port_log(struct port *p, const char *line);

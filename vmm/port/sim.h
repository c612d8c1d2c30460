// A port that is nothing but memory (port.h), for tests and fuzzers on the development machine. The test plays the guest
// and whoever owns the VM: it gives functions for what a guest does, and reads afterwards what the library did.
//
// One thread runs everything: port_wait returns at once, and a lock that is taken twice, left held across a call that
// may sleep, or freed without being held ends the program (SIGILL).
#pragma once

#include "../port.h"

#define SIM_REGISTERS  (VCPU_REG_ID + 64u)
#define SIM_LOG_SIZE   16384u
#define SIM_EVENTS_MAX 16u

struct port {
    // ---- Set by the test -------------------------------------------------------------------------------------------
    struct port_abilities abilities;

    // The guest until its next exit, as port_run says. NULL: the guest has nothing to do but wait, so that port_run
    // returns VCPU_DEADLINE (now is the deadline then) or, without a deadline, VCPU_NOTIFIED.
    int64_t (*guest)(struct port *p, unsigned vcpu);
    // The list registers' part of port_sync: folds into the inbox what the test keeps elsewhere. NULL: nothing is there.
    void (*fold)(struct port *p, unsigned vcpu);
    // The guest's translation. NULL: addresses are what they are.
    bool (*translate)(struct port *p, uint64_t va, bool el0, uint64_t *ipa);
    // The owner's answer. NULL: VM_ACTION_STOP.
    enum vm_action (*life)(struct port *p, enum vm_event event);
    // Called in each port_wait, with nothing held. NULL: nothing.
    void (*wait)(struct port *p, unsigned vcpu);
    void *test; // the test's own

    uint64_t now; // ticks
    uint64_t ticks_per_second;
    uint64_t registers[VCPU_MAX][SIM_REGISTERS];

    // ---- Seen by the test ------------------------------------------------------------------------------------------
    struct vcpu_page pages[VCPU_MAX];
    bool woken[VCPU_MAX];        // not yet noticed
    uint64_t deadline[VCPU_MAX]; // of the last port_run
    unsigned runs[VCPU_MAX];
    unsigned waits[VCPU_MAX];
    unsigned kicks[VCPU_MAX];
    unsigned syncs[VCPU_MAX];
    unsigned resets[VCPU_MAX];
    unsigned locks_held;
    enum vm_event events[SIM_EVENTS_MAX]; // that port_life was asked about
    unsigned event_count;
    const void *published; // the last port_publish
    size_t published_size;
    char log[SIM_LOG_SIZE]; // lines, each ended by a newline; what is too much is cut
    size_t log_length;
};

// A host like our kernel: one thread per vcpu, list registers that can be read, a clock of 62.5 MHz.
void sim_init(struct port *p);

// The log is empty again.
void sim_forget_log(struct port *p);

// What a trapped access leaves in the page: an exit for `guest` to return.
int64_t sim_trap(struct port *p, unsigned vcpu, uint64_t syndrome, uint64_t address, uint64_t ipa);

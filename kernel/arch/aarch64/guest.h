// Guests on this core: entering, leaving, and what lies between. guest.c, guest_entry.S, state.c
//
// A vcpu's registers are in three places. General registers, pc and the like: in its page as soon as it has exited.
// What acts on EL0 (the first registers of enum vcpu_register): in the hardware while `in_guest`, else in arch_vcpu, since
// a process must not run with it. All else: in the hardware of the core that it is resident on, as long as no other
// vcpu wants it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct percpu;
struct thread;
struct vcpu;
struct vcpu_page;

// Where the way out of the kernel leads: with a page, to the guest; else to the thread, or NULL: to sleep.
struct guest_way {
    struct vcpu_page *page;
    struct thread *thread;
};

// Where the way out of an exit leads: with a page, to the VMM's code behind its VCPU_RUN, result VCPU_TRAP; else as above.
struct guest_exit {
    struct vcpu_page *page;
    struct thread *thread;
};

void guest_init_core(void);

// From guest_entry.S.
struct guest_way guest_run(struct thread *self);    // VCPU_RUN
struct guest_way guest_resume(struct thread *self); // a thread in guest mode goes on
struct guest_exit guest_trap(struct vcpu_page *page, uint64_t esr);
struct guest_way guest_interrupt(struct vcpu_page *page);
struct guest_way guest_serror(struct vcpu_page *page, uint64_t esr);

// From gic.c.
void guest_timer(void);
void guest_maintenance(void);

// What acts on EL0 is a process's again.
void guest_retire(struct percpu *cpu);

// ---- state.c: the table of what is switched lazily ---------------------------------------------------------------

void state_save(struct vcpu *v);
void state_load(const struct vcpu *v);

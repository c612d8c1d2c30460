// Guests on this core: entering, leaving, and what lies between. guest.c, guest_entry.S, state.c
//
// A vcpu's registers are in three places. General registers, pc and the like: in its page as soon as it has exited.
// What acts on EL0 (the first registers of enum vcpu_register): in the hardware while `in_guest`, else in arch_vcpu, since
// a process must not run with it. All else: in the hardware of the core that it is resident on, as long as no other
// vcpu wants it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <base/bits.h>

#define TIMER_SOURCE 27u // what every guest knows the virtual timer as
#define SOURCE_TIMER BIT(TIMER_SOURCE)

struct percpu;
struct thread;
struct vcpu;
struct vcpu_page;

void guest_init_core(void);

// From guest_entry.S. They return the page of the guest that runs next, its registers complete in hardware but for the
// general ones; or NULL: the core goes on with its current thread, or sleeps if it has none.
struct vcpu_page *guest_run(struct thread *self, struct percpu *cpu, uint64_t deadline,
                            uint64_t kick);          // VCPU_RUN
struct vcpu_page *guest_resume(struct thread *self); // a thread in guest mode goes on
struct vcpu_page *guest_interrupt(struct vcpu_page *page);
struct vcpu_page *guest_serror(struct vcpu_page *page, uint64_t esr);

// The same for a trap, but for its usual end: the thread whose VMM goes on behind its VCPU_RUN, result VCPU_TRAP. Its
// registers are complete in hardware but for the general ones. NULL: as above, a guest that goes on is resumed.
struct thread *guest_trap(struct vcpu_page *page, uint64_t esr);

// From gic.c.
void guest_timer(void);
void guest_maintenance(void);

// What acts on EL0 is a process's again.
void guest_retire(struct percpu *cpu);

// ---- state.c: the table of what is switched lazily ---------------------------------------------------------------

void state_save(struct vcpu *v);
void state_load(const struct vcpu *v);

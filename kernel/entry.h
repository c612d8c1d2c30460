// What the arch calls when something enters the kernel. Those that end an entry return the thread to go on with, or
// NULL: nothing is ready, the core sleeps until an interrupt. Interrupts are off throughout.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/syscall.h>

struct thread;

// `number`: immediate of the svc instruction.
struct thread *entry_syscall(struct thread *self, unsigned number);

// A process did what it may not; the words are those of the fault message.
struct thread *entry_fault(struct thread *self, enum fault_label label, uint64_t pc,
                           uint64_t address, uint64_t syndrome, bool fetch);

// Interrupts: the arch acknowledges each and calls one of these, then entry_resume once. A core that is ready for its
// first thread calls only that.
void entry_timer(void);         // this core's deadline
void entry_kick(void);          // another core wants something
void entry_irq(uint32_t intid); // a device interrupt: quiet until arch_irq_unmask
struct thread *entry_resume(void);

// What an architecture supplies to the kernel. kernel/*.c reaches the machine through these and nothing else;
// arch/aarch64 is the real one, arch/fake lets the kernel's logic run on the development machine.
//
// Each arch folder has arch_types.h with: struct arch_regs (a thread's registers), struct arch_fp, struct
// arch_space, and the accessors declared "inline" below.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/syscall.h>
#include <base/addr.h>

#include "arch_types.h"

struct thread;
struct percpu;
struct vcpu;

// ---- Memory -------------------------------------------------------------------------------------------------
// All RAM that the kernel gives away is readable and writable at one place in its own address space.
// inline void *phys_to_virt(paddr_t pa);
// inline paddr_t virt_to_phys(const void *va);

// Page-table descriptors of spaces. The table walk is space.c's; writing, ordering and TLBs are the arch's.
void arch_pte_write(uint64_t *entry, uint64_t value);
// Descriptors written before are visible to walks of every core (DSB ISHST).
void arch_pte_sync(void);
// Removes what TLBs of all cores hold of this address (a leaf was unmapped) or of the whole space.
void arch_tlb_invalidate_page(uint16_t vmid, ipa_t ipa);
void arch_tlb_invalidate_space(uint16_t vmid);
// Cleans and invalidates to the point of coherency: before a first non-cacheable or device view of memory.
void arch_cache_publish(paddr_t pa, uint64_t size);
void arch_zero(void *va, uint64_t size); // both multiples of 64
// The same, and published: in one pass, which takes half the instructions.
void arch_zero_published(void *va, uint64_t size);
// Cleans new instructions to the point of unification, so that they may be mapped executable.
void arch_icache_publish(paddr_t pa, uint64_t size);

// ---- Threads ------------------------------------------------------------------------------------------------
// Called when the core's current thread changes: address space, thread registers, FP trap. NULL: idle. Returns `to`.
struct thread *arch_thread_switch(struct thread *from, struct thread *to);
void arch_regs_init(struct arch_regs *regs); // EL0, interrupts on, everything else zero
// Enum thread_register.
bool arch_reg_read(const struct arch_regs *regs, unsigned reg, uint64_t *value);
bool arch_reg_write(struct arch_regs *regs, unsigned reg, uint64_t value);
// On the core that may hold it: this FP state is in memory afterwards and the trap is armed.
void arch_fp_evict(struct arch_fp *fp);
// inline uint64_t *arch_words(struct arch_regs *regs); // x0..x7 of a call: arguments and results
// inline void arch_restart_syscall(struct arch_regs *regs); // pc back to the svc

// ---- Virtual cores ------------------------------------------------------------------------------------------
// A thread in guest mode goes on as the guest of its vcpu; leaving it, it returns from VCPU_RUN with a result.
// inline bool arch_guest_mode(const struct arch_regs *regs);
// inline void arch_leave_guest_mode(struct arch_regs *regs, int64_t result, uint64_t bits);
bool arch_has_guests(void);           // can this machine run them?
void arch_vcpu_reset(struct vcpu *v); // registers as after a reset, not the inbox; not resident
bool arch_vcpu_reg_read(const struct vcpu *v, unsigned reg,
                        uint64_t *value); // not resident; enum vcpu_register
bool arch_vcpu_reg_write(struct vcpu *v, unsigned reg, uint64_t value);
// On the core where it is resident:
void arch_vcpu_evict(struct vcpu *v); // all of its state goes to memory
void arch_vcpu_fold(struct vcpu *v);  // what is in list registers goes to its page
// On any core: makes it resident there, and asks the guest's own translation.
bool arch_vcpu_translate(struct vcpu *v, uint64_t va, bool el0, uint64_t *ipa);
void arch_space_forget(struct arch_space *s, const struct vcpu *v); // as whoever used it last

// ---- Cores --------------------------------------------------------------------------------------------------
// inline struct percpu *this_cpu(void);
// inline void arch_relax(void);              // in every spin loop: YIELD
// inline bool arch_interrupt_pending(void);  // a reason to preempt a long operation
void arch_kick(unsigned core); // SGI: the core looks at its inbox and cross call soon

// ---- Spaces ---------------------------------------------------------------------------------------------------
// Geometry on this machine. Level 0 or 1 is the first; a root of several pages is contiguous and aligned to its size.
unsigned arch_stage2_bits(void);
unsigned arch_stage2_start_level(void);
unsigned arch_stage2_root_pages(void);
unsigned arch_vmid_count(void); // VMIDs 0..count-1; 0 stands for "no space"
void arch_space_init(struct arch_space *s, paddr_t root, uint16_t vmid);
// inline uint64_t arch_pte_table(paddr_t table);
// inline uint64_t arch_pte_leaf(paddr_t pa, unsigned flags, unsigned level, bool device);
// inline bool arch_pte_valid(pte), arch_pte_is_table(pte, level), arch_pte_allows(pte, write, fetch)
// inline paddr_t arch_pte_address(pte)

// ---- Time ---------------------------------------------------------------------------------------------------
// inline uint64_t arch_now(void);            // ticks
// inline void arch_timer_set(const struct arch_percpu *, uint64_t deadline); // one-shot on this core; UINT64_MAX: none
// ---- Interrupts -----------------------------------------------------------------------------------------------
unsigned arch_irq_count(void);
bool arch_irq_available(uint32_t intid); // a shared interrupt that the kernel does not use itself
void arch_irq_configure(uint32_t intid, bool edge, unsigned core); // masked afterwards
void arch_irq_unmask(uint32_t intid);
void arch_irq_mask(uint32_t intid);

// ---- The machine --------------------------------------------------------------------------------------------
bool arch_device_range_allowed(paddr_t pa, uint64_t size); // neither RAM nor the kernel's devices
bool arch_console_owns(paddr_t pa, uint64_t size);
void arch_console_write(const char *text, unsigned length); // polled
void arch_firmware_call(uint64_t words[8]);
_Noreturn void arch_off(bool reset);
void arch_panic_begin(void);   // stops the other cores; does not return to a second panic
void arch_panic_details(void); // prints registers, backtrace

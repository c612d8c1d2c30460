// Debug registers of a guest: Arm ARM (DDI 0487) chapters D2 and H9, D17.3. Breakpoints, watchpoints and single step
// are the hardware's and work inside the guest; there is no external debugger for it, so halting is not to be had.
//
// They stay inside the guest: MDSCR_EL1, without which none of them does anything, holds the guest's value only while
// the guest runs, and at EL2 they are off because debug exceptions of a guest go to EL1 (MDCR_EL2.TDE is clear then).
//
// Called from sysreg.c's table, on the vcpu's own thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

struct debug {
    uint64_t
        mdscr; // MDSCR_EL1 as the guest set it; the hardware's has no enables while one of the locks is set
    bool os_lock;     // OSLAR_EL1: set by a reset
    bool double_lock; // OSDLR_EL1
    uint8_t claim;    // the eight claim tags
};

// As after a reset. The port's registers are reset by port_reset.
void debug_reset(struct vcpu *v);

// Is there a breakpoint (DBGBVR, DBGBCR: op2 4 and 5) or watchpoint (op2 6 and 7) of this number?
bool debug_has_pair(const struct vcpu *v, unsigned op2, unsigned number);

// Readers and writers: what a row of sysreg.c's table wants. `iss` says which register.
uint64_t debug_read_pair(struct vcpu *v, uint32_t iss);
void debug_write_pair(struct vcpu *v, uint32_t iss, uint64_t value);
uint64_t debug_read_mdscr(struct vcpu *v, uint32_t iss);
void debug_write_mdscr(struct vcpu *v, uint32_t iss, uint64_t value);
void debug_write_oslar(struct vcpu *v, uint32_t iss, uint64_t value);
uint64_t debug_read_oslsr(struct vcpu *v, uint32_t iss);
uint64_t debug_read_osdlr(struct vcpu *v, uint32_t iss);
void debug_write_osdlr(struct vcpu *v, uint32_t iss, uint64_t value);
uint64_t debug_read_claimset(struct vcpu *v, uint32_t iss);
void debug_write_claimset(struct vcpu *v, uint32_t iss, uint64_t value);
uint64_t debug_read_claimclr(struct vcpu *v, uint32_t iss);
void debug_write_claimclr(struct vcpu *v, uint32_t iss, uint64_t value);

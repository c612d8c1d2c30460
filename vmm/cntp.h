// The EL1 physical timer of a vcpu: Arm ARM (DDI 0487) D11 and D17.11. The hardware's serves the kernel, so the guest's
// (CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTP_TVAL_EL0) traps and is made here. It counts what the guest reads from CNTPCT_EL0.
//
// Called on the vcpu's own thread, the lock not held.
#pragma once

#include <stdint.h>

struct vcpu;

#define CNTP_INTID 30u // private interrupt of the timer

// op2 of the three registers, whose other fields are op0 3, op1 3, CRn 14, CRm 2.
enum cntp_register {
    CNTP_TVAL,
    CNTP_CTL,
    CNTP_CVAL,
};

// As after a reset: off, its line low.
void cntp_reset(struct vcpu *v);

// Readers and writers, as sysreg.c's table wants them: `iss` says which register.
uint64_t cntp_read(struct vcpu *v, uint32_t iss);
void cntp_write(struct vcpu *v, uint32_t iss, uint64_t value);

// The vcpu's deadline has passed: raises the line if the timer has fired, and sets the next deadline.
void cntp_deadline(struct vcpu *v);

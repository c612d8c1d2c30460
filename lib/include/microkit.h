// The libmicrokit interface for AArch64: a program written for Microkit compiles against this
// header and works. The program supplies init and notified, and protected or fault if it is called
// or has children. Nothing else of it is entered until init has returned, and entries never
// overlap.
#pragma once

#include <sel4/sel4.h>

typedef unsigned int microkit_channel;
typedef unsigned int microkit_child;
typedef seL4_MessageInfo_t microkit_msginfo;

#define MICROKIT_MAX_CHANNELS   62
#define MICROKIT_MAX_CHANNEL_ID (MICROKIT_MAX_CHANNELS - 1)
#define MICROKIT_PD_NAME_LENGTH 64

// Handles of this process's capabilities (+ channel, interrupt or child id), for seL4_ functions.
#define ARM_SMC_CAP                  2
#define BASE_OUTPUT_NOTIFICATION_CAP 8
#define BASE_ENDPOINT_CAP            70
#define BASE_IRQ_CAP                 132
#define BASE_TCB_CAP                 194
#define BASE_USER_CAPS               256

// ---- Supplied by the program --------------------------------------------------------------------

void init(void);
void notified(microkit_channel ch);

// Without one, being called prints a message and crashes. The same goes for fault.
microkit_msginfo protected(microkit_channel ch, microkit_msginfo msginfo);

// True: reply, which lets the child go on where it faulted. False: the child stays stopped (unless
// restarted).
seL4_Bool fault(microkit_child child, microkit_msginfo msginfo, microkit_msginfo *reply_msginfo);

// ---- About this process -------------------------------------------------------------------------

extern char microkit_name[MICROKIT_PD_NAME_LENGTH];
extern seL4_Bool microkit_passive;
extern seL4_Word microkit_irqs;          // bit i: interrupt id i
extern seL4_Word microkit_notifications; // bit i: may notify channel i
extern seL4_Word microkit_pps;           // bit i: may call channel i

// The deferred operation, if any.
extern seL4_Bool microkit_have_signal;
extern seL4_CPtr microkit_signal_cap;
extern seL4_MessageInfo_t microkit_signal_msg;

// ---- Channels and interrupts --------------------------------------------------------------------
// A channel or an id that this process does not have prints a message, and nothing else happens.

void microkit_notify(microkit_channel ch);
void microkit_irq_ack(microkit_channel ch);

// Done together with the next wait, or before the reply. One is remembered: a second one in the
// same entry lets the first happen at once.
void microkit_deferred_notify(microkit_channel ch);
void microkit_deferred_irq_ack(microkit_channel ch);

// Up to 64 words; overwrites the message registers with the answer's.
microkit_msginfo microkit_ppcall(microkit_channel ch, microkit_msginfo msginfo);

static inline microkit_msginfo microkit_msginfo_new(seL4_Word label, seL4_Uint16 count)
{
    return seL4_MessageInfo_new(label, 0, 0, count);
}

static inline seL4_Word microkit_msginfo_get_label(microkit_msginfo msginfo)
{
    return seL4_MessageInfo_get_label(msginfo);
}

static inline seL4_Word microkit_msginfo_get_count(microkit_msginfo msginfo)
{
    return seL4_MessageInfo_get_length(msginfo);
}

static inline void microkit_mr_set(seL4_Uint8 mr, seL4_Word value)
{
    seL4_SetMR(mr, value);
}

static inline seL4_Word microkit_mr_get(seL4_Uint8 mr)
{
    return seL4_GetMR(mr);
}

// ---- Children and capabilities: a failure prints a message and crashes this process -------------

// Sets the child's pc and starts it. Its memory stays as it is.
void microkit_pd_restart(microkit_child pd, seL4_Word entry_point);
void microkit_pd_stop(microkit_child pd);
void microkit_pd_resume(microkit_child pd);

// x0 to x6 of the call, x0 to x3 of the answer; x4 to x7 of the answer are those of the call.
void microkit_arm_smc_call(seL4_ARM_SMCContext *args, seL4_ARM_SMCContext *response);

// What <cspace> put into `slot`; seL4_CapNull if there is no such slot.
seL4_CPtr microkit_cspace_root_slot_to_cptr(seL4_Word slot);

// Limit: a process has no vcpu capabilities yet, so these always fail.
void microkit_vcpu_restart(microkit_child vcpu, seL4_Word entry_point);
void microkit_vcpu_stop(microkit_child vcpu);
void microkit_vcpu_arm_inject_irq(microkit_child vcpu, seL4_Uint16 irq, seL4_Uint8 priority,
                                  seL4_Uint8 group, seL4_Uint8 index);
void microkit_vcpu_arm_ack_vppi(microkit_child vcpu, seL4_Word irq);
seL4_Word microkit_vcpu_arm_read_reg(microkit_child vcpu, seL4_Word reg);
void microkit_vcpu_arm_write_reg(microkit_child vcpu, seL4_Word reg, seL4_Word value);

// ---- Debug console: dropped silently where the process has none ---------------------------------

void microkit_dbg_putc(int c);
void microkit_dbg_puts(const char *s);
void microkit_dbg_put8(seL4_Uint8 x);
void microkit_dbg_put32(seL4_Uint32 x);

// Faults at address `err`, so that reports of the fault show it.
void microkit_internal_crash(seL4_Error err);

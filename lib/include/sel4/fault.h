// Labels of fault messages and the meaning of their message registers, as fault() sees them.
#pragma once

typedef enum {
    seL4_Fault_NullFault = 0,
    seL4_Fault_CapFault = 1, // never here: an absurd handle is an error code, not a fault
    seL4_Fault_UnknownSyscall = 2,
    seL4_Fault_UserException = 3,
    seL4_Fault_DebugException = 4, // never here: arrives as a user exception
    seL4_Fault_Timeout = 5,        // never here: a thread without budget waits for its next period
    seL4_Fault_VMFault = 6,
    seL4_Fault_VGICMaintenance = 7,
    seL4_Fault_VCPUFault = 8,
    seL4_Fault_VPPIEvent = 9
} seL4_FaultType;

enum {
    seL4_VMFault_IP,
    seL4_VMFault_Addr,
    seL4_VMFault_PrefetchFault, // 1: an instruction fetch
    seL4_VMFault_FSR,           // the whole of ESR_EL2
    seL4_VMFault_Length
};

// A reply with label 0 writes the first `length` of FaultIP, SP and SPSR (flags only) back.
enum {
    seL4_UserException_FaultIP,
    seL4_UserException_SP,
    seL4_UserException_SPSR,
    seL4_UserException_Number, // ESR_EL2
    seL4_UserException_Code,   // 0
    seL4_UserException_Length
};

// A reply with label 0 writes the first `length` of X0 to SPSR (flags only) back.
enum {
    seL4_UnknownSyscall_X0,
    seL4_UnknownSyscall_X1,
    seL4_UnknownSyscall_X2,
    seL4_UnknownSyscall_X3,
    seL4_UnknownSyscall_X4,
    seL4_UnknownSyscall_X5,
    seL4_UnknownSyscall_X6,
    seL4_UnknownSyscall_X7,
    seL4_UnknownSyscall_FaultIP,
    seL4_UnknownSyscall_SP,
    seL4_UnknownSyscall_LR,
    seL4_UnknownSyscall_SPSR,
    seL4_UnknownSyscall_Syscall, // the number in the `svc` instruction
    seL4_UnknownSyscall_Length
};

enum { seL4_VGICMaintenance_IDX, seL4_VGICMaintenance_Length };

enum { seL4_VCPUFault_HSR, seL4_VCPUFault_Length };

enum { seL4_VPPIEvent_IRQ, seL4_VPPIEvent_Length };

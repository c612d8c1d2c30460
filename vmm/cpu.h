// The CPU model: which processor the guest sees. Its ID registers are made once, from the machine's, by the table in
// cpu.c; what the kernel does not switch, or what a guest could not use, is hidden.
#pragma once

#include <stdint.h>

struct port;
struct vm;

#define CPU_ID_REGISTERS 64u // op0 3, op1 0, CRn 0, CRm 0-7

// Place of a register in cpu_model.id.
#define CPU_ID(crm, op2) ((crm)*8u + (op2))
#define CPU_MIDR         CPU_ID(0, 0)
#define CPU_REVIDR       CPU_ID(0, 6)
#define CPU_ID_PFR0      CPU_ID(1, 0)
#define CPU_ID_PFR1      CPU_ID(1, 1)
#define CPU_ID_DFR0      CPU_ID(1, 2)
#define CPU_ID_PFR2      CPU_ID(3, 4)
#define CPU_ID_DFR1      CPU_ID(3, 5)
#define CPU_AA64PFR0     CPU_ID(4, 0)
#define CPU_AA64PFR1     CPU_ID(4, 1)
#define CPU_AA64DFR0     CPU_ID(5, 0)
#define CPU_AA64ISAR0    CPU_ID(6, 0)
#define CPU_AA64ISAR1    CPU_ID(6, 1)
#define CPU_AA64ISAR2    CPU_ID(6, 2)
#define CPU_AA64MMFR0    CPU_ID(7, 0)
#define CPU_AA64MMFR1    CPU_ID(7, 1)
#define CPU_AA64MMFR2    CPU_ID(7, 2)

struct cpu_model {
    uint64_t id
        [CPU_ID_REGISTERS]; // as the guest reads them; what is not mentioned here or in cpu.c is 0
    const char *compatible; // of a core, as device trees have it
    int8_t workaround[3];   // what SMCCC_ARCH_FEATURES says of SMCCC_ARCH_WORKAROUND_1, 2, 3
};

// `gic_version` of the guest: 3 lets it see the CPU interface's system registers.
void cpu_model_init(struct cpu_model *m, struct port *p, uint32_t gic_version);

// MIDR_EL1 of all the VM's cores. (For VPIDR_EL2.)
uint64_t cpu_model_midr(const struct vm *vm);

// MPIDR_EL1 of vcpu `index`: its number is affinity 0. (For VMPIDR_EL2, the device tree, PSCI, GICR_TYPER.)
uint64_t vcpu_mpidr(unsigned index);

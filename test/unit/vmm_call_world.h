// A virtual machine on the development machine whose port, interrupt controller and end are nothing but records of what
// they were asked. For tests and fuzzers of system registers, PSCI, SMCCC, the CPU model and the physical timer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vmm/vm.h>

#define WORLD_VCPUS        3u
#define WORLD_RAM_IPA      0x40000000u
#define WORLD_RAM_SIZE     0x1000u
#define WORLD_REGISTERS    (VCPU_REG_ID + CPU_ID_REGISTERS)
#define WORLD_UNTOUCHED    0x5a5a5a5a00000000ull // + n: what register n holds at first
#define WORLD_A53_AA64PFR0 0x00002222u

struct port {
    struct vcpu_page pages[WORLD_VCPUS];
    uint64_t registers[WORLD_VCPUS][WORLD_REGISTERS]; // enum vcpu_register
    uint64_t now;
    uint32_t published; // times that all RAM was
    uint32_t woken;     // vcpus, a bit each
    bool locked;
};

struct world {
    struct vm vm;
    struct vm_config config;
    struct port port;
    uint8_t ram[WORLD_RAM_SIZE];
    // Of the interrupt controller: line of INTID 30 by vcpu; the last write of an SGI register.
    bool line[WORLD_VCPUS];
    unsigned sgi_op2;
    uint64_t sgi_value;
    // The last event the VM was stopped for; 0.
    uint32_t stopped;
};

// Makes it, on a machine with Cortex-A53 cores, for the given version of the GIC. All vcpus are OFF but the first, and
// as after a reset; their general registers hold WORLD_UNTOUCHED and pstate is EL1h.
void world_init(struct world *w, uint32_t gic_version);

// The ID register of the machine; the model is made again by world_model.
void world_set_id(struct world *w, unsigned id, uint64_t value);
void world_model(struct world *w, uint32_t gic_version);

// What vcpu 0 gets from a call with these arguments in x0-x3.
uint64_t world_call(struct world *w, uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3);

// Vcpu 0 reads or writes a system register (SYSREG_ISS) by x5. False: undefined.
bool world_read(struct world *w, uint32_t iss, uint64_t *value);
bool world_write(struct world *w, uint32_t iss, uint64_t value);

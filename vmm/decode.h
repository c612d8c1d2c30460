// Loads and stores of general registers, taken apart from their A64 encoding: Arm ARM (DDI 0487) section C4.1, "Loads and
// stores". For accesses to devices whose syndrome does not describe the instruction (pairs, write-back). A pure function
// of the instruction and the registers; the instruction comes from the guest and may be anything.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/vcpu.h>

#define DECODE_TRANSFERS 2u
#define DECODE_ZR        31u // register number: reads as zero, writes are lost
#define DECODE_SP        31u // as a base: the stack pointer

struct decode_transfer {
    uint8_t reg;  // 0-30, DECODE_ZR
    uint8_t size; // bytes: 1, 2, 4, 8
    bool sign; // loads: extended by its sign, to 64 bits if `wide`, else to 32; by zeroes otherwise
    bool wide;
};

struct decode {
    uint64_t address; // of the first transfer; the second follows it
    bool write;
    bool write_back; // then the base register becomes new_base
    uint8_t base;    // 0-30, DECODE_SP
    uint8_t count;   // transfers: 1 or 2
    struct decode_transfer transfers[DECODE_TRANSFERS];
    uint64_t new_base;
};

// `sp` is the stack pointer that the instruction uses. False: it is something else (vectors, atomics, exclusives, tags,
// prefetches, literals, other instructions), unallocated, or one that says twice what becomes of a register.
bool decode_access(uint32_t instruction, const struct vcpu_regs *regs, uint64_t sp,
                   struct decode *out);

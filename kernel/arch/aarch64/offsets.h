// Numbers that assembly and C share: where things are in structs, in the kernel's address space and in boot's
// control registers. Proved against the structs and the named bits in offsets.c.
//
// The kernel's address space (48 bits, one table root for all cores):
//   PHYSMAP_BASE + PA   RAM that is handed out, the bundle and the device tree; read-write, never executable
//   KERNEL_BASE         the image: text read-execute, constants read, data read-write
//   STACK_BASE          per core: guard, emergency stack, guard, stack (STACK_STRIDE each)
//   DEVICE_BASE         registers of the interrupt controller and the console
//   FDT_BASE            the device tree, read-only, while the machine is being found out
//   BUNDLE_BASE         the bundle's first page, in the same way
#pragma once

#define PHYSMAP_BASE 0x0000400000000000
#define PHYSMAP_SIZE 0x0000400000000000
#define KERNEL_BASE  0x0000800000000000
#define STACK_BASE   0x0000800040000000
#define DEVICE_BASE  0x0000800080000000
#define FDT_BASE     0x00008000c0000000
#define BUNDLE_BASE  0x00008000c0800000

#define STACK_STRIDE           0x10000
#define STACK_EMERGENCY_OFFSET 0x1000
#define STACK_EMERGENCY_SIZE   0x2000
#define STACK_OFFSET           0x4000
#define STACK_SIZE             0x4000

#define VCPU_RUN_NUMBER 0x8000

#define BOOT_STACK_BYTES  0x4000
#define BOOT_TABLES_BYTES 0x6000

// struct arch_regs, which every thread starts with.
#define REGS_X0    0
#define REGS_X30   240
#define REGS_SP    248
#define REGS_PC    256
#define REGS_TPIDR 272

// struct percpu
#define PERCPU_CURRENT       0
#define PERCPU_STACK_TOP     8
#define PERCPU_EMERGENCY_TOP 16

// struct trap_frame
#define FRAME_X30  240
#define FRAME_PC   256
#define FRAME_SIZE 288

// struct arch_fp
#define FP_FPSR 512

// Boot's control registers: see el2.c.
#define BOOT_HCR       0x80000000
#define BOOT_MAIR      0x44ff04
#define BOOT_TCR       0x80803510 // without PS
#define BOOT_SCTLR_OFF 0x30c50830
#define BOOT_SCTLR     0x30cd183d

// Attributes of the boot page tables' entries: see mmu.c.
#define BOOT_PTE_TABLE      0x3
#define BOOT_PTE_TEXT_BLOCK 0x7c5 // attribute 1, read-only, inner shareable, accessed
#define BOOT_PTE_TEXT       0x7c7
#define BOOT_PTE_RODATA     0x400000000007c7
#define BOOT_PTE_DATA       0x40000000000747

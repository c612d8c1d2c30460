// The first instructions of every core: from firmware's hands to C at the kernel's own addresses. Arm64 boot
// protocol (Linux, Documentation/arm64/booting.rst) for the boot core, PSCI CPU_ON (DEN 0022) for the others.
//
// Until the MMU is on everything here is position independent: adrp finds the place in physical memory.
#include <spec/image.h>

#include "offsets.h"

    .section .head, "ax"
    .global _start
_start:
    b       start
    .long   0
    .quad   0                       // text_offset
    .quad   __kernel_size           // the tool adds the bundle's size here
    .quad   IMAGE_FLAG_4K_PAGES | IMAGE_FLAG_ANYWHERE
    .quad   0, 0, 0
    .long   IMAGE_MAGIC
    .long   0

    .macro  address reg, symbol     // physical with the MMU off, virtual with it on
    adrp    \reg, \symbol
    add     \reg, \reg, :lo12:\symbol
    .endm

// Boot core. x0: device tree, physical. MMU and data cache off, interrupts masked or not.
start:
    msr     daifset, #15
    mov     x19, x0                 // device tree
    adrp    x20, __kernel_start     // the image, physical
    bl      enter_el2
    cbnz    x0, refuse

    // Two roots of tables are needed: this one, which maps the image both where it is (text only, one block) and
    // where it is linked, is used by each core until it runs at its high address. mmu.c builds the other.
    address x1, boot_tables         // root
    add     x2, x1, #0x1000         // identity, level 1
    add     x3, x1, #0x2000         // identity, level 2
    add     x4, x1, #0x3000         // image, level 1: shared with the other root
    add     x5, x1, #0x4000         // image, level 2
    add     x6, x1, #0x5000         // image, level 3

    ubfx    x7, x20, #39, #9
    orr     x8, x2, #BOOT_PTE_TABLE
    str     x8, [x1, x7, lsl #3]
    ubfx    x7, x20, #30, #9
    orr     x8, x3, #BOOT_PTE_TABLE
    str     x8, [x2, x7, lsl #3]
    ubfx    x7, x20, #21, #9
    mov     x8, #BOOT_PTE_TEXT_BLOCK
    orr     x8, x8, x20
    str     x8, [x3, x7, lsl #3]

    mov     x7, #(KERNEL_BASE >> 39) & 511
    orr     x8, x4, #BOOT_PTE_TABLE
    str     x8, [x1, x7, lsl #3]
    orr     x8, x5, #BOOT_PTE_TABLE
    str     x8, [x4]
    orr     x8, x6, #BOOT_PTE_TABLE
    str     x8, [x5]

    mov     x7, x20                 // page by page, with the rights of its section
    ldr     x8, =BOOT_PTE_TEXT
    adrp    x9, __text_end
    bl      map_pages
    ldr     x8, =BOOT_PTE_RODATA
    adrp    x9, __rodata_end
    bl      map_pages
    ldr     x8, =BOOT_PTE_DATA
    adrp    x9, __kernel_end
    bl      map_pages

    // What was just written went past the cache, which may hold the old contents of these lines.
    dmb     sy
    mrs     x7, ctr_el0
    ubfx    x7, x7, #16, #4
    mov     x8, #4
    lsl     x8, x8, x7              // line size
    add     x9, x1, #BOOT_TABLES_BYTES
1:  dc      ivac, x1
    add     x1, x1, x8
    cmp     x1, x9
    b.lo    1b
    dsb     sy

    bl      enable_mmu
    ldr     x0, =boot_high
    br      x0
boot_high:
    address x0, boot_stack
    add     sp, x0, #BOOT_STACK_BYTES
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x19
    mov     x1, x20
    b       boot_main

// Fills level 3 from x6 on: pages x7.. up to x9, attributes x8.
map_pages:
    cmp     x7, x9
    b.hs    2f
    orr     x10, x7, x8
    str     x10, [x6], #8
    add     x7, x7, #0x1000
    b       map_pages
2:  ret

// A core that PSCI started. x0: its struct percpu.
    .global secondary_start
secondary_start:
    msr     daifset, #15
    mov     x19, x0
    bl      enter_el2
    cbnz    x0, park
    bl      enable_mmu
    ldr     x0, =secondary_high
    br      x0
secondary_high:
    msr     tpidr_el2, x19
    ldr     x0, [x19, #PERCPU_STACK_TOP]
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    b       secondary_main

// Out: x0 = 0, or why the kernel cannot run: 1 this is not EL2, 2 HCR_EL2.E2H cannot be cleared. Clobbers x1.
enter_el2:
    mrs     x0, CurrentEL
    cmp     x0, #2 << 2
    mov     x0, #1
    b.ne    3f
    mov     x1, #BOOT_HCR
    msr     hcr_el2, x1
    isb
    mrs     x1, hcr_el2
    mov     x0, #2
    tbnz    x1, #34, 3f
    ldr     x1, =BOOT_SCTLR_OFF
    msr     sctlr_el2, x1
    isb
    mov     x0, #0
3:  ret

// Turns the MMU on with the boot tables. Returns to the same, physical address. Clobbers x0-x2.
enable_mmu:
    ldr     x0, =BOOT_MAIR
    msr     mair_el2, x0
    ldr     x0, =BOOT_TCR
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #15             // PARange, of which the tables can say at most 48 bits
    mov     x2, #5
    cmp     x1, x2
    csel    x1, x1, x2, lo
    orr     x0, x0, x1, lsl #16
    msr     tcr_el2, x0
    adrp    x0, boot_tables
    msr     ttbr0_el2, x0
    ldr     x0, =vectors
    msr     vbar_el2, x0
    isb
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    ldr     x0, =BOOT_SCTLR
    msr     sctlr_el2, x0
    isb
    ret

// x0: the reason. C that runs where it was loaded, MMU off: boot_refuse (main.c).
refuse:
    msr     spsel, #1
    address x1, boot_stack
    add     sp, x1, #BOOT_STACK_BYTES
    mov     x29, xzr
    mov     x30, xzr
    mov     x1, x19
    b       boot_refuse
park:
    wfe
    b       park

    .ltorg

// First of the writable pages: below the stack is a page that is read-only, which stops an overflow.
    .section .data.pages, "aw"
    .balign 4096
    .global boot_tables, boot_stack
boot_stack:
    .space  BOOT_STACK_BYTES
boot_tables:
    .space  BOOT_TABLES_BYTES

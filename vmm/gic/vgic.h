// The virtual interrupt controller: distributor and redistributors (or the CPU's private part of the distributor) as the
// guest sees them, for versions 2 and 3 from one model. The CPU interface is hardware; what is on its way to it is in
// each vcpu's inbox (abi/vcpu.h), which this module fills.
//
// State that exists once: enable, group, priority, configuration, target and line of each interrupt live in `struct
// vgic_irq` (the private ones per vcpu); an inbox holds copies of what the kernel needs of them, made again whenever one
// changes. An interrupt is pending or active in one place only: in an inbox (or in list registers, which port_sync folds
// into the inbox), or, for a shared interrupt that has no place in any, in `latched`.
//
// Locking: vm.lock guards all of it. Sending an SGI takes no lock. Raising a line takes it (vgic_set_line does).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/vcpu.h>
#include <abi/vm.h>

struct vm;
struct vcpu;
struct bus_access;
enum handled;

#define VGIC_PRIVATE 32u
#define VGIC_SPIS    256u // shared interrupts: INTIDs 32 .. 32 + VGIC_SPIS - 1
#define VGIC_SLOTS   (VCPU_SOURCES - VCPU_SOURCE_SPI)

struct vgic_irq {
    uint8_t priority;
    bool enabled;
    bool group1;
    bool edge; // configuration: else level
    _Atomic bool
        line; // the level of its line. Of private interrupts its vcpu's thread writes it, without the lock
    // Of shared interrupts only.
    bool latched; // pending, and in no inbox
    uint8_t slot; // slot + 1 in the inbox of `home`; 0: none
    uint8_t home; // the vcpu in whose inbox it has a slot. May lag behind its target: see slots.c
    uint8_t targets; // version 2: cores as GICD_ITARGETSR has them
    uint64_t route;  // version 3: GICD_IROUTER
};

// Bits of `request`.
#define VGIC_TIDY 1u     // its slots are to be given out again (slots.c)
#define VGIC_HOLD 0x100u // + for each vcpu that wants it to stand still (hold.c)

struct vgic {
    uint32_t version;
    _Atomic uint32_t ctlr; // GICD_CTLR: the group enables. Read without the lock
    struct vgic_irq spi[VGIC_SPIS];
    struct vgic_irq private[VCPU_MAX][VGIC_PRIVATE];
    _Atomic uint32_t waker[VCPU_MAX];          // GICR_WAKER
    uint16_t slot_owner[VCPU_MAX][VGIC_SLOTS]; // SPI number + 1; 0: free
    _Atomic uint32_t request[VCPU_MAX]; // what a vcpu's thread must do before it enters the guest
    bool parked[VCPU_MAX];              // its thread stands in vgic_serve
    bool holding[VCPU_MAX]; // its thread waits for others to stand still, or works on them
};

// Where things are in the guest's address space: those of QEMU's virt board.
#define VGIC_DISTRIBUTOR        0x08000000u
#define VGIC_DISTRIBUTOR_SIZE   0x10000u
#define VGIC_CPU_INTERFACE      0x08010000u // version 2: the hardware's GICV pages, mapped by init
#define VGIC_CPU_INTERFACE_SIZE 0x2000u
#define VGIC_REDISTRIBUTOR      0x080a0000u // version 3: 0x20000 for each vcpu

// Makes it as after power-on and adds its ranges to vm->bus. The vcpus' pages are there.
err_t vgic_create(struct vm *vm) WARN_UNUSED;

// Everything as after a reset, except for the lines: they are what the devices make them. All vcpus stand still.
void vgic_reset(struct vm *vm);

// A device's line to an SPI (INTID >= 32; others are ignored), or to a private interrupt of one vcpu. Any thread, lock
// not held by the caller for vgic_set_line, held for vgic_set_line_locked.
void vgic_set_line(struct vm *vm, uint32_t intid, bool high);
void vgic_set_line_locked(struct vm *vm, uint32_t intid, bool high);
void vgic_set_private_line(struct vcpu *v, uint32_t intid,
                           bool high); // own vcpu's thread, no lock needed

// A vcpu is off now, or is about to start: what stands at one that is off, and another one may take, goes there. By the
// thread of the vcpu that has called for it, with the lock.
void vgic_power_changed(struct vcpu *self);

// A write of ICC_SGI1R_EL1, ICC_ASGI1R_EL1 (op2 6) or ICC_SGI0R_EL1 (op2 7): version 3. No lock.
enum handled vgic_write_sgi_register(struct vcpu *v, unsigned op2, uint64_t value);

// A write of ICC_DIR_EL1 that was trapped: there are more active ones than list registers. Takes the lock.
void vgic_deactivate(struct vcpu *v, uint32_t intid);

// Before every port_run (also after one that VCPU_NOTIFIED ended) a vcpu's thread asks vgic_wanted, and if it is, calls
// vgic_serve, without the lock. The port_run that follows must not last longer than until what that returns.
static inline bool vgic_wanted(const struct vgic *g, unsigned vcpu)
{
    return atomic_load_explicit(&g->request[vcpu], memory_order_acquire) != 0;
}
uint64_t vgic_serve(struct vcpu *v);

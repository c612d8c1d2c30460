// List registers: how what a vcpu's inbox holds (abi/vcpu.h) gets to its guest, and back. vgic.c decides, vgicv2.c and
// vgicv3.c move bits. Everything here is about the vcpu that is resident on this core, on this core.
//
// An interrupt stands in at most one list register. `placed` has the sources that stand in one, and perhaps some that
// the guest has ended since, whose register nobody else has got yet: whoever needs to know exactly asks the hardware
// whether register `at` is empty. `latched` has those of them that came out of the pending latch, which is where they go
// back to.
//
// What does not fit waits in the inbox, the lowest priorities first; maintenance interrupts then tell when there is room
// (NPIE), or that the guest has ended an interrupt that had to leave while active (LRENPIE).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/vcpu.h>

struct vcpu;

#define VGIC_LISTS_MAX 16u
#define VGIC_NO_LIST   63u // never among the empty ones
#define VGIC_APR_MAX   8u

struct vgic_state {
    uint64_t placed;
    uint64_t latched;
    uint64_t
        held; // linked ones that were taken out while active: so is the physical interrupt still
    uint8_t source[VGIC_LISTS_MAX]; // of each list register: who got it last
    uint8_t at[VCPU_SOURCES];       // of each placed source: its list register, or VGIC_NO_LIST
    uint64_t tells; // list registers that ask for a maintenance interrupt at the end
    bool crowded;   // something waits for room, or has left while active
    bool trapped;   // while crowded: the guest's deactivations go to its VMM
    uint64_t vmcr;  // the guest's CPU interface while not resident
    uint32_t apr[VGIC_APR_MAX];
};

// Values of list registers are ICH_LR<n>_EL2's, in both versions.
struct vgic_ops {
    unsigned (*count)(void); // of list registers
    uint64_t (*read)(unsigned n);
    void (*write)(unsigned n, uint64_t value);
    uint64_t (*empty)(void);           // a bit for each empty one
    uint64_t (*ended)(void);           // for each whose end was to be told, and now is
    void (*control)(uint64_t value);   // ICH_HCR_EL2
    uint64_t (*ended_elsewhere)(void); // EOIcount
    uint64_t (*vmcr)(void);
    uint64_t (*trap_end)(
        uint64_t
            vmcr); // bit of control() if the guest ends in two steps and the second can be trapped
    bool (*passes)(uint64_t vmcr, uint64_t lr); // would the CPU interface signal it?
    void (*save)(struct vgic_state *s);
    void (*load)(const struct vgic_state *s);
    // Puts a source into an empty list register that has nothing to tell, if there is one and it stands in none.
    bool (*put_quickly)(struct vgic_state *s, unsigned source, uint64_t lr);
};

extern const struct vgic_ops vgicv2_ops;
extern const struct vgic_ops vgicv3_ops;

void vgic_init_core(void);

void vgic_load(struct vcpu *v);   // becomes resident
void vgic_unload(struct vcpu *v); // everything in the inbox and in memory

// The inbox has changed, or a linked interrupt has come. Returns what `attention` was; it is 0 now.
uint64_t vgic_update(struct vcpu *v);

// Takes everything out of the list registers; vgic_update puts it back. Sets a bit of `attention`: kick afterwards.
void vgic_fold(struct vcpu *v);

// The virtual timer's interrupt has come, and is active. True: it stands in a list register.
bool vgic_timer(struct vcpu *v);

// The virtual timer's interrupt may stand in a list register although the guest has silenced the timer since.
void vgic_timer_sample(struct vcpu *v);

// Does the resident vcpu's virtual timer ask for its interrupt?
bool vgic_timer_asserts(void);

// This core's deadline has come: may a guest still end a linked interrupt (vgicv2.c)?
void vgic_guard(void);

// A maintenance interrupt.
void vgic_maintain(struct vcpu *v);

// Is there an interrupt that ends the guest's WFI? `masked`: even if the CPU interface does not let it through.
bool vgic_awaits(const struct vcpu *v, bool masked);

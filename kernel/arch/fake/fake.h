// The fake machine as a test sees it: what it may set, what it may look at, and how it makes fake cores enter the
// kernel. The kernel itself sees only arch.h and arch_types.h.
//
// Everything happens on the test's one thread. A core is either in user mode (or asleep) or somewhere inside the
// kernel. Entries run to their end, except that a core which spins lets others take their kicks (cores.c); real
// concurrency, switching between cores at every atomic access, is what interleave.h adds.
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/syscall.h>
#include <base/addr.h>

struct thread;

#define FAKE_RAM_BASE 0x40000000u
#define FAKE_RAM_SIZE 0x3000000u // 48 MiB
#define FAKE_DEVICES                                                                               \
    0x80000000u // from here to FAKE_DEVICES_END any range may be mapped as a device
#define FAKE_DEVICES_END 0x200000000u
#define FAKE_IRQ_FIRST   32u
#define FAKE_IRQ_COUNT   96u
#define FAKE_CONSOLE_MAX 8192u
#define FAKE_VMIDS_MAX   256u

// Why the machine ended, as setjmp(fake.escape) returns it.
enum fake_end {
    FAKE_OFF = 1, // arch_off without a panic
    FAKE_PANIC,
    FAKE_MISUSE, // the machine was used in a way that real hardware would punish: fake_fail
};

struct fake {
    uint64_t now; // ticks

    // When a long operation finds an interrupt pending: at its interrupt_in-th look (0: never), or at every look.
    uint64_t interrupt_in;
    bool interrupt_always;

    unsigned stage2_bits; // 40: two root tables at level 1; 48: one at level 0
    unsigned vmids;       // at most FAKE_VMIDS_MAX

    // Whoever arms `escape` is told of the machine's end; otherwise it is the end of the test.
    jmp_buf escape;
    bool escape_armed;
    bool panicking;

    // What the kernel did.
    char console[FAKE_CONSOLE_MAX]; // text written, zero-terminated; what is too much is dropped
    unsigned console_length;
    uint64_t published;     // bytes of cache maintenance
    uint64_t published_max; // in one go
    uint64_t zeroed_max;
    uint64_t firmware_calls;
    bool reset; // what arch_off was told
};

struct fake_core {
    bool in_kernel;
    bool kicked;           // an SGI is pending
    struct thread *loaded; // whose space and registers the core has; NULL: nobody's
    uint16_t vmid;
    uint64_t kicks;
};

struct fake_irq {
    bool enabled;
    bool active; // delivered, not yet acknowledged
    bool edge;
    unsigned core;
    unsigned configured; // times
};

extern struct fake fake;
extern struct fake_core fake_cores[CORES_MAX];
extern struct fake_irq fake_irqs[FAKE_IRQ_FIRST + FAKE_IRQ_COUNT];

// A machine as after power-on, with `cores` of them. Memory keeps what it held.
void fake_reset(unsigned cores);

_Noreturn void fake_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- Entering the kernel: each returns the thread that runs on the core afterwards ---------------------------

// The running thread's `svc #number`; its pc is what the svc's own was.
struct thread *fake_syscall(unsigned core, unsigned number);
struct thread *fake_fault(unsigned core, enum fault_label label, uint64_t address);
struct thread *fake_interrupt(unsigned core); // whatever is pending: kick, timer
struct thread *
fake_irq_raise(uint32_t intid);  // on the core that it is routed to; nothing if it is quiet
void fake_fp_use(unsigned core); // the running thread uses an FP register

// Guests. The running thread's VCPU_RUN; what of its guest is pending in list registers goes to the guest, which takes
// it; a trap that the VMM gets; WFI.
struct thread *fake_vcpu_run(unsigned core, uint64_t deadline);
uint64_t fake_vcpu_take(unsigned core);
struct thread *fake_vcpu_trap(unsigned core);
struct thread *fake_vcpu_wfi(unsigned core);

// The function as a kernel entry of the core, for tests that call the kernel's inside.
void fake_inside(unsigned core, void (*run)(void *arg), void *arg);

// Every core takes what is pending until nothing is.
void fake_settle(void);

// Lets time pass; timers fire when they are due.
void fake_advance(uint64_t ticks);

// ---- Plays: cores inside the kernel at the same time; with interleave.h, one atomic access after the other -- ---------------------------------------------------------------------

void fake_point(void); // somebody else may go on here

// One core's part in a play: makes one kernel entry, or fake_relax if it cannot before others have done something.
// False: it has nothing more to do.
typedef bool fake_part(unsigned core, void *arg);

// Which of the cores in `may` (a mask, never 0) goes on? `now` is the one that has just done a step.
typedef unsigned fake_choose(void *arg, uint32_t may, unsigned now);

// Plays on all cores until every part has nothing more to do and no interrupt is pending.
void fake_play(fake_part *part, void *part_arg, fake_choose *choose, void *choose_arg);

// A virtual machine: everything that its VMM knows. One struct, made at start; nothing is allocated afterwards.
//
// Locking: `lock` guards devices, the distributor and the life cycle (what is marked "lock"). A vcpu's own fields belong
// to its thread, except where another owner is named. Inbox words are atomic (abi/vcpu.h). The lock is never held across
// port_run, port_wait or port_life.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <abi/vm.h>

#include "bus.h"
#include "cpu.h"
#include "debug.h"
#include "dev/pl011.h"
#include "dev/pl031.h"
#include "gic/vgic.h"
#include "port.h"
#include "setway.h"
#include "trace.h"
#include "unhandled.h"

struct vm;
struct fdt_writer;

// What a program of an integrator's own adds to the machine, beside ranges on the bus. Set before the first start.
struct vm_extension {
    void (*reset)(struct vm *vm); // at each start, when the library's devices are as after a reset
    void (*describe)(const struct vm *vm,
                     struct fdt_writer *w); // nodes of the guest's device tree (fdt_write.h)
};

// A vcpu's power state, as PSCI has it. Changed under the lock, and read without it by its own thread.
//
//   OFF      -> STARTING (CPU_ON: entry and context are set)
//   STARTING -> ON       (its thread has set the registers)
//   ON       -> OFF      (CPU_OFF), or STARTING (CPU_SUSPEND with power-down, over at once)
//   any      -> HALTED   (the VM stops: power-off, reset, crash), HALTED -> OFF or STARTING (the VM starts again)
enum vcpu_power {
    VCPU_OFF,
    VCPU_STARTING,
    VCPU_ON,
    VCPU_HALTED,
};

// The emulated EL1 physical timer (CNTP): cntp.c.
struct cntp {
    uint64_t ctl; // ENABLE, IMASK
    uint64_t cval;
};

struct vcpu {
    struct vm *vm;
    struct vcpu_page *page;
    unsigned index;
    _Atomic uint32_t power; // enum vcpu_power
    uint64_t entry;         // lock: where it starts, with
    uint64_t context;       //       this in x0
    bool resumes;           // lock: from CPU_SUSPEND, which waits first and keeps the timers
    struct cntp cntp;
    struct debug debug;
    struct setway setway;
    uint32_t kick;     // its own thread's: whom the next port_run kicks (port.h); sets look, too
    bool look;         // its own thread's: something that loop.c looks at has changed
    uint64_t deadline; // of the next port_run: UINT64_MAX, or when cntp fires
    const struct bus_range *last; // the range that it accessed last, or NULL: tried first
    uint64_t *last_accesses;      // that range's counts in vm.accesses
    uint64_t exits[TRACE_KINDS];  // by kind (trace.h)
};

struct vm {
    const struct vm_config *config;
    struct port *port;
    struct port_lock lock;
    _Atomic uint32_t stopping; // enum vm_event of a stop that is under way, 0: none (life.c)
    struct bus bus;
    struct vgic gic;
    struct pl011 console; // into its sink: nobody, until main.c puts another one there
    struct pl031 rtc;
    struct cpu_model cpu;
    unsigned vcpus;
    struct vcpu vcpu[VCPU_MAX];
    uint64_t entry; // where a start begins, with the device tree's address in x0
    uint64_t fdt_ipa;
    bool started;               // by this VMM: RAM may hold what the guest left (load.c)
    struct unhandled unhandled; // lock
    uint64_t accesses[VCPU_MAX][BUS_RANGES_MAX][2]; // each vcpu's of each range: reads, writes
    const struct vm_extension *extension;           // NULL: none
};

// Devices where QEMU's virt board has them, and their interrupts. (The interrupt controller's places: gic/vgic.h.)
#define VM_PL011       0x09000000u
#define VM_PL011_INTID 33u
#define VM_PL031       0x09010000u
#define VM_PL031_INTID 34u

// Makes the machine that the config describes, switched off; `vm` is zeroed memory. On the first thread, before any
// vcpu's thread enters vcpu_loop. ERR_INVALID: the config contradicts itself.
err_t vm_create(struct vm *vm, const struct vm_config *config, struct port *port) WARN_UNUSED;

// Power on: memory zero but for the images, devices as after a reset, vcpu 0 about to run at the images' entry. All vcpus
// are HALTED and their threads asleep, or not there yet. On an error they stay so.
err_t vm_start(struct vm *vm) WARN_UNUSED;

// Guest memory: the VMM's view of [ipa, ipa + size), or NULL if that is not all RAM.
void *vm_memory(const struct vm *vm, uint64_t ipa, uint64_t size);

// What a handler made of an access.
enum handled {
    HANDLED,   // go on after the instruction
    UNHANDLED, // nobody is there
    FORBIDDEN, // somebody is there and refuses: what hardware would do follows (an exception for the guest)
};

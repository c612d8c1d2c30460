// The kernel's system calls: numbers, argument registers, rights and object types.
//
// A call is `svc #number`. x0-x7 carry arguments in the order that the list gives, x0 returns an err_t and
// x1-x7 results; registers that no result uses keep their value. A handle is an index into the caller's
// capability space; handle 0 is never valid. "where" arguments are a pair: a handle to a capability space and an
// index into it.
//
// Calls that build or revoke may be interrupted: the kernel then returns to the `svc` instruction itself, and the
// caller repeats the call without noticing. Everything else runs to its end.
#pragma once

#include <stdint.h>

/* name, number, arguments (x0...) -> results (x1...) */
#define SYSCALL_LIST(X)                                                                            \
    /* Communication: no lock, never restarted. */                                                 \
    X(call, 0)    /* endpoint, -, info, w0..w3 -> -, info, w0..w3 */                               \
    X(receive, 1) /* flags, deadline, info, w0..w3 -> badge or bits, info, w0..w3 */               \
    X(signal, 2)  /* notification */                                                               \
    X(irq_ack, 3) /* irq */                                                                        \
    X(yield, 4)   /* */                                                                            \
    X(clock, 5)   /* -> ticks */                                                                   \
    /* Capabilities. */                                                                            \
    X(retype, 6)    /* untyped, enum obj_type, size, where: cspace, index */                       \
    X(copy, 7)      /* where from: cspace, index, where to: cspace, index, rights, badge */        \
    X(move, 8)      /* where from: cspace, index, where to: cspace, index */                       \
    X(delete, 9)    /* where: cspace, index */                                                     \
    X(revoke, 10)   /* where: cspace, index */                                                     \
    X(identify, 11) /* handle -> type | rights << 8, size, badge, physical address */              \
    /* Memory. */                                                                                  \
    X(map, 12)   /* frames, space, address, enum map_flags */                                      \
    X(unmap, 13) /* frames */                                                                      \
    X(device_frames,                                                                               \
      14) /* device memory, untyped, physical address, pages, where: cspace, index */              \
    /* Threads. */                                                                                 \
    X(thread_bind, 15)  /* thread, enum thread_slot, handle of what is bound, or 0 to unbind */    \
    X(thread_start, 16) /* thread: (re)starts or resumes it where its registers say */             \
    X(thread_stop, 17)  /* thread */                                                               \
    X(thread_read, 18)  /* thread, first register, count <= 6 -> x1... values */                   \
    X(thread_write, 19) /* thread, first register, count <= 5, values from x3 */                   \
    X(thread_time, 20)  /* thread, time, priority, core, budget, period (ticks) */                 \
    X(thread_flags, 21) /* thread, enum thread_flags */                                            \
    X(thread_info, 22)  /* thread -> state, core, ticks of its time used so far */                 \
    /* Interrupts. */                                                                              \
    X(irq_create, 23) /* irq control, untyped, INTID, enum irq_trigger, where: cspace, index */    \
    X(irq_bind, 24)   /* irq, notification; or vcpu, source: linked, see vcpu.h */                 \
    /* The machine. */                                                                             \
    X(console_write, 25) /* console, bytes <= 48, text in x2..x7 */                                \
    X(console_mode, 26)  /* console, enum console_mode */                                          \
    X(system_off, 27)    /* power, exit code, enum system_off_how */                               \
    X(smc, 28)           /* smc, x1-x7 as x0-x6 of the call -> x1-x4 as x0-x3 of the answer */     \
    /* Virtual cores. (vcpu_run has a number of its own: VCPU_RUN.) */                             \
    X(vcpu_bind, 29)      /* vcpu, enum vcpu_slot, handle of what is bound, or 0 to unbind */      \
    X(vcpu_reset, 30)     /* vcpu: registers as after a reset, its inbox stays */                  \
    X(vcpu_read, 31)      /* vcpu, first enum vcpu_register, count <= 6 -> x1... values */         \
    X(vcpu_write, 32)     /* vcpu, first enum vcpu_register, count <= 5, values from x3 */         \
    X(vcpu_sync, 33)      /* vcpu: folds its list registers into its page */                       \
    X(vcpu_kick, 34)      /* vcpu: its inbox has changed */                                        \
    X(vcpu_translate, 35) /* vcpu, virtual address, 1 for EL0's view -> ipa */

enum syscall {
#define SYSCALL_ENUM(name, number) SYS_##name = (number),
    SYSCALL_LIST(SYSCALL_ENUM)
#undef SYSCALL_ENUM
        SYSCALL_COUNT
};

// vcpu_run: the thread becomes the guest until there is something to handle. x0: deadline in ticks; returns enum
// vcpu_exit or an error, and in x1 the notification's bits (abi/vcpu.h). No other register survives: the caller saves
// what it needs.
#define VCPU_RUN 0x8000

enum obj_type {
    OBJ_NONE,         // an empty slot
    OBJ_UNTYPED,      // size: bytes, multiple of PAGE_SIZE
    OBJ_CSPACE,       // size: number of slots, 2..CSPACE_MAX
    OBJ_THREAD,       // size: 0
    OBJ_SPACE,        // size: page tables it may use, 0..SPACE_TABLES_MAX; | SPACE_GUEST: a guest's
    OBJ_FRAMES,       // size: bytes, multiple of PAGE_SIZE; aligned to 2 MiB if that large
    OBJ_NOTIFICATION, // size: 0
    OBJ_ENDPOINT,     // size: 0
    OBJ_IRQ,          // made by irq_create
    OBJ_VCPU,         // size: 0
    /* Authorities that are no memory: the kernel makes one of each for the first process. */
    OBJ_IRQ_CONTROL,   // make an irq object for any interrupt
    OBJ_DEVICE_MEMORY, // make frames of any physical address that is not RAM and not the kernel's
    OBJ_TIME,          // give time: badge = highest priority | cores allowed << 8
    OBJ_CONSOLE,       // write to the kernel's console
    OBJ_POWER,         // end the system
    OBJ_SMC,           // call the firmware
    OBJ_TYPE_COUNT
};

// Rights of a capability. A copy has at most the rights of its source.
enum rights {
    RIGHT_READ =
        1, // frames: map readable; thread: read state; endpoint, notification: receive (bind)
    RIGHT_WRITE = 2, // frames: map writable; thread: control; endpoint: call; notification: signal
    RIGHT_EXECUTE = 4, // frames: map executable; console: switch it on and off
    RIGHT_COPY = 8,    // may be copied (and minted)
    RIGHT_TIME = 16,   // thread: priority, budget and core may be set
    RIGHT_ALL = 31,
};

// Badges. A copy of an unbadged (badge 0) endpoint or notification capability may set one; a badged one keeps its
// badge. For frames the badge names the pages that the capability covers, first << 32 | count, inside what the
// source covers; 0 keeps the source's. For time it is shrunk in the same way.
#define FRAMES_RANGE(first, count)  ((uint64_t)(first) << 32 | (uint32_t)(count))
#define TIME_BADGE(priority, cores) ((uint64_t)(cores) << 8 | (uint64_t)(priority))

// Messages: an info word, four words in registers, the rest (up to 64 in all) in both partners' message pages,
// word i at offset i * 8.
#define MESSAGE_WORDS          64
#define MESSAGE_REGISTER_WORDS 4
#define INFO(label, count)     ((uint64_t)(label) << 12 | (uint64_t)(count))
#define INFO_LABEL(info)       ((uint64_t)(info) >> 12)
#define INFO_COUNT(info)       ((uint64_t)(info)&0x7f)
#define INFO_NOTIFICATION      0x80u // receive: no message, x1 holds the notification's bits

enum receive_flags {
    RECEIVE_REPLY =
        1, // answer the present caller first with info, w0..w3; without it that caller stays blocked
    RECEIVE_POLL =
        2, // do not wait: ERR_TIMEOUT at once if nothing is there; not for passive threads
};
#define DEADLINE_NEVER UINT64_MAX // in ticks of SYS_clock

// What a thread holds: capabilities copied into it, so that revoking their source takes them away.
enum thread_slot {
    THREAD_CSPACE,
    THREAD_SPACE,
    THREAD_NOTIFICATION, // waited on by every receive; one thread a notification
    THREAD_ENDPOINT,     // served by every receive; one thread an endpoint
    THREAD_FAULT,        // endpoint that gets its faults, with this capability's badge
    THREAD_MESSAGE,      // frames of one page: its message page
    THREAD_VCPU,         // what vcpu_run enters; one thread a vcpu
    THREAD_SLOT_COUNT
};

enum thread_flags {
    THREAD_PASSIVE =
        1, // runs calls on its callers' time and core; its own time serves notifications only
    THREAD_FP = 2, // may use FP/SIMD
};

// Register numbers of thread_read and thread_write.
enum thread_register {
    REG_X0 = 0, // ... 30
    REG_SP = 31,
    REG_PC = 32,
    REG_PSTATE = 33, // only NZCV may be written
    REG_TPIDR = 34,
    REG_TPIDRRO = 35,
    REG_COUNT
};

enum thread_state {
    THREAD_STOPPED,
    THREAD_READY,     // running or about to
    THREAD_RECEIVING, // in receive
    THREAD_CALLING,   // waits for the endpoint's server, or for its reply
    THREAD_FAULTED,   // waits for whoever handles its fault
};

enum map_flags {
    MAP_READ = 1,
    MAP_WRITE = 2,
    MAP_EXECUTE = 4,
    MAP_UNCACHED = 8, // Normal non-cacheable; device frames are always Device-nGnRE
};

enum system_off_how { SYSTEM_OFF, SYSTEM_RESET };

enum irq_trigger { IRQ_LEVEL, IRQ_EDGE };

enum console_mode {
    CONSOLE_OFF, // console_write is dropped; the kernel speaks only in a panic and when the system ends
    CONSOLE_ON,
};

// Fault messages: label is one of these; w0 pc, w1 address, w2 syndrome (ESR_EL2), w3 1 if an instruction fetch.
// A reply lets the thread go on at its pc (which thread_write may have moved).
enum fault_label {
    FAULT_SYSCALL = 2, // no such system call: w1 is its number
    FAULT_USER = 3,    // undefined or forbidden instruction, FP without the right, debug exception
    FAULT_VM = 6,      // access outside its mappings or rights
};

#define PAGE_SIZE        0x1000u
#define PAGE_BITS        12
#define LARGE_PAGE_SIZE  0x200000u
#define CSPACE_MAX       65536u
#define SPACE_TABLES_MAX 4096u
#define SPACE_GUEST      (1ull << 32) // mappings may be writable and executable; bound to vcpus only
#define PRIORITY_MAX     254u
#define CORES_MAX        32u // width of the core masks in badges

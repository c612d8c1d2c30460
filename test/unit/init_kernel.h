// A kernel for init's tests: does what the system calls of init/sys.h ask, as far as init can tell, and remembers all
// of it. Untyped memory is carved as the real kernel does; frames have bytes only if somebody looks into them.
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include <init/sys.h>

#define FAKE_CONSOLE_MAX 8192
#define FAKE_SLOTS       8192

struct fake_object {
    struct fake_object *next; // of all
    enum obj_type type;
    uint64_t size;
    uint64_t base; // untyped, frames: physical
    uint64_t low;  // untyped: as the kernel carves it
    uint64_t high;
    bool device;
    unsigned char *bytes;    // frames: once looked into
    struct fake_slot *slots; // cspace: size of them
    // thread
    uint64_t regs[REG_COUNT];
    struct fake_object *bound[THREAD_SLOT_COUNT];
    uint64_t fault_badge;
    uint64_t time[4]; // priority, core, budget, period
    unsigned flags;
    unsigned started; // the how manieth thread_start this was; 0: never, or stopped since
    unsigned starts;  // of this thread
    // vcpu
    struct fake_object *held[VCPU_SLOT_COUNT];
    unsigned resets;
    // irq
    uint32_t intid;
    enum irq_trigger trigger;
    struct fake_object *target;
    uint64_t target_badge;
};

struct fake_slot {
    struct fake_object *object; // null: empty
    unsigned rights;
    uint64_t badge;
    struct fake_object *space; // mapped there
    uint64_t address;
    unsigned flags;
};

struct fake_kernel {
    struct kernel kernel;
    struct fake_object *objects;
    struct fake_object *cspace; // init's
    char console[FAKE_CONSOLE_MAX];
    unsigned console_length;
    enum console_mode mode;
    unsigned starts;
    int fail_after; // system calls until one fails with ERR_NO_CAP; negative: never
    uint64_t now;   // ticks
    // receive gives this, or passes time up to its deadline if `message` is NULL; what it was told to answer.
    const struct message *message;
    bool answered;
    uint64_t answer; // label
    // system_off doesn't return: it jumps here, with the code + 1.
    jmp_buf off;
};

// init's capability space with one untyped per range, a bundle of these bytes, and everything else of abi/boot.h.
void fake_init(struct fake_kernel *f, const uint64_t (*untyped)[2], unsigned untyped_count,
               const void *bundle, uint64_t bundle_size);
void fake_end(struct fake_kernel *f);

struct fake_slot *fake_slot(struct fake_kernel *f, handle_t handle); // of init
// The mapping at `address` of a space (given by init's handle), or null.
struct fake_slot *fake_mapping(struct fake_kernel *f, handle_t space, uint64_t address);
// Byte `offset` of what a slot of type frames names.
unsigned char fake_byte(const struct fake_slot *s, uint64_t offset);
uint64_t fake_physical(const struct fake_slot *s);
bool fake_said(const struct fake_kernel *f, const char *text);

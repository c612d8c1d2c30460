// A booted kernel on fake cores, for tests: the first process runs on core 0 and holds everything; system calls are
// made by whichever thread runs on a core. Ends by taking everything back and looking for what is left.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <abi/boot.h>
#include <abi/err.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "cspace.h"
#include "endpoint.h"
#include "fake.h"
#include "frames.h"
#include "irq.h"
#include "notification.h"
#include "space.h"
#include "thread.h"
#include "untyped.h"

// What world_call returns besides err_t.
#define WORLD_BLOCKED 1 // the caller waits
#define WORLD_AWAY    2 // the caller stopped, or somebody else runs, before the call was complete

#define WORLD_SLICE 10000u // ticks: budget and period unless a test says otherwise

struct world {
    struct cspace *cspace; // of the first process
    struct thread *init;   // its thread
    struct untyped *large; // boot's largest untyped
    uint64_t next;         // free handle in its capability space
    uint64_t from;         // untyped memory that world_make takes
    uint64_t x[8];         // registers after the last world_call
    unsigned restarts;     // of the last world_call
    bool manual;           // world_call does not let other cores take their interrupts afterwards
    bool careless;         // VMMs break the rules of their pages: guests may wait for what is there
};

extern struct world world;

void world_start(unsigned cores);
void world_start_with(unsigned cores, unsigned stage2_bits, unsigned vmids);
void world_end(void);

// For cmocka: a world of four cores around each test.
int world_setup(void **state);
int world_teardown(void **state);
#define world_test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

// A system call of the thread that runs on `core`, made again as often as the kernel wants; checks that a call that is
// to be made again finds its arguments as they were.
err_t world_call(unsigned core, unsigned number, const uint64_t args[8]);
#define SYS(core, name, ...)    world_call(core, SYS_##name, (const uint64_t[8]){__VA_ARGS__})
#define SYS_OK(core, name, ...) assert_int_equal(SYS(core, name, __VA_ARGS__), OK)

// The same, refused with `wanted`: nothing in memory has changed but the caller's registers.
void world_refused(unsigned core, err_t wanted, unsigned number, const uint64_t args[8]);
#define REFUSED(core, wanted, name, ...)                                                           \
    world_refused(core, wanted, SYS_##name, (const uint64_t[8]){__VA_ARGS__})

// ---- The first process makes things: handles in its capability space ---------------------------------------------

#define UNTYPED BOOT_UNTYPED // the one to make things from

uint64_t world_slot(void); // a free one
uint64_t world_make(enum obj_type type, uint64_t size);
uint64_t world_make_from(uint64_t untyped, enum obj_type type, uint64_t size);
uint64_t world_copy(uint64_t handle, unsigned rights, uint64_t badge);
struct slot *world_slot_at(uint64_t handle);
struct obj *world_object(uint64_t handle);

static inline struct thread *thread_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct thread, obj);
}

static inline struct space *space_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct space, obj);
}

static inline struct untyped *untyped_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct untyped, obj);
}

static inline struct frames *frames_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct frames, obj);
}

static inline struct endpoint *endpoint_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct endpoint, obj);
}

static inline struct notification *notification_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct notification, obj);
}

// A process: one thread with everything bound. Its capability space starts with what PROC_* name.
struct proc {
    uint64_t thread; // handles in the first process's capability space
    uint64_t space;
    uint64_t cspace;
    uint64_t notification;
    uint64_t endpoint;
    uint64_t message; // frames
    struct thread *t;
    uint64_t *words; // its message page
};

// Handles in a process's own capability space; from PROC_FREE on it is empty.
enum { PROC_CSPACE = 1, PROC_NOTIFICATION, PROC_ENDPOINT, PROC_FREE };
#define PROC_SLOTS 64u

struct proc world_proc(unsigned core, unsigned priority, unsigned flags); // not started
void world_start_proc(const struct proc *p);
void world_set_time(const struct proc *p, unsigned core, unsigned priority, uint64_t budget,
                    uint64_t period);

// Gives p a copy of what the first process has at `handle`, at its own index `to`.
void world_give(const struct proc *p, uint64_t to, uint64_t handle, unsigned rights,
                uint64_t badge);

// ---- Looking ------------------------------------------------------------------------------------------------------

void assert_running(unsigned core, const struct proc *p); // NULL: nobody
void assert_state(const struct proc *p, enum thread_state state);
uint64_t reg(const struct proc *p, unsigned x);

// The kernel's data is consistent: kernel_check.c. `all`: nothing dead waits to be taken apart.
void check_kernel(bool all);

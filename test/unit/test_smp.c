// Many cores inside the kernel at once: threads that share all capabilities make random calls, and the cores take
// turns at every atomic access, at random. Afterwards the kernel must be consistent, and all memory come back.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
// flags: -include kernel/arch/fake/interleave.h
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cap.h"
#include "kernel_fixture.h"
#include "lock.h"
#include "percpu.h"
#include "threadctl.h"
#include "vcpu.h"

#define PLAYS      2000u // with LONG in the environment: PLAYS_LONG
#define PLAYS_LONG 40000u
#define CORES      4u
#define ENTRIES    80u // of each core in a play
#define THREADS    10u
#define SLOTS      160u

// Handles that all threads share; the rest of the capability space is theirs to fill.
enum { H_CSPACE = 1, H_TIME, H_IRQ_CONTROL, H_DEVICES, H_UNTYPED, H_OTHER_UNTYPED, H_THREAD = 10 };
#define H_SPACE        (H_THREAD + THREADS)
#define H_NOTIFICATION (H_SPACE + THREADS)
#define H_ENDPOINT     (H_NOTIFICATION + THREADS)
#define H_FRAMES       (H_ENDPOINT + THREADS)
#define H_VCPU         (H_FRAMES + THREADS)
#define H_GUEST        (H_VCPU + THREADS) // spaces
#define H_FREE         (H_GUEST + THREADS)

// Registers in which a thread keeps what it is doing; no call touches them. Its pc is a multiple of 8 before a system
// call and 4 more after it.
#define X_SAVED  10 // its arguments
#define X_NUMBER 18 // of the call under way, plus one

static uint64_t seed;
static uint64_t state_of_random;
static unsigned entries_left[CORES];
static unsigned switch_rarely;
static uint64_t favourite; // of THREADS, in this play
static struct cspace *shared;

// ---- Chance -------------------------------------------------------------------------------------------------------

static uint64_t rnd(void)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return state_of_random * 0x2545f4914f6cdd1du >> 16;
}

static uint64_t below(uint64_t n)
{
    return rnd() % n;
}

static bool one_in(uint64_t n)
{
    return below(n) == 0;
}

static unsigned choose(void *arg, uint32_t may, unsigned now)
{
    (void)arg;
    if ((may & BIT(now)) != 0 && !one_in(switch_rarely)) {
        return now;
    }
    for (;;) {
        unsigned core = (unsigned)below(CORES);
        if ((may & BIT(core)) != 0) {
            return core;
        }
    }
}

// A handle of the kind, often that of the favourite; now and then any other, or none.
static uint64_t some(uint64_t first)
{
    if (one_in(20)) {
        return below(SLOTS + 2);
    }
    return first + (one_in(2) ? below(THREADS) : favourite);
}

static uint64_t any_slot(void)
{
    return one_in(3) ? 1 + below(SLOTS) : H_FREE + below(SLOTS - H_FREE);
}

static uint64_t free_slot(void)
{
    return H_FREE + below(SLOTS - H_FREE);
}

static uint64_t copyable(void)
{
    return one_in(4) ? any_slot() : H_THREAD + below(7 * THREADS);
}

static uint64_t untyped(void)
{
    return one_in(4) ? any_slot() : H_UNTYPED + below(2);
}

static uint64_t address(void)
{
    return below(20) * PAGE_SIZE + (one_in(2) ? LARGE_PAGE_SIZE : 0);
}

static uint64_t deadline(void)
{
    return one_in(3) ? fake.now + below(400) : DEADLINE_NEVER;
}

static uint64_t message(void)
{
    return INFO(below(100), one_in(4) ? below(70) : below(5));
}

// ---- What a thread does -------------------------------------------------------------------------------------------

static void set_args(uint64_t *x, const uint64_t args[8])
{
    memcpy(x, args, 8 * sizeof(uint64_t));
}

#define ARGS(...) set_args(x, (const uint64_t[8]){__VA_ARGS__})

static unsigned pick_call(uint64_t *x)
{
    static const struct {
        uint64_t type;
        uint64_t size;
    } things[] = {
        {OBJ_UNTYPED, 0x4000}, {OBJ_CSPACE, 20},     {OBJ_THREAD, 0},
        {OBJ_SPACE, 4},        {OBJ_FRAMES, 0x8000}, {OBJ_NOTIFICATION, 0},
        {OBJ_ENDPOINT, 0},     {OBJ_VCPU, 0},        {OBJ_SPACE, SPACE_GUEST | 4},
    };
    uint64_t kind = below(ARRAY_SIZE(things));
    uint64_t core = below(CORES);
    uint64_t budget = 1 + below(300);
    switch (below(45)) {
    case 0 ... 4:
        ARGS(some(H_ENDPOINT), 0, message(), 1, 2, 3, 4);
        return SYS_call;
    case 5 ... 10:
        ARGS(RECEIVE_REPLY, deadline(), message(), 1, 2, 3, 4);
        x[0] = one_in(5) ? below(4) : RECEIVE_REPLY;
        return SYS_receive;
    case 11 ... 13:
        ARGS(some(H_NOTIFICATION));
        return SYS_signal;
    case 14:
        ARGS(0);
        return SYS_yield;
    case 15:
        ARGS(untyped(), things[kind].type, things[kind].size, H_CSPACE, free_slot());
        return SYS_retype;
    case 16 ... 17:
        ARGS(H_CSPACE, copyable(), H_CSPACE, free_slot(), one_in(3) ? below(32) : RIGHT_ALL,
             one_in(3) ? 1 + below(9) : 0);
        return SYS_copy;
    case 18:
        ARGS(H_CSPACE, any_slot(), H_CSPACE, free_slot());
        return SYS_move;
    case 19:
        ARGS(H_CSPACE, one_in(10) ? any_slot() : free_slot());
        return SYS_delete;
    case 20:
        ARGS(H_CSPACE, one_in(10) ? H_NOTIFICATION + below(4 * THREADS) : free_slot());
        return SYS_revoke;
    case 21:
        ARGS(any_slot());
        return SYS_identify;
    case 22 ... 23:
        ARGS(one_in(2) ? some(H_FRAMES) : free_slot(), some(H_SPACE), address(),
             one_in(8) ? below(16) : MAP_READ);
        return SYS_map;
    case 24:
        ARGS(one_in(2) ? some(H_FRAMES) : free_slot());
        return SYS_unmap;
    case 25:
        ARGS(some(H_THREAD), below(THREAD_SLOT_COUNT), one_in(2) ? 0 : any_slot());
        if (one_in(2)) { // puts something back in its place
            uint64_t n = below(THREADS);
            static const uint64_t what[THREAD_SLOT_COUNT] = {
                0, H_SPACE, H_NOTIFICATION, H_ENDPOINT, H_ENDPOINT, H_FRAMES, H_VCPU};
            ARGS(H_THREAD + n, x[1], x[1] == THREAD_CSPACE ? H_CSPACE : what[x[1]] + n);
        }
        return SYS_thread_bind;
    case 26 ... 28:
        ARGS(some(H_THREAD));
        return SYS_thread_start;
    case 29:
        ARGS(some(H_THREAD));
        return SYS_thread_stop;
    case 30:
        ARGS(some(H_THREAD), H_TIME, 90 + below(4), core, budget,
             one_in(2) ? budget : budget + below(300));
        return SYS_thread_time;
    case 31:
        ARGS(some(H_THREAD), below(4));
        return SYS_thread_flags;
    case 32:
        ARGS(some(H_THREAD));
        return SYS_thread_info;
    case 33 ... 34:
        ARGS(some(H_VCPU), below(VCPU_SLOT_COUNT), one_in(3) ? any_slot() : 0);
        if (one_in(2)) {
            uint64_t n = below(THREADS);
            ARGS(H_VCPU + n, x[1], (x[1] == VCPU_SPACE ? H_GUEST : H_FRAMES) + n);
        }
        return SYS_vcpu_bind;
    case 35 ... 37:
        ARGS(some(H_VCPU));
        return SYS_vcpu_kick;
    case 38:
        ARGS(some(H_VCPU));
        return one_in(2) ? SYS_vcpu_sync : SYS_vcpu_reset;
    case 39:
        ARGS(some(H_VCPU), below(VCPU_REGISTERS + 1), below(8));
        return one_in(2) ? SYS_vcpu_read : SYS_vcpu_write;
    case 40:
        ARGS(some(H_VCPU), address(), below(2));
        return SYS_vcpu_translate;
    case 41 ... 42:
        ARGS(free_slot(), one_in(2) ? some(H_VCPU) : some(H_NOTIFICATION), 30 + below(6));
        return SYS_irq_bind;
    case 43:
        ARGS(free_slot());
        return SYS_irq_ack;
    default:
        ARGS(H_IRQ_CONTROL, untyped(), FAKE_IRQ_FIRST + below(4), below(2), H_CSPACE, free_slot());
        return SYS_irq_create;
    }
}

static void begin_call(struct thread *t)
{
    uint64_t *x = t->regs.x;
    x[X_NUMBER] = pick_call(x) + 1;
    memcpy(&x[X_SAVED], x, 8 * sizeof(uint64_t));
}

// What a VMM does before it kicks.
static void post(uint64_t vcpu)
{
    struct cap cap;
    if (slot_read(&shared->slots[vcpu], &cap) && cap.type == OBJ_VCPU) {
        struct vcpu *v = CONTAINER_OF(cap.obj, struct vcpu, obj);
        struct vcpu_page *page = v->page;
        if (page != NULL) {
            page->enabled = UINT64_MAX;
            page->pending |= BIT(below(VCPU_SOURCES));
            page->attention |= VCPU_ATTENTION_NEW;
        }
        vcpu_kick(v);
    }
}

static void act_as_guest(unsigned core)
{
    if (one_in(2)) {
        (void)fake_vcpu_wfi(core);
    } else if (one_in(2)) {
        (void)fake_vcpu_take(core);
    } else {
        (void)fake_vcpu_trap(core);
    }
}

// One entry of the core's running thread.
static void act(unsigned core, struct thread *t)
{
    if (arch_guest_mode(&t->regs)) {
        act_as_guest(core);
        return;
    }
    if (t->regs.pc % 8 == 4) { // the last call has returned
        t->regs.pc += 4;
        t->regs.x[X_NUMBER] = 0;
    }
    if (t->regs.x[X_NUMBER] != 0) { // it is made again
        if (memcmp(t->regs.x, &t->regs.x[X_SAVED], 8 * sizeof(uint64_t)) != 0) {
            fake_fail("call %u is made again with other arguments",
                      (unsigned)t->regs.x[X_NUMBER] - 1);
        }
    } else if (one_in(30)) {
        (void)fake_fault(core, FAULT_VM, 0);
        return;
    } else if (one_in(20)) {
        fake_fp_use(core);
        return;
    } else if (one_in(4)) {
        (void)fake_vcpu_run(core, deadline());
        return;
    } else {
        begin_call(t);
    }
    (void)fake_syscall(core, (unsigned)t->regs.x[X_NUMBER] - 1);
}

// What others do while a core idles: an interrupt signals somebody, or somebody is started again.
static void stir(void *arg)
{
    struct cap cap;
    (void)arg;
    if (one_in(3)) {
        post(H_VCPU + below(THREADS));
        return;
    }
    if (one_in(2) && slot_read(&shared->slots[H_NOTIFICATION + below(THREADS)], &cap) &&
        cap.type == OBJ_NOTIFICATION) {
        notification_signal(CONTAINER_OF(cap.obj, struct notification, obj), 1 + below(100));
        return;
    }
    if (!spin_trylock(&build_lock)) {
        return;
    }
    if (slot_read(&shared->slots[H_THREAD + below(THREADS)], &cap) && cap.type == OBJ_THREAD) {
        struct thread *t = CONTAINER_OF(cap.obj, struct thread, obj);
        if (t->space != NULL && t->own.budget != 0) {
            thread_start(t);
        }
    }
    spin_unlock(&build_lock);
}

static bool part(unsigned core, void *arg)
{
    (void)arg;
    struct thread *t = percpu[core].current;
    fake.now += below(30);
    fake.interrupt_in = one_in(3) ? 1 + below(6) : 0;
    if (one_in(40)) {
        (void)fake_interrupt(core);
    } else if (t != NULL) {
        act(core, t);
    } else {
        fake_inside(core, stir, NULL);
    }
    return --entries_left[core] != 0;
}

// ---- Their world --------------------------------------------------------------------------------------------------

static void share(uint64_t cspace, uint64_t to, uint64_t handle)
{
    SYS_OK(0, move, BOOT_CSPACE, handle, cspace, to);
}

static uint64_t build(void)
{
    uint64_t cs = world_make(OBJ_CSPACE, SLOTS);
    SYS_OK(0, copy, BOOT_CSPACE, BOOT_TIME, cs, H_TIME, RIGHT_WRITE | RIGHT_COPY, 0);
    SYS_OK(0, copy, BOOT_CSPACE, BOOT_IRQ_CONTROL, cs, H_IRQ_CONTROL, RIGHT_WRITE | RIGHT_COPY, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        uint64_t t = world_make(OBJ_THREAD, 0);
        uint64_t made[] = {world_make(OBJ_SPACE, 6),    world_make(OBJ_NOTIFICATION, 0),
                           world_make(OBJ_ENDPOINT, 0), world_make(OBJ_FRAMES, 3 * PAGE_SIZE),
                           world_make(OBJ_VCPU, 0),     world_make(OBJ_SPACE, SPACE_GUEST | 4)};
        SYS_OK(0, vcpu_bind, made[4], VCPU_SPACE, made[5]);
        SYS_OK(0, vcpu_bind, made[4], VCPU_PAGE, made[3]);
        SYS_OK(0, thread_bind, t, THREAD_VCPU, made[4]);
        SYS_OK(0, thread_bind, t, THREAD_CSPACE, cs);
        SYS_OK(0, thread_bind, t, THREAD_SPACE, made[0]);
        SYS_OK(0, thread_bind, t, THREAD_NOTIFICATION, made[1]);
        SYS_OK(0, thread_bind, t, THREAD_ENDPOINT, made[2]);
        SYS_OK(0, thread_bind, t, THREAD_MESSAGE, made[3]);
        SYS_OK(0, thread_flags, t, i % 2 == 0 ? THREAD_PASSIVE | THREAD_FP : THREAD_FP);
        SYS_OK(0, thread_time, t, BOOT_TIME, 90 + i % 4, i % CORES, 100 + 10 * i,
               i % 3 == 0 ? 500 : 100 + 10 * i);
        share(cs, H_THREAD + i, t);
        share(cs, H_SPACE + i, made[0]);
        share(cs, H_NOTIFICATION + i, made[1]);
        share(cs, H_ENDPOINT + i, made[2]);
        share(cs, H_FRAMES + i, made[3]);
        share(cs, H_VCPU + i, made[4]);
        share(cs, H_GUEST + i, made[5]);
    }
    for (unsigned i = 0; i < THREADS; i++) { // each handles the faults of the next
        uint64_t t = world_slot();
        uint64_t e = world_slot();
        SYS_OK(0, copy, cs, H_THREAD + (i + 1) % THREADS, BOOT_CSPACE, t, RIGHT_ALL, 0);
        SYS_OK(0, copy, cs, H_ENDPOINT + i, BOOT_CSPACE, e, RIGHT_ALL, 0);
        SYS_OK(0, thread_bind, t, THREAD_FAULT, e);
        SYS_OK(0, thread_start, t);
    }
    share(cs, H_UNTYPED, world_make(OBJ_UNTYPED, 0x40000));
    share(cs, H_OTHER_UNTYPED, world_make(OBJ_UNTYPED, 0x20000));
    SYS_OK(0, copy, BOOT_CSPACE, cs, cs, H_CSPACE, RIGHT_ALL, 0);
    return cs;
}

static void wake_init(void *arg)
{
    notification_signal(arg, 1);
}

static void play_once(uint64_t memory)
{
    world.from = memory;
    world.next = 200;
    state_of_random = seed * 0x9e3779b97f4a7c15u | 1;
    favourite = below(THREADS);
    shared = CONTAINER_OF(world_object(build()), struct cspace, obj);
    check_kernel(true);
    assert_int_equal(SYS(0, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
    switch_rarely = (unsigned[]){2, 5, 20, 100}[seed % 4];
    for (unsigned i = 0; i < CORES; i++) {
        entries_left[i] = ENTRIES;
    }
    fake_play(part, NULL, choose, NULL);
    fake.interrupt_in = 0;
    check_kernel(false);
    fake_inside(0, wake_init, world.init->notification);
    SYS_OK(0, revoke, BOOT_CSPACE, memory);
    SYS_OK(0, delete, BOOT_CSPACE, world_make_from(UNTYPED, OBJ_ENDPOINT, 0)); // what others left
    check_kernel(true);
    assert_int_equal(untyped_at(memory)->live, 0);
}

static void tell_seed(int number)
{
    (void)number;
    (void)fprintf(stderr, "seed %lu\n", (unsigned long)seed);
}

static void cores_play_at_random(void **state)
{
    (void)state;
    (void)signal(SIGABRT, tell_seed);
    world_start(CORES);
    uint64_t memory = world_make(OBJ_UNTYPED, 0x200000);
    const char *chosen = getenv("SEED");
    uint64_t first = chosen != NULL ? strtoull(chosen, NULL, 10) : 1;
    uint64_t plays = chosen != NULL ? 1 : getenv("LONG") != NULL ? PLAYS_LONG : PLAYS;
    for (seed = first; seed < first + plays; seed++) {
        play_once(memory);
    }
    world_end();
}

static int teardown(void **state)
{
    (void)state;
    tell_seed(0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(cores_play_at_random, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

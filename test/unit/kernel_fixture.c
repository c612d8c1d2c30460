// See kernel_fixture.h.
#include "kernel_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/bundle.h>
#include <base/bits.h>

#include "boot.h"
#include "cap.h"
#include "lock.h"
#include "percpu.h"
#include "reap.h"
#include "sched.h"
#include "tlb.h"

#define BUNDLE_AT    FAKE_RAM_BASE
#define BUNDLE_BYTES 0x4000u
#define FDT_AT       (FAKE_RAM_BASE + 0x10000u)
#define SMALL_AT     (FAKE_RAM_BASE + 0x20000u)
#define LARGE_AT     (FAKE_RAM_BASE + 0x200000u)
#define RESTARTS_MAX 1000000u

struct world world;

#define ROOTS 2u

// The test's own capabilities to all memory: what the first process has derives from them, so that everything can be
// taken back whatever it does with its own.
static struct slot keepers[ROOTS];
static struct untyped *roots[ROOTS];

static void keep(unsigned root)
{
    struct slot *s = &world.cspace->slots[BOOT_UNTYPED + root];
    struct cap cap;
    slot_init(&keepers[root], SLOT_IN_CSPACE, 0);
    assert_true(slot_read(s, &cap));
    while (!slot_move_step(&keepers[root], s)) {
    }
    slot_fill(s, &cap, &keepers[root]);
    roots[root] = CONTAINER_OF(cap.obj, struct untyped, obj);
}

// ---- Beginning and end ----------------------------------------------------------------------------------------

static void write_bundle(void)
{
    struct bundle_header *b = phys_to_virt(paddr(BUNDLE_AT));
    memset(b, 0, BUNDLE_BYTES);
    *b = (struct bundle_header){
        .magic = BUNDLE_MAGIC,
        .revision = BUNDLE_REVISION,
        .header_size = sizeof(*b),
        .size = BUNDLE_BYTES,
        .init = {.offset = PAGE_SIZE, .size = 2 * PAGE_SIZE},
    };
    struct init_header *h = phys_to_virt(paddr(BUNDLE_AT + PAGE_SIZE));
    *h = (struct init_header){
        .magic = INIT_MAGIC,
        .entry = BOOT_IMAGE_ADDRESS + sizeof(*h),
        .text_size = PAGE_SIZE,
        .data_size = PAGE_SIZE,
        .bss_size = PAGE_SIZE,
    };
    memset(phys_to_virt(paddr(BUNDLE_AT + 2 * PAGE_SIZE)), 0x5d, PAGE_SIZE);
}

static void fill_with_rubbish(void)
{
    static bool filled;
    if (!filled) {
        memset(phys_to_virt(paddr(SMALL_AT)), 0xa5, FAKE_RAM_BASE + FAKE_RAM_SIZE - SMALL_AT);
        filled = true;
    }
}

void world_start_with(unsigned cores, unsigned stage2_bits, unsigned vmids)
{
    struct boot_machine m = {
        .free = {{SMALL_AT, LARGE_AT - SMALL_AT},
                 {LARGE_AT, FAKE_RAM_BASE + FAKE_RAM_SIZE - LARGE_AT}},
        .free_count = 2,
        .bundle = {BUNDLE_AT, BUNDLE_BYTES},
        .fdt = {FDT_AT, PAGE_SIZE},
        .fdt_offset = 0x40,
        .fdt_size = 0x100,
        .gic_version = 3,
        .ticks_per_second = 1000000,
    };
    fake_reset(cores);
    fake.stage2_bits = stage2_bits;
    fake.vmids = vmids;
    fill_with_rubbish();
    write_bundle();
    for (unsigned i = 0; i < cores; i++) {
        sched_init(&percpu[i], i);
        percpu[i].arch.deadline = UINT64_MAX;
    }
    boot_first_process(&m);
    for (unsigned i = 0; i < cores; i++) {
        (void)fake_interrupt(i);
    }
    struct thread *init = percpu[0].current;
    world = (struct world){.cspace = init->cspace, .init = init, .next = 100, .from = UNTYPED};
    for (unsigned i = 0; i < ROOTS; i++) {
        keep(i);
    }
    world.large = untyped_at(UNTYPED);
}

static void take_back(void *arg)
{
    (void)arg;
    struct work work = {0};
    for (unsigned i = 0; i < ROOTS; i++) {
        while (!slot_revoke(&keepers[i], &work)) {
            work = (struct work){0};
        }
        while (!slot_delete_step(&keepers[i])) {
        }
    }
    while (!reap_all(&work)) {
        work = (struct work){0};
    }
}

static void expect_idle(const struct percpu *cpu)
{
    assert_null(cpu->current);
    assert_null(cpu->fp_owner);
    assert_null(cpu->arch.resident);
    assert_null(cpu->timers.first);
    assert_null(cpu->inbox);
    for (unsigned p = 0; p < PRIORITIES; p++) {
        assert_true(list_empty(&cpu->ready[p]));
    }
}

void world_end(void)
{
    fake.interrupt_always = false;
    fake.interrupt_in = 0;
    fake_settle();
    build_lock.taken = 1;
    fake_inside(0, take_back, NULL);
    build_lock.taken = 0;
    fake_settle();
    tlb_kernel_left();
    for (unsigned i = 0; i < ROOTS; i++) {
        assert_int_equal(roots[i]->live, 0);
        assert_int_equal(roots[i]->obj.refs, 0);
    }
    for (unsigned i = 0; i < core_count; i++) {
        expect_idle(&percpu[i]);
    }
    for (uint32_t i = FAKE_IRQ_FIRST; i < FAKE_IRQ_FIRST + FAKE_IRQ_COUNT; i++) {
        assert_int_equal(irq_check(i), OK);
        assert_false(fake_irqs[i].enabled);
    }
}

void world_start(unsigned cores)
{
    world_start_with(cores, 40, FAKE_VMIDS_MAX);
}

int world_setup(void **state)
{
    (void)state;
    world_start(4);
    return 0;
}

int world_teardown(void **state)
{
    (void)state;
    world_end();
    return 0;
}

// ---- System calls ---------------------------------------------------------------------------------------------

static struct thread *running(unsigned core)
{
    struct thread *t = percpu[core].current;
    if (t == NULL) {
        fake_fail("test: nobody runs on core %u", core);
    }
    return t;
}

static err_t outcome(const struct thread *t, uint64_t pc, unsigned core)
{
    memcpy(world.x, t->regs.x, sizeof(world.x));
    if (percpu[core].current == t) {
        return (err_t)world.x[0];
    }
    if (thread_state(t) == THREAD_RECEIVING || thread_state(t) == THREAD_CALLING) {
        return WORLD_BLOCKED;
    }
    return t->regs.pc == pc ? WORLD_AWAY : (err_t)world.x[0];
}

err_t world_call(unsigned core, unsigned number, const uint64_t args[8])
{
    struct thread *t = running(core);
    uint64_t pc = t->regs.pc;
    memcpy(t->regs.x, args, sizeof(world.x));
    world.restarts = 0;
    while (fake_syscall(core, number) == t && t->regs.pc == pc) {
        assert_memory_equal(t->regs.x, args, sizeof(world.x));
        assert_true(++world.restarts < RESTARTS_MAX);
        if (!world.manual) {
            fake_settle();
        }
    }
    err_t err = outcome(t, pc, core);
    if (!world.manual) {
        fake_settle();
    }
    return err;
}

// ---- Refusals -------------------------------------------------------------------------------------------------

struct snapshot {
    unsigned char *low; // of the large untyped: kernel objects
    unsigned char *high;
    size_t low_bytes;
    size_t high_bytes;
    struct percpu cpus[CORES_MAX];
};

static void *copy_of(uint64_t at, size_t bytes)
{
    return memcpy(malloc(bytes), phys_to_virt(paddr(at)), bytes);
}

static void copy_cpus(struct percpu *to)
{
    memcpy(to, percpu, sizeof(percpu));
    for (unsigned i = 0; i < CORES_MAX; i++) {
        to[i].since = 0;
        to[i].arch.deadline = 0;
    }
}

static struct snapshot take_snapshot(void)
{
    const struct untyped *ut = world.large;
    struct snapshot s = {.low_bytes = ut->low - ut->base, .high_bytes = ut->end - ut->high};
    s.low = copy_of(ut->base, s.low_bytes);
    s.high = copy_of(ut->high, s.high_bytes);
    copy_cpus(s.cpus);
    return s;
}

static void expect_same(struct snapshot a, struct snapshot b)
{
    assert_int_equal(a.low_bytes, b.low_bytes);
    assert_int_equal(a.high_bytes, b.high_bytes);
    assert_memory_equal(a.low, b.low, a.low_bytes);
    assert_memory_equal(a.high, b.high, a.high_bytes);
    assert_memory_equal(a.cpus, b.cpus, sizeof(a.cpus));
    free(a.low);
    free(a.high);
    free(b.low);
    free(b.high);
}

void world_refused(unsigned core, err_t wanted, unsigned number, const uint64_t args[8])
{
    struct thread *t = running(core);
    struct arch_regs before = t->regs;
    struct snapshot s = take_snapshot();
    assert_int_equal(world_call(core, number, args), wanted);
    assert_memory_equal(&t->regs.x[1], &args[1], 7 * sizeof(uint64_t));
    t->regs = before;
    expect_same(s, take_snapshot());
}

// ---- Making things --------------------------------------------------------------------------------------------

uint64_t world_slot(void)
{
    return world.next++;
}

uint64_t world_make_from(uint64_t untyped, enum obj_type type, uint64_t size)
{
    uint64_t handle = world_slot();
    SYS_OK(0, retype, untyped, type, size, BOOT_CSPACE, handle);
    return handle;
}

uint64_t world_make(enum obj_type type, uint64_t size)
{
    return world_make_from(world.from, type, size);
}

uint64_t world_copy(uint64_t handle, unsigned rights, uint64_t badge)
{
    uint64_t to = world_slot();
    SYS_OK(0, copy, BOOT_CSPACE, handle, BOOT_CSPACE, to, rights, badge);
    return to;
}

struct slot *world_slot_at(uint64_t handle)
{
    return &world.cspace->slots[handle];
}

struct obj *world_object(uint64_t handle)
{
    return world_slot_at(handle)->obj;
}

void world_give(const struct proc *p, uint64_t to, uint64_t handle, unsigned rights, uint64_t badge)
{
    SYS_OK(0, copy, BOOT_CSPACE, handle, p->cspace, to, rights, badge);
}

void world_set_time(const struct proc *p, unsigned core, unsigned priority, uint64_t budget,
                    uint64_t period)
{
    SYS_OK(0, thread_time, p->thread, BOOT_TIME, priority, core, budget, period);
}

struct proc world_proc(unsigned core, unsigned priority, unsigned flags)
{
    struct proc p = {
        .thread = world_make(OBJ_THREAD, 0),
        .space = world_make(OBJ_SPACE, 16),
        .cspace = world_make(OBJ_CSPACE, PROC_SLOTS),
        .notification = world_make(OBJ_NOTIFICATION, 0),
        .endpoint = world_make(OBJ_ENDPOINT, 0),
        .message = world_make(OBJ_FRAMES, PAGE_SIZE),
    };
    p.t = thread_at(p.thread);
    p.words = phys_to_virt(frames_page(frames_at(p.message), 0));
    const uint64_t held[THREAD_SLOT_COUNT] = {
        [THREAD_CSPACE] = p.cspace,
        [THREAD_SPACE] = p.space,
        [THREAD_NOTIFICATION] = p.notification,
        [THREAD_ENDPOINT] = p.endpoint,
        [THREAD_MESSAGE] = p.message,
    };
    for (unsigned i = 0; i < THREAD_SLOT_COUNT; i++) {
        if (held[i] != 0) {
            SYS_OK(0, thread_bind, p.thread, i, held[i]);
        }
    }
    world_give(&p, PROC_CSPACE, p.cspace, RIGHT_ALL, 0);
    world_give(&p, PROC_NOTIFICATION, p.notification, RIGHT_ALL, 0);
    world_give(&p, PROC_ENDPOINT, p.endpoint, RIGHT_ALL, 0);
    world_set_time(&p, core, priority, WORLD_SLICE, WORLD_SLICE);
    SYS_OK(0, thread_flags, p.thread, flags);
    return p;
}

void world_start_proc(const struct proc *p)
{
    SYS_OK(0, thread_start, p->thread);
}

// ---- Looking --------------------------------------------------------------------------------------------------

void assert_running(unsigned core, const struct proc *p)
{
    assert_ptr_equal(percpu[core].current, p == NULL ? NULL : p->t);
}

void assert_state(const struct proc *p, enum thread_state state)
{
    assert_int_equal(thread_state(p->t), state);
}

uint64_t reg(const struct proc *p, unsigned x)
{
    return p->t->regs.x[x];
}

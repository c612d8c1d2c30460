// Fake cores: how they enter and leave the kernel, take their interrupts, and play together. See fake.h.
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stddef.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <base/bits.h>

#include "arch.h"
#include "entry.h"
#include "fake.h"
#include "lock.h"
#include "notification.h"
#include "percpu.h"
#include "sched.h"
#include "thread.h"
#include "tlb.h"
#include "vcpu.h"

#define SPINS_MAX   10000u
#define STACK_BYTES 0x40000u
#define STEPS_MAX   2000000u // of one play

// ---- In and out -----------------------------------------------------------------------------------------------

static struct percpu *enter(unsigned core)
{
    struct percpu *before = fake_cpu;
    if (fake_cores[core].in_kernel) {
        fake_fail("core %u enters the kernel, where it already is", core);
    }
    fake_cores[core].in_kernel = true;
    fake_cpu = &percpu[core];
    return before;
}

static void check_choice(const struct percpu *cpu)
{
    const struct thread *t = cpu->current;
    if (t != NULL && (!thread_is(t, THREAD_READY, cpu->id) || t->throttled)) {
        fake_fail("core %u goes on with a thread that is not ready", cpu->id);
    }
    for (unsigned p = t != NULL ? t->priority + 1u : 0; p < PRIORITIES; p++) {
        if (!list_empty(&cpu->ready[p])) {
            fake_fail("core %u goes on although a thread of priority %u is ready", cpu->id, p);
        }
    }
    if (cpu->arch.deadline > timeq_first(&cpu->timers)) {
        fake_fail("core %u misses its first deadline", cpu->id);
    }
}

static void leave_guest(struct thread *t, int64_t result, uint64_t bits)
{
    arch_leave_guest_mode(&t->regs, result, bits);
    atomic_store(&t->wait, WAIT_NONE);
}

// A thread in guest mode goes on: the order is that of the real one, kernel/arch/aarch64/guest.c.
static void enter_guest(struct thread *t)
{
    struct vcpu *v = t->vcpu;
    struct notification *n = t->notification;
    if (!v->ready) {
        fake_fail("core %u enters a guest that has no memory", fake_cpu->id);
    }
    fake_vcpu_load(v);
    atomic_store_explicit(&t->wait, WAIT_GUEST, memory_order_relaxed);
    uint64_t bits = n != NULL ? atomic_exchange(&n->word, 0) : 0;
    if (bits != 0) {
        leave_guest(t, VCPU_NOTIFIED, bits);
        return;
    }
    if (v->deadline <= fake.now) {
        leave_guest(t, VCPU_DEADLINE, 0);
        return;
    }
    if (v->deadline < fake_cpu->arch.deadline) {
        fake_timer_set(v->deadline);
    }
    if ((atomic_load(&v->page->attention) | atomic_load(&v->linked_raised)) != 0) {
        fake_vcpu_update(v);
    }
}

static struct thread *leave(struct percpu *before, struct thread *t)
{
    struct percpu *cpu = fake_cpu;
    if (t != NULL && arch_guest_mode(&t->regs)) {
        enter_guest(t);
    }
    if (t != cpu->current || fake_cores[cpu->id].loaded != t || cpu->need_pick) {
        fake_fail("core %u leaves the kernel with another thread than it has chosen", cpu->id);
    }
    check_choice(cpu);
    if (build_lock.taken == 0) {
        tlb_kernel_left();
    }
    fake_cores[cpu->id].in_kernel = false;
    fake_cpu = before;
    return t;
}

static struct thread *running(unsigned core)
{
    struct thread *t = percpu[core].current;
    if (t == NULL) {
        fake_fail("no thread runs on core %u", core);
    }
    return t;
}

struct thread *fake_syscall(unsigned core, unsigned number)
{
    struct thread *t = running(core);
    t->regs.pc += 4;
    struct percpu *before = enter(core);
    return leave(before, entry_syscall(t, number));
}

struct thread *fake_fault(unsigned core, enum fault_label label, uint64_t address)
{
    struct thread *t = running(core);
    struct percpu *before = enter(core);
    return leave(before, entry_fault(t, label, t->regs.pc, address, 0x77, false));
}

struct thread *fake_interrupt(unsigned core)
{
    struct percpu *before = enter(core);
    if (fake_cores[core].kicked) {
        fake_cores[core].kicked = false;
        entry_kick();
    }
    if (percpu[core].arch.deadline <= fake.now) {
        entry_timer();
    }
    return leave(before, entry_resume());
}

struct thread *fake_irq_raise(uint32_t intid)
{
    struct fake_irq *irq = &fake_irqs[intid];
    if (!irq->enabled || irq->active) {
        return NULL;
    }
    irq->active = true;
    struct percpu *before = enter(irq->core);
    entry_irq(intid);
    return leave(before, entry_resume());
}

void fake_inside(unsigned core, void (*run)(void *arg), void *arg)
{
    struct percpu *before = enter(core);
    run(arg);
    (void)leave(before, entry_resume());
}

void fake_fp_use(unsigned core)
{
    struct thread *t = running(core);
    struct percpu *cpu = &percpu[core];
    if ((t->flags & THREAD_FP) == 0) {
        (void)fake_fault(core, FAULT_USER, 0);
        return;
    }
    if (cpu->fp_owner != NULL) {
        cpu->fp_owner->resident = 0;
    }
    if (t->fp.resident != 0) {
        fake_fail("core %u loads FP registers that are still on core %u", core, t->fp.resident - 1);
    }
    t->fp.resident = core + 1;
    cpu->fp_owner = &t->fp;
}

// ---- Guests ---------------------------------------------------------------------------------------------------

static struct thread *running_guest(unsigned core)
{
    struct thread *t = running(core);
    if (!arch_guest_mode(&t->regs)) {
        fake_fail("core %u runs no guest", core);
    }
    return t;
}

struct thread *fake_vcpu_run(unsigned core, uint64_t deadline)
{
    struct thread *t = running(core);
    struct vcpu *v = t->vcpu;
    t->regs.pc += 4;
    struct percpu *before = enter(core);
    if (v == NULL || !v->ready) {
        t->regs.x[0] = (uint64_t)(v == NULL ? ERR_NO_CAP : ERR_BUSY);
    } else if ((t->flags & THREAD_PASSIVE) != 0) {
        t->regs.x[0] = (uint64_t)ERR_INVALID;
    } else {
        v->deadline = deadline;
        t->regs.pstate = FAKE_GUEST_MODE;
    }
    return leave(before, t);
}

uint64_t fake_vcpu_take(unsigned core)
{
    struct vcpu *v = running_guest(core)->vcpu;
    uint64_t taken = v->arch.listed;
    v->arch.listed = 0;
    return taken;
}

struct thread *fake_vcpu_trap(unsigned core)
{
    struct thread *t = running_guest(core);
    struct percpu *before = enter(core);
    leave_guest(t, VCPU_TRAP, 0);
    return leave(before, t);
}

static bool awaits(const struct vcpu *v)
{
    return v->arch.listed != 0 || atomic_load(&v->page->attention) != 0 ||
           (atomic_load(&v->linked_raised) & atomic_load(&v->page->enabled)) != 0;
}

struct thread *fake_vcpu_wfi(unsigned core)
{
    struct thread *t = running_guest(core);
    struct percpu *before = enter(core);
    if (!awaits(t->vcpu)) {
        vcpu_idle(t);
    }
    return leave(before, sched_pick(fake_cpu));
}

// ---- Time -----------------------------------------------------------------------------------------------------

static bool has_interrupt(unsigned core)
{
    return fake_cores[core].kicked || percpu[core].arch.deadline <= fake.now;
}

void fake_settle(void)
{
    bool again = true;
    for (unsigned round = 0; again; round++) {
        again = false;
        for (unsigned core = 0; core < core_count; core++) {
            if (has_interrupt(core)) {
                (void)fake_interrupt(core);
                again = true;
            }
        }
        if (round > SPINS_MAX) {
            fake_fail("the interrupts never end");
        }
    }
}

void fake_advance(uint64_t ticks)
{
    uint64_t end = fake.now + ticks;
    for (;;) {
        fake_settle();
        uint64_t next = UINT64_MAX;
        for (unsigned core = 0; core < core_count; core++) {
            uint64_t deadline = percpu[core].arch.deadline;
            next = deadline < next ? deadline : next;
        }
        if (next > end) {
            fake.now = end;
            return;
        }
        fake.now = next;
    }
}

// ---- Playing together -----------------------------------------------------------------------------------------
// Each core of a play has a stack of its own (a fiber); the play's loop resumes one after the other.

struct fiber {
    ucontext_t context;
    void *stack;
    void *sanitizer; // its record of this stack
    bool done;       // the part has nothing more to do
    bool spinning;   // until another core has done something
};

static struct fiber fibers[CORES_MAX];

static struct {
    bool on;
    bool over;    // fibers return
    unsigned now; // whose turn it is
    fake_part *part;
    void *part_arg;
    fake_choose *choose;
    void *choose_arg;
    uint64_t steps;
    ucontext_t loop;
    void *sanitizer;
    const void *loop_stack;
    size_t loop_bytes;
} play;

static uint32_t who_may(void)
{
    uint32_t may = 0;
    for (unsigned core = 0; core < core_count; core++) {
        const struct fiber *f = &fibers[core];
        const struct fake_core *c = &fake_cores[core];
        bool wants =
            c->in_kernel ? !f->spinning : (has_interrupt(core) || !(f->done || f->spinning));
        may |= wants ? (uint32_t)BIT(core) : 0;
    }
    return may;
}

static bool stop_spinning(void)
{
    bool any = false;
    for (unsigned core = 0; core < core_count; core++) {
        any |= fibers[core].spinning;
        fibers[core].spinning = false;
    }
    return any;
}

// Decides who goes on. False: nobody has anything to do.
static bool next_turn(void)
{
    uint32_t may = who_may();
    if (may == 0 && stop_spinning()) {
        may = who_may();
    }
    if (may != 0) {
        play.now = play.choose(play.choose_arg, may, play.now);
    }
    return may != 0;
}

static void to_loop(struct fiber *f, bool for_good)
{
    __sanitizer_start_switch_fiber(for_good ? NULL : &f->sanitizer, play.loop_stack,
                                   play.loop_bytes);
    swapcontext(&f->context, &play.loop);
    __sanitizer_finish_switch_fiber(f->sanitizer, NULL, NULL);
}

// The current core has done a step, or found that it has to wait for others.
static void step(bool spinning)
{
    unsigned me = play.now;
    if (++play.steps > STEPS_MAX) {
        fake_fail("a play without end: core %u", me);
    }
    if (!spinning) {
        (void)stop_spinning();
    }
    fibers[me].spinning = spinning;
    if (!next_turn() || play.now != me) {
        to_loop(&fibers[me], false);
        fake_cpu = &percpu[me];
    }
}

void fake_point(void)
{
    if (play.on && !play.over) {
        step(false);
    }
}

void fake_relax(void)
{
    static unsigned spins;
    if (play.on) {
        step(true);
        return;
    }
    for (unsigned core = 0; core < core_count; core++) {
        if (fake_cores[core].kicked && !fake_cores[core].in_kernel) {
            spins = 0;
            (void)fake_interrupt(core);
            return;
        }
    }
    if (++spins > SPINS_MAX) {
        fake_fail("core %u spins for ever", fake_cpu->id);
    }
}

// An interrupt may take its time: the thread goes on for a while, as the steps so far will have it.
static bool is_late(void)
{
    return play.steps * 0x9e3779b97f4a7c15u >> 62 == 0;
}

static void body(void)
{
    __sanitizer_finish_switch_fiber(NULL, &play.loop_stack, &play.loop_bytes);
    unsigned core = play.now;
    struct fiber *f = &fibers[core];
    fake_cpu = &percpu[core];
    while (!play.over) {
        if (has_interrupt(core) && (f->done || !is_late())) {
            (void)fake_interrupt(core);
        } else if (!f->done) {
            f->done = !play.part(core, play.part_arg);
        }
        step(false);
    }
    to_loop(f, true);
}

static void prepare(struct fiber *f)
{
    if (f->stack == NULL) {
        f->stack =
            mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    __asan_unpoison_memory_region(f->stack, STACK_BYTES);
    f->done = false;
    f->spinning = false;
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK_BYTES;
    f->context.uc_link = NULL;
    makecontext(&f->context, body, 0);
}

static void resume(struct fiber *f)
{
    __sanitizer_start_switch_fiber(&play.sanitizer, f->stack, STACK_BYTES);
    swapcontext(&play.loop, &f->context);
    __sanitizer_finish_switch_fiber(play.sanitizer, NULL, NULL);
}

void fake_play(fake_part *part, void *part_arg, fake_choose *choose, void *choose_arg)
{
    struct percpu *before = fake_cpu;
    play.on = true;
    play.over = false;
    play.now = 0;
    play.part = part;
    play.part_arg = part_arg;
    play.choose = choose;
    play.choose_arg = choose_arg;
    play.steps = 0;
    for (unsigned core = 0; core < core_count; core++) {
        prepare(&fibers[core]);
    }
    while (next_turn()) {
        resume(&fibers[play.now]);
    }
    play.over = true;
    for (unsigned core = 0; core < core_count; core++) {
        play.now = core;
        resume(&fibers[core]);
    }
    play.on = false;
    fake_cpu = before;
}

// Virtual cores: what they hold, who may enter them, how what is posted reaches a guest wherever it is, and their end.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"
#include "percpu.h"
#include "vcpu.h"

#define INTID  50u
#define SOURCE 40u // where it is linked to

// A VMM's thread with a complete vcpu, which it has at PROC_FREE.
struct vm {
    struct proc p;
    uint64_t vcpu; // handles in the first process's capability space
    uint64_t guest;
    uint64_t page;
    struct vcpu *v;
};

static struct vcpu *vcpu_at(uint64_t handle)
{
    return CONTAINER_OF(world_object(handle), struct vcpu, obj);
}

static struct vm make_vm(unsigned core, unsigned priority)
{
    struct vm vm = {
        .p = world_proc(core, priority, 0),
        .vcpu = world_make(OBJ_VCPU, 0),
        .guest = world_make(OBJ_SPACE, SPACE_GUEST | 8),
        .page = world_make(OBJ_FRAMES, PAGE_SIZE),
    };
    vm.v = vcpu_at(vm.vcpu);
    SYS_OK(0, vcpu_bind, vm.vcpu, VCPU_SPACE, vm.guest);
    SYS_OK(0, vcpu_bind, vm.vcpu, VCPU_PAGE, vm.page);
    SYS_OK(0, thread_bind, vm.p.thread, THREAD_VCPU, vm.vcpu);
    world_give(&vm.p, PROC_FREE, vm.vcpu, RIGHT_ALL, 0);
    vm.v->page->enabled = UINT64_MAX;
    return vm;
}

static struct vm start_vm(unsigned core, unsigned priority)
{
    struct vm vm = make_vm(core, priority);
    world_start_proc(&vm.p);
    return vm;
}

static struct vm start_guest(unsigned core)
{
    struct vm vm = start_vm(core, 100);
    assert_ptr_equal(fake_vcpu_run(core, DEADLINE_NEVER), vm.p.t);
    return vm;
}

static struct vm start_idle_guest(unsigned core)
{
    struct vm vm = start_guest(core);
    assert_null(fake_vcpu_wfi(core));
    assert_state(&vm.p, THREAD_RECEIVING);
    check_kernel(true);
    return vm;
}

static bool in_guest(const struct vm *vm)
{
    return arch_guest_mode(&vm->p.t->regs);
}

// It is the VMM's again, with this result of VCPU_RUN.
static void assert_exit(const struct vm *vm, int64_t result)
{
    assert_false(in_guest(vm));
    assert_int_equal((int64_t)reg(&vm->p, 0), result);
    assert_int_equal(vm->p.t->wait, WAIT_NONE);
}

static void post(const struct vm *vm, unsigned source)
{
    vm->v->page->pending |= BIT(source);
    vm->v->page->attention |= VCPU_ATTENTION_NEW;
}

// ---- What it holds ------------------------------------------------------------------------------------------------

static void binding_is_checked(void **state)
{
    (void)state;
    uint64_t v = world_make(OBJ_VCPU, 0);
    uint64_t guest = world_make(OBJ_SPACE, SPACE_GUEST | 4);
    uint64_t page = world_make(OBJ_FRAMES, 2 * PAGE_SIZE);
    uint64_t device = world_slot();
    SYS_OK(0, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, FAKE_DEVICES, 1, BOOT_CSPACE, device);
    REFUSED(0, ERR_INVALID, vcpu_bind, v, VCPU_SLOT_COUNT, guest);
    REFUSED(0, ERR_INVALID, vcpu_bind, v, UINT64_MAX, guest);
    REFUSED(0, ERR_INVALID, vcpu_bind, v, 1ull << 32, guest);
    REFUSED(0, ERR_NO_CAP, vcpu_bind, v, VCPU_SPACE, world_slot());
    REFUSED(0, ERR_NO_CAP, vcpu_bind, v, VCPU_SPACE, BOOT_CSPACE_SLOTS);
    REFUSED(0, ERR_TYPE, vcpu_bind, guest, VCPU_SPACE, guest);
    REFUSED(0, ERR_TYPE, vcpu_bind, v, VCPU_SPACE, page);
    REFUSED(0, ERR_TYPE, vcpu_bind, v, VCPU_PAGE, guest);
    REFUSED(0, ERR_RIGHTS, vcpu_bind, world_copy(v, RIGHT_READ, 0), VCPU_SPACE, guest);
    REFUSED(0, ERR_RIGHTS, vcpu_bind, v, VCPU_SPACE, world_copy(guest, RIGHT_READ, 0));
    REFUSED(0, ERR_RIGHTS, vcpu_bind, v, VCPU_PAGE, world_copy(page, RIGHT_READ, 0));
    REFUSED(0, ERR_RIGHTS, vcpu_bind, v, VCPU_PAGE, world_copy(page, RIGHT_WRITE, 0));
    REFUSED(0, ERR_INVALID, vcpu_bind, v, VCPU_PAGE, device);
    REFUSED(0, ERR_INVALID, vcpu_bind, v, VCPU_SPACE, world_make(OBJ_SPACE, 4)); // a process's
    SYS_OK(0, vcpu_bind, v, VCPU_SPACE, 0);                                      // nothing is bound
    SYS_OK(0, vcpu_bind, v, VCPU_SPACE, guest);
    SYS_OK(0, vcpu_bind, v, VCPU_PAGE, world_copy(page, RIGHT_ALL, FRAMES_RANGE(1, 1)));
    assert_ptr_equal(vcpu_at(v)->page, phys_to_virt(frames_page(frames_at(page), 1)));
    assert_int_equal(vcpu_at(v)->page->version, VCPU_PAGE_VERSION);
    REFUSED(0, ERR_OCCUPIED, vcpu_bind, v, VCPU_SPACE, guest);
    REFUSED(0, ERR_OCCUPIED, vcpu_bind, v, VCPU_PAGE, page);
    check_kernel(true);
}

static void a_thread_holds_it_alone(void **state)
{
    (void)state;
    struct vm vm = make_vm(1, 100);
    struct proc other = world_proc(2, 100, 0);
    REFUSED(0, ERR_BUSY, thread_bind, other.thread, THREAD_VCPU, vm.vcpu);
    REFUSED(0, ERR_OCCUPIED, thread_bind, vm.p.thread, THREAD_VCPU, vm.vcpu);
    uint64_t v = world_make(OBJ_VCPU, 0);
    REFUSED(0, ERR_TYPE, thread_bind, other.thread, THREAD_VCPU, other.space);
    REFUSED(0, ERR_RIGHTS, thread_bind, other.thread, THREAD_VCPU, world_copy(v, RIGHT_READ, 0));
    world_start_proc(&other);
    REFUSED(0, ERR_BUSY, thread_bind, other.thread, THREAD_VCPU, v);
    SYS_OK(0, thread_bind, vm.p.thread, THREAD_VCPU, 0);
    assert_null(vm.v->thread);
    SYS_OK(0, thread_stop, other.thread);
    SYS_OK(0, thread_bind, other.thread, THREAD_VCPU, vm.vcpu);
    check_kernel(true);
}

#define ALL (MAP_READ | MAP_WRITE | MAP_EXECUTE)

static void only_guests_execute_what_they_write(void **state)
{
    (void)state;
    uint64_t guest = world_make(OBJ_SPACE, SPACE_GUEST | 8);
    uint64_t process = world_make(OBJ_SPACE, 8);
    uint64_t frames = world_make(OBJ_FRAMES, 2 * PAGE_SIZE);
    uint64_t thread = world_make(OBJ_THREAD, 0);
    uint64_t device = world_slot();
    SYS_OK(0, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, FAKE_DEVICES, 1, BOOT_CSPACE, device);
    REFUSED(0, ERR_INVALID, map, frames, process, 0, ALL);
    REFUSED(0, ERR_INVALID, map, device, guest, 0, ALL);
    REFUSED(0, ERR_INVALID, thread_bind, thread, THREAD_SPACE, guest);
    SYS_OK(0, map, frames, guest, 0, ALL);
    SYS_OK(0, map, device, guest, 0x10000, MAP_READ | MAP_WRITE);
    check_kernel(true);
}

// What is published when `frames` are mapped into a guest.
static uint64_t published_by_map(uint64_t frames, uint64_t guest)
{
    uint64_t before = fake.published;
    SYS_OK(0, map, frames, guest, 0, ALL);
    SYS_OK(0, unmap, frames);
    return fake.published - before;
}

// A guest may begin with its caches off.
static void guests_find_in_memory_what_was_written(void **state)
{
    (void)state;
    const uint64_t size = 2 * PAGE_SIZE;
    uint64_t guest = world_make(OBJ_SPACE, SPACE_GUEST | 8);
    uint64_t process = world_make(OBJ_SPACE, 8);
    uint64_t frames = world_make(OBJ_FRAMES, size);
    assert_int_equal(published_by_map(frames, guest), 0); // it was when it was zeroed
    assert_int_equal(published_by_map(frames, guest), size);

    frames = world_make(OBJ_FRAMES, size);
    SYS_OK(0, map, frames, process, 0, MAP_READ | MAP_WRITE);
    SYS_OK(0, unmap, frames);
    assert_int_equal(published_by_map(frames, guest), size);

    frames = world_make(OBJ_FRAMES, size);
    uint64_t thread = world_make(OBJ_THREAD, 0);
    SYS_OK(0, thread_bind, thread, THREAD_MESSAGE, frames);
    assert_int_equal(published_by_map(frames, guest), size);

    frames = world_make(OBJ_FRAMES, size);
    SYS_OK(0, vcpu_bind, world_make(OBJ_VCPU, 0), VCPU_PAGE, frames);
    assert_int_equal(published_by_map(frames, guest), size);
}

// Also when the mapping is interrupted, and another capability to the same frames comes between.
static void each_use_of_frames_is_the_first_but_once(void **state)
{
    (void)state;
    uint64_t guest = world_make(OBJ_SPACE, SPACE_GUEST | 8);
    uint64_t other = world_make(OBJ_SPACE, SPACE_GUEST | 8);
    uint64_t frames = world_make(OBJ_FRAMES, 8 * PAGE_SIZE);
    uint64_t copy = world_slot();
    SYS_OK(0, copy, BOOT_CSPACE, frames, BOOT_CSPACE, copy, RIGHT_ALL, 0);
    uint64_t before = fake.published;
    fake.interrupt_always = true;
    SYS_OK(0, map, frames, guest, 0, ALL);
    fake.interrupt_always = false;
    assert_true(world.restarts > 0);
    assert_int_equal(fake.published, before);
    SYS_OK(0, map, copy, other, 0, ALL);
    assert_int_equal(fake.published - before, 8 * PAGE_SIZE);
}

static void what_is_incomplete_is_not_entered(void **state)
{
    (void)state;
    struct proc p = world_proc(1, 100, 0);
    world_start_proc(&p);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_int_equal((err_t)reg(&p, 0), ERR_NO_CAP);
    SYS_OK(0, thread_stop, p.thread);
    uint64_t v = world_make(OBJ_VCPU, 0);
    SYS_OK(0, thread_bind, p.thread, THREAD_VCPU, v);
    SYS_OK(0, vcpu_bind, v, VCPU_SPACE, world_make(OBJ_SPACE, SPACE_GUEST | 4));
    world_start_proc(&p);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_int_equal((err_t)reg(&p, 0), ERR_BUSY);
    REFUSED(0, ERR_BUSY, vcpu_translate, v, 0, 0);
    vcpu_kick(vcpu_at(v));
    check_kernel(true);
}

static void losing_what_it_holds_ends_the_guest(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < VCPU_SLOT_COUNT; slot++) {
        for (unsigned idle = 0; idle < 2; idle++) {
            struct vm vm = idle != 0 ? start_idle_guest(1) : start_guest(1);
            SYS_OK(0, vcpu_bind, vm.vcpu, slot, 0);
            assert_state(&vm.p, THREAD_STOPPED);
            assert_exit(&vm, VCPU_STOPPED);
            assert_int_equal(vm.v->resident, VCPU_NOWHERE);
            check_kernel(true);
            SYS_OK(0, vcpu_bind, vm.vcpu, slot, slot == VCPU_SPACE ? vm.guest : vm.page);
            world_start_proc(&vm.p);
            (void)fake_vcpu_run(1, DEADLINE_NEVER);
            assert_true(in_guest(&vm));
            SYS_OK(0, thread_stop, vm.p.thread);
        }
    }
}

static void revoking_ends_the_guest(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 4; what++) {
        for (unsigned idle = 0; idle < 2; idle++) {
            world.from = world_make_from(UNTYPED, OBJ_UNTYPED, 0x200000);
            struct vm vm = idle != 0 ? start_idle_guest(1) : start_guest(1);
            uint64_t of[] = {vm.guest, vm.page, vm.vcpu, world.from};
            SYS_OK(0, revoke, BOOT_CSPACE, of[what]);
            if (what != 3) {
                assert_state(&vm.p, THREAD_STOPPED);
                assert_exit(&vm, VCPU_STOPPED);
                check_kernel(true);
                SYS_OK(0, delete, BOOT_CSPACE, of[what]);
                SYS_OK(0, revoke, BOOT_CSPACE, world.from);
            }
            assert_int_equal(untyped_at(world.from)->live, 0);
            assert_running(1, NULL);
            assert_null(percpu[1].arch.resident);
            check_kernel(true);
        }
    }
}

// ---- Signals, kicks, deadlines ------------------------------------------------------------------------------------

static void a_trap_returns_to_the_monitor(void **state)
{
    (void)state;
    struct vm vm = start_guest(1);
    uint64_t pc = vm.p.t->regs.pc;
    assert_int_equal(vm.v->resident, 2);
    assert_int_equal(vm.p.t->wait, WAIT_GUEST);
    check_kernel(true);
    assert_ptr_equal(fake_vcpu_trap(1), vm.p.t);
    assert_exit(&vm, VCPU_TRAP);
    assert_int_equal(vm.p.t->regs.pc, pc);
    assert_int_equal(vm.v->resident, 2); // nobody else wants the core's registers
    check_kernel(true);
}

static void a_signal_ends_the_run(void **state)
{
    (void)state;
    struct vm vm = start_vm(1, 100);
    uint64_t signal = world_copy(vm.p.notification, RIGHT_WRITE, 6);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    uint64_t kicks = fake_cores[1].kicks;
    SYS_OK(0, signal, signal);
    assert_int_equal(fake_cores[1].kicks, kicks + 1);
    assert_exit(&vm, VCPU_NOTIFIED);
    assert_int_equal(reg(&vm.p, 1), 6);
    SYS_OK(0, signal, signal); // in the VMM: no kick is needed
    assert_int_equal(fake_cores[1].kicks, kicks + 1);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_exit(&vm, VCPU_NOTIFIED);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_true(in_guest(&vm));
    assert_null(fake_vcpu_wfi(1));
    SYS_OK(0, signal, signal);
    assert_running(1, &vm.p);
    assert_exit(&vm, VCPU_NOTIFIED);
    check_kernel(true);
}

static void a_signal_before_the_wait_is_seen(void **state)
{
    (void)state;
    struct vm vm = start_guest(1);
    world.manual = true;
    SYS_OK(0, signal, world_copy(vm.p.notification, RIGHT_WRITE, 1));
    assert_ptr_equal(fake_vcpu_wfi(1), vm.p.t); // before the kick
    assert_exit(&vm, VCPU_NOTIFIED);
    world.manual = false;
    fake_settle();
    check_kernel(true);
}

static void what_is_posted_reaches_a_running_guest(void **state)
{
    (void)state;
    struct vm vm = start_guest(1);
    post(&vm, 5);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_int_equal(fake_vcpu_take(1), BIT(5));
    vm.v->page->enabled = 0;
    post(&vm, 6);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_int_equal(fake_vcpu_take(1), 0);
    assert_int_equal(vm.v->page->pending, BIT(6));
    (void)fake_vcpu_trap(1);
    uint64_t kicks = fake_cores[1].kicks;
    post(&vm, 7);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_int_equal(fake_cores[1].kicks, kicks); // it looks when it is entered
    vm.v->page->enabled = UINT64_MAX;
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_int_equal(fake_vcpu_take(1), BIT(6) | BIT(7));
    check_kernel(true);
}

static void what_is_posted_wakes_an_idle_guest(void **state)
{
    (void)state;
    struct vm vm = start_idle_guest(1);
    vcpu_kick(vm.v); // for nothing: it looks, and may wait again
    fake_settle();
    assert_running(1, &vm.p);
    assert_true(in_guest(&vm));
    assert_null(fake_vcpu_wfi(1));
    post(&vm, 5);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_running(1, &vm.p);
    assert_ptr_equal(fake_vcpu_wfi(1), vm.p.t); // it has not taken it yet
    assert_int_equal(fake_vcpu_take(1), BIT(5));
    post(&vm, 5);
    assert_ptr_equal(fake_vcpu_wfi(1), vm.p.t); // the kick is still to come
    assert_int_equal(fake_vcpu_take(1), BIT(5));
    check_kernel(true);
}

static void a_guest_that_is_ready_looks_when_its_turn_comes(void **state)
{
    (void)state;
    struct vm vm = start_guest(1);
    struct proc high = world_proc(1, 150, 0);
    world_start_proc(&high);
    assert_running(1, &high);
    post(&vm, 3);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    SYS_OK(0, signal, world_copy(vm.p.notification, RIGHT_WRITE, 1));
    assert_running(1, &high);
    check_kernel(true);
    SYS_OK(0, thread_stop, high.thread);
    assert_running(1, &vm.p);
    assert_exit(&vm, VCPU_NOTIFIED);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_int_equal(fake_vcpu_take(1), BIT(3));
}

static void a_deadline_ends_the_run(void **state)
{
    (void)state;
    struct vm vm = start_vm(1, 100);
    (void)fake_vcpu_run(1, fake.now);
    assert_exit(&vm, VCPU_DEADLINE);
    (void)fake_vcpu_run(1, fake.now + 100);
    fake_advance(99);
    assert_true(in_guest(&vm));
    fake_advance(1);
    assert_exit(&vm, VCPU_DEADLINE);
    (void)fake_vcpu_run(1, fake.now + 100);
    assert_null(fake_vcpu_wfi(1));
    fake_advance(99);
    assert_running(1, NULL);
    fake_advance(1);
    assert_running(1, &vm.p);
    assert_exit(&vm, VCPU_DEADLINE);
    check_kernel(true);
}

static void its_timer_wakes_a_guest_that_left_the_core(void **state)
{
    (void)state;
    struct vm vm = start_vm(1, 100);
    vm.v->arch.reg[VCPU_REG_CNTV_CTL_EL0] = 1;
    vm.v->arch.reg[VCPU_REG_CNTV_CVAL_EL0] = fake.now + 500;
    (void)fake_vcpu_run(1, fake.now + 1000);
    assert_null(fake_vcpu_wfi(1));
    struct vm other = start_guest(1);
    assert_int_equal(vm.v->resident, VCPU_NOWHERE);
    assert_null(fake_vcpu_wfi(1));
    check_kernel(true);
    fake_advance(499);
    assert_running(1, NULL);
    fake_advance(1);
    assert_running(1, &vm.p);
    assert_true(in_guest(&vm)); // it is the guest that is told
    assert_int_equal(vm.v->resident, 2);
    assert_int_equal(other.v->resident, VCPU_NOWHERE);
    fake_advance(500);
    assert_exit(&vm, VCPU_DEADLINE);
    check_kernel(true);
}

// ---- Stopping, moving ---------------------------------------------------------------------------------------------

static void stopped_and_started_it_returns(void **state)
{
    (void)state;
    for (unsigned idle = 0; idle < 2; idle++) {
        struct vm vm = idle != 0 ? start_idle_guest(1) : start_guest(1);
        uint64_t pc = vm.p.t->regs.pc;
        SYS_OK(0, thread_stop, vm.p.thread);
        assert_exit(&vm, VCPU_STOPPED);
        post(&vm, 4);
        SYS_OK(0, vcpu_kick, vm.vcpu);
        check_kernel(true);
        world_start_proc(&vm.p);
        assert_running(1, &vm.p);
        assert_int_equal(vm.p.t->regs.pc, pc);
        (void)fake_vcpu_run(1, DEADLINE_NEVER);
        assert_int_equal(fake_vcpu_take(1), BIT(4));
        world_start_proc(&vm.p); // stops it first
        assert_true(in_guest(&vm));
        SYS_OK(0, thread_stop, vm.p.thread);
    }
}

static void moved_it_goes_on_elsewhere(void **state)
{
    (void)state;
    struct vm vm = start_guest(1);
    vm.v->page->enabled = BIT(9);
    post(&vm, 9);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    world_set_time(&vm.p, 2, 100, WORLD_SLICE, WORLD_SLICE);
    assert_running(1, NULL);
    assert_running(2, &vm.p);
    assert_true(in_guest(&vm));
    assert_int_equal(vm.v->resident, 3);
    assert_int_equal(fake_vcpu_take(2), BIT(9)); // out of one core's list registers into another's
    assert_null(fake_vcpu_wfi(2));
    world_set_time(&vm.p, 3, 100, WORLD_SLICE, WORLD_SLICE);
    check_kernel(true);
    post(&vm, 9);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_running(3, &vm.p);
    assert_int_equal(fake_vcpu_take(3), BIT(9));
    check_kernel(true);
}

static void two_share_a_core(void **state)
{
    (void)state;
    struct vm a = start_guest(1);
    struct vm b = start_vm(1, 100);
    post(&a, 1);
    SYS_OK(0, vcpu_kick, a.vcpu);
    fake_advance(WORLD_SLICE);
    assert_running(1, &b.p);
    assert_int_equal(a.v->resident, 2); // the VMM needs none of it
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_int_equal(a.v->resident, VCPU_NOWHERE);
    assert_int_equal(a.v->page->pending, BIT(1));
    assert_int_equal(b.v->resident, 2);
    check_kernel(true);
    assert_ptr_equal(fake_vcpu_wfi(1), a.p.t);
    assert_int_equal(fake_vcpu_take(1), BIT(1));
    assert_int_equal(b.v->resident, VCPU_NOWHERE);
    check_kernel(true);
}

// ---- Linked interrupts --------------------------------------------------------------------------------------------

static uint64_t make_irq(uint32_t intid)
{
    uint64_t handle = world_slot();
    SYS_OK(0, irq_create, BOOT_IRQ_CONTROL, UNTYPED, intid, IRQ_LEVEL, BOOT_CSPACE, handle);
    return handle;
}

static void linking_is_checked(void **state)
{
    (void)state;
    struct vm vm = make_vm(2, 100);
    uint64_t irq = make_irq(INTID);
    REFUSED(0, ERR_RIGHTS, irq_bind, irq, world_copy(vm.vcpu, RIGHT_READ, 0), SOURCE);
    REFUSED(0, ERR_TYPE, irq_bind, irq, vm.guest, SOURCE);
    REFUSED(0, ERR_INVALID, irq_bind, irq, vm.vcpu, 0);
    REFUSED(0, ERR_INVALID, irq_bind, irq, vm.vcpu, VCPU_SOURCE_SPI - 1);
    REFUSED(0, ERR_INVALID, irq_bind, irq, vm.vcpu, VCPU_SOURCES);
    REFUSED(0, ERR_INVALID, irq_bind, irq, vm.vcpu, 1ull << 32 | SOURCE);
    SYS_OK(0, irq_bind, irq, vm.vcpu, SOURCE);
    assert_int_equal(fake_irqs[INTID].core, 2);
    REFUSED(0, ERR_OCCUPIED, irq_bind, irq, vm.vcpu, SOURCE + 1);
    REFUSED(0, ERR_OCCUPIED, irq_bind, make_irq(INTID + 1), vm.vcpu, SOURCE);
    check_kernel(true);
}

static void a_linked_interrupt_needs_no_process(void **state)
{
    (void)state;
    struct vm vm = start_vm(2, 100);
    uint64_t irq = make_irq(INTID);
    SYS_OK(0, irq_bind, irq, vm.vcpu, SOURCE);
    SYS_OK(0, irq_ack, irq);
    (void)fake_irq_raise(INTID);
    assert_running(2, &vm.p); // in the VMM: for later
    (void)fake_vcpu_run(2, DEADLINE_NEVER);
    assert_int_equal(fake_vcpu_take(2), BIT(SOURCE));
    fake_irqs[INTID].active = false; // ended by the guest
    assert_ptr_equal(fake_irq_raise(INTID), vm.p.t);
    assert_int_equal(fake_vcpu_take(2), BIT(SOURCE));
    assert_null(fake_irq_raise(INTID)); // still active
    fake_irqs[INTID].active = false;
    assert_null(fake_vcpu_wfi(2));
    assert_ptr_equal(fake_irq_raise(INTID), vm.p.t);
    assert_int_equal(fake_vcpu_take(2), BIT(SOURCE));
    fake_irqs[INTID].active = false;
    world_set_time(&vm.p, 3, 100, WORLD_SLICE, WORLD_SLICE);
    (void)fake_irq_raise(INTID); // where it was routed to before
    fake_settle();
    assert_int_equal(fake_vcpu_take(3), BIT(SOURCE));
    check_kernel(true);
}

static void disabled_it_waits(void **state)
{
    (void)state;
    struct vm vm = start_guest(2);
    uint64_t irq = make_irq(INTID);
    SYS_OK(0, irq_bind, irq, vm.vcpu, SOURCE);
    SYS_OK(0, irq_ack, irq);
    vm.v->page->enabled = 0;
    (void)fake_irq_raise(INTID);
    assert_int_equal(fake_vcpu_take(2), 0);
    assert_null(fake_vcpu_wfi(2));
    vm.v->page->enabled = UINT64_MAX;
    vm.v->page->attention = VCPU_ATTENTION_NEW;
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_int_equal(fake_vcpu_take(2), BIT(SOURCE));
    check_kernel(true);
}

static void unlinked_it_is_forgotten(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 2; how++) {
        struct vm vm = start_guest(2);
        uint64_t irq = make_irq(INTID);
        uint64_t copy = world_copy(vm.vcpu, RIGHT_ALL, 0);
        SYS_OK(0, irq_bind, irq, copy, SOURCE);
        SYS_OK(0, irq_ack, irq);
        (void)fake_irq_raise(INTID);
        SYS_OK(0, revoke, BOOT_CSPACE, how == 0 ? copy : irq);
        SYS_OK(0, delete, BOOT_CSPACE, how == 0 ? copy : irq);
        assert_int_equal(vm.v->linked[SOURCE], 0);
        assert_int_equal(vm.v->linked_raised, 0);
        assert_int_equal(fake_vcpu_take(2), 0);
        assert_false(fake_irqs[INTID].enabled);
        check_kernel(true);
        SYS_OK(0, delete, BOOT_CSPACE, how == 0 ? irq : copy);
        SYS_OK(0, thread_stop, vm.p.thread);
    }
}

// ---- Registers ----------------------------------------------------------------------------------------------------

static void registers_are_read_and_written(void **state)
{
    (void)state;
    struct vm vm = start_vm(1, 100);
    SYS_OK(0, vcpu_write, vm.vcpu, VCPU_REG_TTBR0_EL1, 5, 1, 2, 3, 4, 5);
    SYS_OK(0, vcpu_read, vm.vcpu, VCPU_REG_TTBR0_EL1, 6);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(world.x[1 + i], i + 1);
    }
    SYS_OK(0, vcpu_read, vm.vcpu, 0, 0);
    SYS_OK(0, vcpu_read, vm.vcpu, VCPU_REGISTERS - 1, 1);
    REFUSED(0, ERR_INVALID, vcpu_read, vm.vcpu, 0, 7);
    REFUSED(0, ERR_INVALID, vcpu_read, vm.vcpu, 0, UINT64_MAX);
    REFUSED(0, ERR_INVALID, vcpu_read, vm.vcpu, VCPU_REGISTERS - 1, 2);
    REFUSED(0, ERR_INVALID, vcpu_read, vm.vcpu, VCPU_REGISTERS, 1);
    REFUSED(0, ERR_INVALID, vcpu_read, vm.vcpu, 1ull << 32, 1);
    REFUSED(0, ERR_INVALID, vcpu_read, vm.vcpu, UINT32_MAX, 2);
    REFUSED(0, ERR_INVALID, vcpu_write, vm.vcpu, 0, 6);
    REFUSED(0, ERR_INVALID, vcpu_write, vm.vcpu, 0, UINT64_MAX);
    REFUSED(0, ERR_INVALID, vcpu_write, vm.vcpu, VCPU_REGISTERS - 1, 2, 7, 7);
    REFUSED(0, ERR_INVALID, vcpu_write, vm.vcpu, VCPU_REG_ID, 1, 7);
    REFUSED(0, ERR_INVALID, vcpu_write, vm.vcpu, UINT64_MAX, 2, 7, 7);
    uint64_t reader = world_copy(vm.vcpu, RIGHT_READ, 0);
    REFUSED(0, ERR_RIGHTS, vcpu_read, reader, 0, 1);
    REFUSED(0, ERR_RIGHTS, vcpu_write, reader, 0, 1);
    REFUSED(0, ERR_RIGHTS, vcpu_reset, reader);
    REFUSED(0, ERR_RIGHTS, vcpu_sync, reader);
    REFUSED(0, ERR_RIGHTS, vcpu_kick, reader);
    REFUSED(0, ERR_RIGHTS, vcpu_translate, reader, 0, 0);
    REFUSED(0, ERR_TYPE, vcpu_read, vm.guest, 0, 1);
    REFUSED(0, ERR_TYPE, vcpu_reset, vm.guest);
    REFUSED(0, ERR_TYPE, vcpu_kick, vm.guest);
    SYS_OK(0, vcpu_reset, vm.vcpu);
    SYS_OK(0, vcpu_read, vm.vcpu, VCPU_REG_TTBR0_EL1, 1);
    assert_int_equal(world.x[1], 0);
    check_kernel(true);
}

static void a_running_guest_keeps_its_registers(void **state)
{
    (void)state;
    for (unsigned idle = 0; idle < 2; idle++) {
        struct vm vm = idle != 0 ? start_idle_guest(1) : start_guest(1);
        REFUSED(0, ERR_BUSY, vcpu_read, vm.vcpu, 0, 1);
        REFUSED(0, ERR_BUSY, vcpu_write, vm.vcpu, 0, 1);
        REFUSED(0, ERR_BUSY, vcpu_reset, vm.vcpu);
        REFUSED(0, ERR_BUSY, vcpu_translate, vm.vcpu, 0, 0);
        SYS_OK(0, thread_stop, vm.p.thread);
        SYS_OK(0, vcpu_read, vm.vcpu, 0, 1);
        assert_int_equal(vm.v->resident, VCPU_NOWHERE);
        check_kernel(true);
    }
}

static void synchronising_shows_what_is_pending(void **state)
{
    (void)state;
    struct vm vm = start_guest(1);
    post(&vm, 12);
    SYS_OK(0, vcpu_kick, vm.vcpu);
    assert_int_equal(vm.v->page->pending, 0);
    (void)fake_vcpu_trap(1);
    SYS_OK(0, vcpu_sync, vm.vcpu);
    assert_int_equal(vm.v->page->pending, BIT(12));
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    unsigned folds = vm.v->arch.folds;
    SYS_OK(0, vcpu_sync, vm.vcpu); // while it runs
    assert_int_equal(vm.v->arch.folds, folds + 1);
    assert_int_equal(fake_vcpu_take(1), BIT(12));
    check_kernel(true);
}

static void translating_asks_for_its_own_vcpu(void **state)
{
    (void)state;
    struct vm vm = start_vm(1, 100);
    SYS_OK(1, vcpu_translate, PROC_FREE, 0x1234, 0);
    assert_int_equal(world.x[1], 0x1234);
    assert_int_equal(vm.v->resident, 2);
    REFUSED(1, ERR_RANGE, vcpu_translate, PROC_FREE, 0x1234, 1);
    // Somebody else's, who could enter it meanwhile.
    REFUSED(0, ERR_BUSY, vcpu_translate, vm.vcpu, 0x1234, 0);
    SYS_OK(0, thread_stop, vm.p.thread);
    SYS_OK(0, vcpu_translate, vm.vcpu, 0x1234, 0);
    assert_int_equal(vm.v->resident, VCPU_NOWHERE); // not left on a core that is not its thread's
    world_start_proc(&vm.p);
    (void)fake_vcpu_run(1, DEADLINE_NEVER);
    assert_true(in_guest(&vm));
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(binding_is_checked),
        world_test(a_thread_holds_it_alone),
        world_test(only_guests_execute_what_they_write),
        world_test(guests_find_in_memory_what_was_written),
        world_test(each_use_of_frames_is_the_first_but_once),
        world_test(what_is_incomplete_is_not_entered),
        world_test(losing_what_it_holds_ends_the_guest),
        world_test(revoking_ends_the_guest),
        world_test(a_trap_returns_to_the_monitor),
        world_test(a_signal_ends_the_run),
        world_test(a_signal_before_the_wait_is_seen),
        world_test(what_is_posted_reaches_a_running_guest),
        world_test(what_is_posted_wakes_an_idle_guest),
        world_test(a_guest_that_is_ready_looks_when_its_turn_comes),
        world_test(a_deadline_ends_the_run),
        world_test(its_timer_wakes_a_guest_that_left_the_core),
        world_test(stopped_and_started_it_returns),
        world_test(moved_it_goes_on_elsewhere),
        world_test(two_share_a_core),
        world_test(linking_is_checked),
        world_test(a_linked_interrupt_needs_no_process),
        world_test(disabled_it_waits),
        world_test(unlinked_it_is_forgotten),
        world_test(registers_are_read_and_written),
        world_test(a_running_guest_keeps_its_registers),
        world_test(synchronising_shows_what_is_pending),
        world_test(translating_asks_for_its_own_vcpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Device interrupts: quiet until acknowledged, signalled to the core of whoever waits, masked at their end.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

#define INTID 50u

static uint64_t make_irq(uint32_t intid, enum irq_trigger trigger)
{
    uint64_t handle = world_slot();
    SYS_OK(0, irq_create, BOOT_IRQ_CONTROL, UNTYPED, intid, trigger, BOOT_CSPACE, handle);
    return handle;
}

static struct proc driver(uint64_t irq)
{
    struct proc p = world_proc(2, 100, 0);
    uint64_t badged = world_copy(p.notification, RIGHT_ALL, 0x10);
    SYS_OK(0, irq_bind, irq, badged);
    world_give(&p, PROC_FREE, irq, RIGHT_WRITE, 0);
    world_start_proc(&p);
    return p;
}

static void an_interrupt_is_delivered_once_per_acknowledgement(void **state)
{
    (void)state;
    uint64_t irq = make_irq(INTID, IRQ_LEVEL);
    struct proc p = driver(irq);
    assert_int_equal(fake_irqs[INTID].core, 2);
    assert_false(fake_irqs[INTID].edge);
    assert_false(fake_irqs[INTID].enabled); // until the first acknowledgement
    SYS_OK(2, irq_ack, PROC_FREE);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(SYS(2, receive, 0, DEADLINE_NEVER), WORLD_BLOCKED);
        assert_ptr_equal(fake_irq_raise(INTID), p.t);
        assert_int_equal(reg(&p, 1), 0x10);
        assert_null(fake_irq_raise(INTID)); // quiet
        SYS_OK(2, irq_ack, PROC_FREE);
    }
    check_kernel(true);
}

static void an_interrupt_before_the_receive_is_kept(void **state)
{
    (void)state;
    uint64_t irq = make_irq(INTID, IRQ_EDGE);
    struct proc p = driver(irq);
    assert_true(fake_irqs[INTID].edge);
    SYS_OK(2, irq_ack, PROC_FREE);
    assert_ptr_equal(fake_irq_raise(INTID), p.t);
    SYS_OK(2, receive, 0, DEADLINE_NEVER);
    assert_int_equal(world.x[1], 0x10);
}

static void without_a_target_nothing_happens(void **state)
{
    (void)state;
    uint64_t irq = make_irq(INTID, IRQ_LEVEL);
    SYS_OK(0, irq_ack, irq);
    assert_ptr_equal(fake_irq_raise(INTID), world.init);
    struct proc p = driver(irq);
    SYS_OK(2, irq_ack, PROC_FREE);
    SYS_OK(0, revoke, BOOT_CSPACE, p.notification);
    assert_false(fake_irqs[INTID].enabled);
    assert_true(slot_empty(&CONTAINER_OF(world_object(irq), struct irq, obj)->target));
    check_kernel(true);
    irq_deliver(INTID); // one that was on its way
    irq_deliver(INTID + 1);
    irq_deliver(1020);
    irq_deliver(UINT32_MAX);
}

static void its_end_masks_it_and_frees_its_number(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t irq = make_irq(INTID, IRQ_LEVEL);
        struct proc p = driver(irq);
        SYS_OK(2, irq_ack, PROC_FREE);
        SYS_OK(0, revoke, BOOT_CSPACE, irq);
        SYS_OK(0, delete, BOOT_CSPACE, irq);
        assert_false(fake_irqs[INTID].enabled);
        irq_deliver(INTID);
        assert_int_equal(p.t->notification->word, 0);
        check_kernel(true);
        SYS_OK(0, thread_stop, p.thread);
    }
}

static void refusals(void **state)
{
    (void)state;
    uint64_t irq = make_irq(INTID, IRQ_LEVEL);
    uint64_t to = world_slot();
    uint64_t n = world_make(OBJ_NOTIFICATION, 0);
#define NO(error, intid, trigger)                                                                  \
    REFUSED(0, error, irq_create, BOOT_IRQ_CONTROL, UNTYPED, intid, trigger, BOOT_CSPACE, to)
    NO(ERR_OCCUPIED, INTID, IRQ_LEVEL);
    NO(ERR_INVALID, 31, IRQ_LEVEL);
    NO(ERR_INVALID, 0, IRQ_LEVEL);
    NO(ERR_INVALID, FAKE_IRQ_FIRST + FAKE_IRQ_COUNT, IRQ_LEVEL);
    NO(ERR_INVALID, 1020, IRQ_LEVEL);
    NO(ERR_INVALID, UINT32_MAX, IRQ_LEVEL);
    NO(ERR_INVALID, (1ull << 32) + INTID + 1, IRQ_LEVEL);
    NO(ERR_INVALID, INTID + 1, IRQ_EDGE + 1);
    NO(ERR_INVALID, INTID + 1, UINT64_MAX);
#undef NO
    REFUSED(0, ERR_TYPE, irq_create, UNTYPED, UNTYPED, INTID + 1, 0, BOOT_CSPACE, to);
    REFUSED(0, ERR_TYPE, irq_create, BOOT_IRQ_CONTROL, BOOT_TIME, INTID + 1, 0, BOOT_CSPACE, to);
    REFUSED(0, ERR_OCCUPIED, irq_create, BOOT_IRQ_CONTROL, UNTYPED, INTID + 1, 0, BOOT_CSPACE, irq);
    REFUSED(0, ERR_RIGHTS, irq_bind, world_copy(irq, RIGHT_READ, 0), n);
    REFUSED(0, ERR_RIGHTS, irq_bind, irq, world_copy(n, RIGHT_READ, 0));
    REFUSED(0, ERR_TYPE, irq_bind, n, n);
    REFUSED(0, ERR_TYPE, irq_bind, irq, irq);
    REFUSED(0, ERR_RIGHTS, irq_ack, world_copy(irq, RIGHT_READ, 0));
    REFUSED(0, ERR_TYPE, irq_ack, n);
    SYS_OK(0, irq_bind, irq, n);
    REFUSED(0, ERR_OCCUPIED, irq_bind, irq, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(an_interrupt_is_delivered_once_per_acknowledgement),
        world_test(an_interrupt_before_the_receive_is_kept),
        world_test(without_a_target_nothing_happens),
        world_test(its_end_masks_it_and_frees_its_number),
        world_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

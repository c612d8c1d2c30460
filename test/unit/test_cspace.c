// Capability spaces: handles, and their end.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include "kernel_fixture.h"

static void handles_are_indices(void **state)
{
    (void)state;
    uint64_t handle = world_make(OBJ_CSPACE, 10);
    struct cspace *cs = CONTAINER_OF(world_object(handle), struct cspace, obj);
    assert_true(slot_empty(cspace_slot(cs, 0)));
    assert_ptr_equal(cspace_slot(cs, 1), &cs->slots[1]);
    assert_ptr_equal(cspace_slot(cs, 9), &cs->slots[9]);
    assert_null(cspace_slot(cs, 10));
    assert_null(cspace_slot(cs, 1ull << 32 | 1));
    assert_null(cspace_slot(cs, UINT64_MAX));
    assert_null(cspace_slot(NULL, 1));
}

static void lookup_checks_type_and_rights(void **state)
{
    (void)state;
    struct cap cap;
    uint64_t n = world_make(OBJ_NOTIFICATION, 0);
    uint64_t read = world_copy(n, RIGHT_READ, 9);
    assert_int_equal(cspace_lookup(world.cspace, n, OBJ_NOTIFICATION, RIGHT_ALL, &cap), OK);
    assert_int_equal(cspace_lookup(world.cspace, read, OBJ_NOTIFICATION, RIGHT_READ, &cap), OK);
    assert_int_equal(cap.badge, 9);
    assert_ptr_equal(cap.obj, world_object(n));
    assert_int_equal(cspace_lookup(world.cspace, read, OBJ_NOTIFICATION, RIGHT_WRITE, &cap),
                     ERR_RIGHTS);
    assert_int_equal(cspace_lookup(world.cspace, read, OBJ_ENDPOINT, 0, &cap), ERR_TYPE);
    assert_int_equal(cspace_lookup(world.cspace, world_slot(), OBJ_ENDPOINT, 0, &cap), ERR_NO_CAP);
    assert_int_equal(cspace_lookup(NULL, 1, OBJ_ENDPOINT, 0, &cap), ERR_NO_CAP);
}

// What it names goes with it, in steps, other capability spaces inside included.
static void its_end_empties_it(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 30; k++) {
        uint64_t ut = world_make(OBJ_UNTYPED, 0x20000);
        uint64_t outer = world_make_from(ut, OBJ_CSPACE, 20);
        SYS_OK(0, retype, ut, OBJ_CSPACE, 20, outer, 1);
        uint64_t inner = world_slot();
        SYS_OK(0, copy, outer, 1, BOOT_CSPACE, inner, RIGHT_ALL, 0);
        for (unsigned i = 2; i < 10; i++) {
            SYS_OK(0, retype, ut, OBJ_NOTIFICATION, 0, outer, i);
            SYS_OK(0, retype, ut, OBJ_ENDPOINT, 0, inner, i);
        }
        SYS_OK(0, copy, BOOT_CSPACE, outer, inner, 1, RIGHT_ALL, 0); // a cycle
        SYS_OK(0, delete, inner, 1);
        SYS_OK(0, delete, BOOT_CSPACE, inner);
        fake.interrupt_in = k;
        SYS_OK(0, delete, BOOT_CSPACE, outer);
        fake.interrupt_in = 0;
        assert_int_equal(untyped_at(ut)->live, 0);
        check_kernel(true);
        SYS_OK(0, delete, BOOT_CSPACE, ut);
    }
}

static void a_cycle_is_broken_by_revoking(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x20000);
    uint64_t a = world_make_from(ut, OBJ_CSPACE, 20);
    uint64_t b = world_make_from(ut, OBJ_CSPACE, 20);
    SYS_OK(0, copy, BOOT_CSPACE, a, b, 1, RIGHT_ALL, 0);
    SYS_OK(0, move, BOOT_CSPACE, b, a, 1);
    SYS_OK(0, delete, BOOT_CSPACE, a);
    assert_int_equal(untyped_at(ut)->live, 2); // each keeps the other
    check_kernel(true);
    fake.interrupt_always = true;
    SYS_OK(0, revoke, BOOT_CSPACE, ut);
    assert_int_equal(untyped_at(ut)->live, 0);
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(handles_are_indices),
        world_test(lookup_checks_type_and_rights),
        world_test(its_end_empties_it),
        world_test(a_cycle_is_broken_by_revoking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

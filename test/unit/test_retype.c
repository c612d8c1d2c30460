// Making objects: every type, every size, every refusal; interrupted anywhere.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include "kernel_fixture.h"

static void every_type_is_made_with_its_rights(void **state)
{
    (void)state;
    static const struct {
        enum obj_type type;
        uint64_t size;
        uint64_t told; // by identify
        uint64_t badge;
    } made[] = {
        {OBJ_UNTYPED, 0x5000, 0x5000, 0},
        {OBJ_CSPACE, 2, 2, 0},
        {OBJ_CSPACE, 1000, 1000, 0},
        {OBJ_THREAD, 0, 0, 0},
        {OBJ_SPACE, 0, 0, 0},
        {OBJ_SPACE, 3, 0, 0},
        {OBJ_FRAMES, 0x3000, 0x3000, FRAMES_RANGE(0, 3)},
        {OBJ_NOTIFICATION, 0, 0, 0},
        {OBJ_ENDPOINT, 0, 0, 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(made); i++) {
        uint64_t handle = world_make(made[i].type, made[i].size);
        SYS_OK(0, identify, handle);
        assert_int_equal(world.x[1], made[i].type | RIGHT_ALL << 8);
        assert_int_equal(world.x[2], made[i].told);
        assert_int_equal(world.x[3], made[i].badge);
        assert_ptr_equal(world_slot_at(handle)->parent, world_slot_at(UNTYPED));
        check_kernel(true);
    }
}

static void large_memory_is_aligned_to_large_blocks(void **state)
{
    (void)state;
    (void)world_make(OBJ_FRAMES, PAGE_SIZE);
    uint64_t large = world_make(OBJ_FRAMES, LARGE_PAGE_SIZE + PAGE_SIZE);
    SYS_OK(0, identify, large);
    assert_true(is_aligned(world.x[4], LARGE_PAGE_SIZE));
    uint64_t ut = world_make(OBJ_UNTYPED, LARGE_PAGE_SIZE);
    SYS_OK(0, identify, ut);
    assert_true(is_aligned(world.x[4], LARGE_PAGE_SIZE));
    check_kernel(true);
}

static void frames_are_clean(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x40000);
    for (unsigned round = 0; round < 2; round++) {
        uint64_t f = world_make_from(ut, OBJ_FRAMES, 0x30000);
        unsigned char *bytes = phys_to_virt(frames_page(frames_at(f), 0));
        for (unsigned i = 0; i < 0x30000; i++) {
            assert_int_equal(bytes[i], 0);
        }
        memset(bytes, 0x66, 0x30000);
        check_kernel(true);
        SYS_OK(0, delete, BOOT_CSPACE, f);
    }
}

static void refusals(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x10000);
    uint64_t to = world_slot();
    (void)world_make_from(ut, OBJ_NOTIFICATION, 0);
#define NO(error, type, size) REFUSED(0, error, retype, ut, type, size, BOOT_CSPACE, to)
    NO(ERR_INVALID, OBJ_NONE, 0);
    NO(ERR_INVALID, OBJ_IRQ, 0);
    NO(ERR_INVALID, OBJ_IRQ_CONTROL, 0);
    NO(ERR_INVALID, OBJ_DEVICE_MEMORY, 0);
    NO(ERR_INVALID, OBJ_SMC, 0);
    NO(ERR_INVALID, OBJ_TYPE_COUNT, 0);
    NO(ERR_INVALID, UINT64_MAX, 0);
    NO(ERR_INVALID, (1ull << 32) | OBJ_THREAD, 0);
    NO(ERR_INVALID, OBJ_THREAD, 1);
    NO(ERR_INVALID, OBJ_NOTIFICATION, 1);
    NO(ERR_INVALID, OBJ_ENDPOINT, UINT64_MAX);
    NO(ERR_INVALID, OBJ_CSPACE, 0);
    NO(ERR_INVALID, OBJ_CSPACE, 1);
    NO(ERR_INVALID, OBJ_CSPACE, CSPACE_MAX + 1);
    NO(ERR_INVALID, OBJ_CSPACE, UINT64_MAX / sizeof(struct slot) + 2);
    NO(ERR_INVALID, OBJ_SPACE, SPACE_TABLES_MAX + 1);
    NO(ERR_INVALID, OBJ_SPACE, UINT64_MAX);
    NO(ERR_INVALID, OBJ_FRAMES, 0);
    NO(ERR_ALIGN, OBJ_FRAMES, 0x800);
    NO(ERR_INVALID, OBJ_FRAMES, UINT64_MAX);
    NO(ERR_INVALID, OBJ_FRAMES, BIT(60));
    NO(ERR_INVALID, OBJ_FRAMES, BIT(44));
    NO(ERR_NO_MEMORY, OBJ_FRAMES, BIT(43));
    NO(ERR_NO_MEMORY, OBJ_FRAMES, 0x10000);
    NO(ERR_INVALID, OBJ_UNTYPED, 0);
    NO(ERR_ALIGN, OBJ_UNTYPED, 0x1001);
    NO(ERR_NO_MEMORY, OBJ_UNTYPED, BIT(52));
    NO(ERR_NO_MEMORY, OBJ_SPACE, SPACE_TABLES_MAX);
    NO(ERR_NO_MEMORY, OBJ_CSPACE, CSPACE_MAX);
#undef NO
    REFUSED(0, ERR_NO_CAP, retype, 0, OBJ_THREAD, 0, BOOT_CSPACE, to);
    REFUSED(0, ERR_TYPE, retype, BOOT_CSPACE, OBJ_THREAD, 0, BOOT_CSPACE, to);
    REFUSED(0, ERR_TYPE, retype, ut, OBJ_THREAD, 0, ut, to);
    REFUSED(0, ERR_NO_CAP, retype, ut, OBJ_THREAD, 0, to, to);
    REFUSED(0, ERR_OCCUPIED, retype, ut, OBJ_THREAD, 0, BOOT_CSPACE, ut);
    REFUSED(0, ERR_RANGE, retype, ut, OBJ_THREAD, 0, BOOT_CSPACE, 0);
    REFUSED(0, ERR_RANGE, retype, ut, OBJ_THREAD, 0, BOOT_CSPACE, BOOT_CSPACE_SLOTS);
    REFUSED(0, ERR_RANGE, retype, ut, OBJ_THREAD, 0, BOOT_CSPACE, UINT64_MAX);
    REFUSED(0, ERR_RIGHTS, retype, ut, OBJ_THREAD, 0, world_copy(BOOT_CSPACE, RIGHT_READ, 0), to);
}

static void retype_continues_where_it_was_interrupted(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 20; k++) {
        uint64_t ut = world_make(OBJ_UNTYPED, 0x60000);
        fake.interrupt_in = k;
        uint64_t f = world_make_from(ut, OBJ_FRAMES, 0x40000);
        assert_int_equal(world.restarts, k <= 1 + 16);
        check_kernel(true);
        SYS_OK(0, delete, BOOT_CSPACE, f);
        fake.interrupt_always = true;
        uint64_t s = world_make_from(ut, OBJ_SPACE, 30);
        (void)world_make_from(ut, OBJ_CSPACE, 300);
        fake.interrupt_always = false;
        check_kernel(true);
        SYS_OK(0, delete, BOOT_CSPACE, s);
        SYS_OK(0, revoke, BOOT_CSPACE, ut);
        SYS_OK(0, delete, BOOT_CSPACE, ut);
    }
}

static void untyped_memory_nests(void **state)
{
    (void)state;
    uint64_t a = world_make(OBJ_UNTYPED, 0x100000);
    uint64_t b = world_make_from(a, OBJ_UNTYPED, 0x40000);
    uint64_t c = world_make_from(b, OBJ_UNTYPED, 0x10000);
    uint64_t n = world_make_from(c, OBJ_NOTIFICATION, 0);
    check_kernel(true);
    SYS_OK(0, delete, BOOT_CSPACE, b); // lives on as long as what was carved out of it
    assert_int_equal(untyped_at(a)->live, 1);
    SYS_OK(0, delete, BOOT_CSPACE, c);
    assert_int_equal(untyped_at(a)->live, 1);
    check_kernel(true);
    SYS_OK(0, delete, BOOT_CSPACE, n);
    assert_int_equal(untyped_at(a)->live, 0);
    check_kernel(true);
    uint64_t all = world_make_from(a, OBJ_FRAMES, 0xff000);
    check_kernel(true);
    SYS_OK(0, revoke, BOOT_CSPACE, a);
    assert_int_equal(SYS(0, identify, all), ERR_NO_CAP);
    check_kernel(true);
}

static void memory_of_the_dead_is_used_again_after_all_have_left(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x10000);
    uint64_t n = world_make_from(ut, OBJ_NOTIFICATION, 0);
    SYS_OK(0, delete, BOOT_CSPACE, n);
    uint64_t kicks[4];
    for (unsigned i = 0; i < 4; i++) {
        kicks[i] = fake_cores[i].kicks;
    }
    (void)world_make_from(ut, OBJ_NOTIFICATION, 0);
    for (unsigned i = 1; i < 4; i++) {
        assert_int_equal(fake_cores[i].kicks, kicks[i] + 1);
    }
    (void)world_make_from(ut, OBJ_NOTIFICATION, 0);
    assert_int_equal(fake_cores[1].kicks, kicks[1] + 1); // once is enough
}

static void device_frames_are_checked(void **state)
{
    (void)state;
    uint64_t to = world_slot();
#define NO(error, at, pages)                                                                       \
    REFUSED(0, error, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, at, pages, BOOT_CSPACE, to)
    NO(ERR_INVALID, FAKE_DEVICES, 0);
    NO(ERR_INVALID, FAKE_DEVICES, UINT64_MAX);
    NO(ERR_INVALID, FAKE_DEVICES, 1ull << 32);
    NO(ERR_INVALID, UINT64_MAX - 0xfff, 1);
    NO(ERR_ALIGN, FAKE_DEVICES + 8, 1);
    NO(ERR_RANGE, FAKE_RAM_BASE, 1);
    NO(ERR_RANGE, FAKE_DEVICES - PAGE_SIZE, 2);
    NO(ERR_RANGE, FAKE_DEVICES_END - PAGE_SIZE, 2);
#undef NO
    REFUSED(0, ERR_TYPE, device_frames, UNTYPED, UNTYPED, FAKE_DEVICES, 1, BOOT_CSPACE, to);
    REFUSED(0, ERR_TYPE, device_frames, BOOT_DEVICE_MEMORY, BOOT_TIME, FAKE_DEVICES, 1, BOOT_CSPACE,
            to);
    REFUSED(0, ERR_OCCUPIED, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, FAKE_DEVICES, 1,
            BOOT_CSPACE, 1);
    SYS_OK(0, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, FAKE_DEVICES, 4, BOOT_CSPACE, to);
    SYS_OK(0, identify, to);
    assert_int_equal(world.x[1], OBJ_FRAMES | (RIGHT_READ | RIGHT_WRITE | RIGHT_COPY) << 8);
    assert_int_equal(world.x[2], 4 * PAGE_SIZE);
    assert_int_equal(world.x[4], FAKE_DEVICES);
    check_kernel(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(every_type_is_made_with_its_rights),
        world_test(large_memory_is_aligned_to_large_blocks),
        world_test(frames_are_clean),
        world_test(refusals),
        world_test(retype_continues_where_it_was_interrupted),
        world_test(untyped_memory_nests),
        world_test(memory_of_the_dead_is_used_again_after_all_have_left),
        world_test(device_frames_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

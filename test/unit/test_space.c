// Address spaces: mapping and unmapping in blocks of every size, in every pool, interrupted anywhere. The model of
// translation (kernel/arch/fake/tlb.h) looks at every step.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include "kernel_fixture.h"

#include "tlb.h"

#define MIB   0x100000u
#define LARGE LARGE_PAGE_SIZE
#define GIB   0x40000000u
#define RW    (MAP_READ | MAP_WRITE)

// A space with a thread that runs in it, so that its entries are held wherever they may be.
static struct proc running_in(uint64_t tables)
{
    struct proc p = world_proc(1, 100, 0);
    SYS_OK(0, thread_bind, p.thread, THREAD_SPACE, 0);
    p.space = world_make(OBJ_SPACE, tables);
    SYS_OK(0, thread_bind, p.thread, THREAD_SPACE, p.space);
    world_start_proc(&p);
    return p;
}

// Level at which an address is translated; 0: it is not.
static unsigned level_at(uint64_t space, uint64_t address)
{
    uint64_t pte;
    unsigned level;
    return tlb_translate(space_at(space)->vmid, ipa(address), &pte, &level) ? level : 0;
}

static uint64_t pte_at(uint64_t space, uint64_t address)
{
    uint64_t pte;
    unsigned level;
    assert_true(tlb_translate(space_at(space)->vmid, ipa(address), &pte, &level));
    return pte;
}

static uint32_t tables_used(uint64_t space)
{
    const struct space *sp = space_at(space);
    return sp->table_count - arch_stage2_root_pages() - sp->free_count;
}

static uint64_t device(uint64_t base, uint64_t pages)
{
    uint64_t handle = world_slot();
    SYS_OK(0, device_frames, BOOT_DEVICE_MEMORY, UNTYPED, base, pages, BOOT_CSPACE, handle);
    return handle;
}

static void a_page_is_mapped_and_unmapped(void **state)
{
    (void)state;
    struct proc p = running_in(4);
    uint64_t f = world_make(OBJ_FRAMES, PAGE_SIZE);
    SYS_OK(0, map, f, p.space, 0x7000, RW);
    assert_int_equal(level_at(p.space, 0x7000), 3);
    assert_int_equal(arch_pte_address(pte_at(p.space, 0x7000)).a, frames_at(f)->base);
    assert_true(arch_pte_allows(pte_at(p.space, 0x7000), true, false));
    assert_false(arch_pte_allows(pte_at(p.space, 0x7000), false, true));
    assert_int_equal(level_at(p.space, 0x6000), 0);
    assert_int_equal(level_at(p.space, 0x8000), 0);
    assert_int_equal(tables_used(p.space), 2);
    check_kernel(true);
    REFUSED(0, ERR_BUSY, map, f, p.space, 0x7000, RW);
    REFUSED(0, ERR_BUSY, map, f, p.space, 0x9000, RW);
    SYS_OK(0, unmap, f);
    assert_int_equal(level_at(p.space, 0x7000), 0);
    assert_int_equal(tables_used(p.space), 0);
    SYS_OK(0, unmap, f);
    SYS_OK(0, map, f, p.space, 0x9000, MAP_READ);
    assert_false(arch_pte_allows(pte_at(p.space, 0x9000), true, false));
    check_kernel(true);
}

static void blocks_are_as_large_as_alignment_allows(void **state)
{
    (void)state;
    struct proc p = running_in(16);
    uint64_t f = world_make(OBJ_FRAMES, 4 * MIB + 8 * PAGE_SIZE);
    SYS_OK(0, map, f, p.space, 16 * MIB, RW);
    assert_int_equal(level_at(p.space, 16 * MIB), 2);
    assert_int_equal(level_at(p.space, 18 * MIB), 2);
    assert_int_equal(level_at(p.space, 20 * MIB), 3);
    assert_int_equal(level_at(p.space, 20 * MIB + 7 * PAGE_SIZE), 3);
    assert_int_equal(level_at(p.space, 20 * MIB + 8 * PAGE_SIZE), 0);
    check_kernel(true);
    SYS_OK(0, unmap, f);
    SYS_OK(0, map, f, p.space, 16 * MIB + PAGE_SIZE, RW); // nothing is aligned: pages
    assert_int_equal(level_at(p.space, 18 * MIB), 3);
    check_kernel(true);
    SYS_OK(0, unmap, f);

    uint64_t d = device(2ull * GIB + LARGE, (2 * GIB - LARGE) / PAGE_SIZE);
    SYS_OK(0, map, d, p.space, 6ull * GIB + LARGE, MAP_READ);
    assert_int_equal(level_at(p.space, 6ull * GIB + LARGE), 2);
    assert_int_equal(level_at(p.space, 7ull * GIB - 1), 2);
    assert_int_equal(level_at(p.space, 7ull * GIB), 1);
    assert_int_equal(level_at(p.space, 8ull * GIB - 1), 1);
    assert_int_equal(level_at(p.space, 8ull * GIB), 0);
    check_kernel(true);
    SYS_OK(0, unmap, d);
    assert_int_equal(tables_used(p.space), 0);
    check_kernel(true);
}

static void a_part_of_a_run_is_mapped_through_a_copy(void **state)
{
    (void)state;
    struct proc p = running_in(4);
    uint64_t f = world_make(OBJ_FRAMES, 16 * PAGE_SIZE);
    uint64_t part = world_copy(f, RIGHT_READ | RIGHT_COPY, FRAMES_RANGE(4, 6));
    uint64_t inner = world_copy(part, RIGHT_READ, FRAMES_RANGE(5, 1));
    SYS_OK(0, map, part, p.space, 0x10000, MAP_READ);
    SYS_OK(0, map, inner, p.space, 0x20000, MAP_READ);
    assert_int_equal(arch_pte_address(pte_at(p.space, 0x10000)).a,
                     frames_at(f)->base + 4 * PAGE_SIZE);
    assert_int_equal(arch_pte_address(pte_at(p.space, 0x20000)).a,
                     frames_at(f)->base + 9 * PAGE_SIZE);
    assert_int_equal(level_at(p.space, 0x16000), 0);
    check_kernel(true);
    SYS_OK(0, revoke, BOOT_CSPACE, f); // takes back copies and what they map
    assert_int_equal(level_at(p.space, 0x10000), 0);
    assert_int_equal(level_at(p.space, 0x20000), 0);
    check_kernel(true);
}

static void refusals(void **state)
{
    (void)state;
    struct proc p = running_in(4);
    uint64_t f = world_make(OBJ_FRAMES, 4 * PAGE_SIZE);
    uint64_t read = world_copy(f, RIGHT_READ, 0);
    uint64_t d = device(FAKE_DEVICES, 1);
    uint64_t end = BIT(40);
    REFUSED(0, ERR_NO_CAP, map, 0, p.space, 0, MAP_READ);
    REFUSED(0, ERR_TYPE, map, p.space, p.space, 0, MAP_READ);
    REFUSED(0, ERR_TYPE, map, f, f, 0, MAP_READ);
    REFUSED(0, ERR_RIGHTS, map, f, world_copy(p.space, RIGHT_READ, 0), 0, MAP_READ);
    REFUSED(0, ERR_INVALID, map, f, p.space, 0, 0);
    REFUSED(0, ERR_INVALID, map, f, p.space, 0, MAP_WRITE);
    REFUSED(0, ERR_INVALID, map, f, p.space, 0, MAP_READ | 16);
    REFUSED(0, ERR_INVALID, map, f, p.space, 0, MAP_READ | 1ull << 32);
    REFUSED(0, ERR_INVALID, map, f, p.space, 0, RW | MAP_EXECUTE);
    REFUSED(0, ERR_INVALID, map, d, p.space, 0, MAP_READ | MAP_EXECUTE);
    REFUSED(0, ERR_RIGHTS, map, read, p.space, 0, RW);
    REFUSED(0, ERR_RIGHTS, map, read, p.space, 0, MAP_READ | MAP_EXECUTE);
    REFUSED(0, ERR_RIGHTS, map, world_copy(f, RIGHT_WRITE, 0), p.space, 0, RW);
    REFUSED(0, ERR_ALIGN, map, f, p.space, 0x800, MAP_READ);
    REFUSED(0, ERR_RANGE, map, f, p.space, end, MAP_READ);
    REFUSED(0, ERR_RANGE, map, f, p.space, end - 3 * PAGE_SIZE, MAP_READ);
    REFUSED(0, ERR_RANGE, map, f, p.space, UINT64_MAX - PAGE_SIZE + 1, MAP_READ);
    REFUSED(0, ERR_TYPE, unmap, p.space);
    SYS_OK(0, map, f, p.space, end - 4 * PAGE_SIZE, MAP_READ);
    SYS_OK(0, map, world_copy(f, RIGHT_READ, 0), p.space, 0, MAP_READ);
    check_kernel(true);
}

static void what_is_taken_is_refused_and_nothing_stays_behind(void **state)
{
    (void)state;
    struct proc p = running_in(16);
    uint64_t small = world_make(OBJ_FRAMES, PAGE_SIZE);
    uint64_t large = world_make(OBJ_FRAMES, 4 * MIB);
    SYS_OK(0, map, small, p.space, 19 * MIB, RW);
    uint32_t tables = tables_used(p.space);
    // After the first block.
    assert_int_equal(SYS(0, map, large, p.space, 16 * MIB, RW), ERR_OCCUPIED);
    assert_null(world_slot_at(large)->space);
    assert_int_equal(level_at(p.space, 16 * MIB), 0);
    assert_int_equal(level_at(p.space, 19 * MIB), 3);
    assert_int_equal(tables_used(p.space), tables);
    check_kernel(true);
    assert_int_equal(SYS(0, map, large, p.space, 16 * MIB + PAGE_SIZE, RW), ERR_OCCUPIED);
    assert_int_equal(tables_used(p.space), tables);
    SYS_OK(0, unmap, small);
    SYS_OK(0, map, large, p.space, 16 * MIB, RW);
    assert_int_equal(SYS(0, map, small, p.space, 17 * MIB, RW), ERR_OCCUPIED); // inside a block
    check_kernel(true);
}

static void a_pool_that_is_used_up_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t tables = 0; tables < 4; tables++) {
        struct proc p = running_in(tables);
        uint64_t f = world_make(OBJ_FRAMES, 4 * MIB + PAGE_SIZE);
        // Pages only, in three tables below one.
        assert_int_equal(SYS(0, map, f, p.space, 2 * MIB - PAGE_SIZE, RW), ERR_NO_MEMORY);
        assert_int_equal(tables_used(p.space), 0);
        assert_null(world_slot_at(f)->space);
        check_kernel(true);
        SYS_OK(0, thread_stop, p.thread);
    }
    struct proc p = running_in(4);
    uint64_t f = world_make(OBJ_FRAMES, 4 * MIB + PAGE_SIZE);
    SYS_OK(0, map, f, p.space, 2 * MIB - PAGE_SIZE, RW);
    assert_int_equal(tables_used(p.space), 4);
    check_kernel(true);
}

// Restarted at every step, forwards and backwards, alone and all together.
static void mapping_continues_where_it_was_interrupted(void **state)
{
    (void)state;
    struct proc p = running_in(8);
    const uint64_t pages = 40;
    uint64_t f = world_make(OBJ_FRAMES, pages * PAGE_SIZE);
    for (uint64_t k = 1; k <= pages + 2; k++) {
        fake.interrupt_in = k;
        SYS_OK(0, map, f, p.space, 2 * MIB - 7 * PAGE_SIZE, RW);
        assert_int_equal(world.restarts, k < pages);
        check_kernel(true);
        fake.interrupt_in = k;
        SYS_OK(0, unmap, f);
        assert_int_equal(world.restarts, k < 3); // 32, the last of that table, the other table's 7
        assert_int_equal(tables_used(p.space), 0);
        check_kernel(true);
    }
    fake.interrupt_always = true;
    SYS_OK(0, map, f, p.space, 2 * MIB - 7 * PAGE_SIZE, RW);
    assert_int_equal(world.restarts, pages - 1);
    SYS_OK(0, unmap, f);
    check_kernel(true);
}

static void a_failed_mapping_is_undone_in_steps(void **state)
{
    (void)state;
    struct proc p = running_in(8);
    const uint64_t pages = 100;
    uint64_t f = world_make(OBJ_FRAMES, pages * PAGE_SIZE);
    uint64_t other = world_make(OBJ_FRAMES, PAGE_SIZE);
    SYS_OK(0, map, other, p.space, (pages - 1) * PAGE_SIZE, RW);
    for (uint64_t k = 1; k <= pages + 6; k++) {
        fake.interrupt_in = k;
        assert_int_equal(SYS(0, map, f, p.space, 0, RW), ERR_OCCUPIED);
        assert_null(world_slot_at(f)->space);
        check_kernel(true);
    }
    fake.interrupt_in = 0;
    fake.interrupt_always = true;
    assert_int_equal(SYS(0, map, f, p.space, 0, RW), ERR_OCCUPIED);
    check_kernel(true);
}

// Whoever began a mapping may not finish it: it is unmapped, moved, deleted as it is.
static void a_half_done_mapping_is_like_any_other(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 4; what++) {
        struct proc p = running_in(8);
        struct proc mapper = world_proc(2, 100, 0);
        uint64_t f = world_make(OBJ_FRAMES, 40 * PAGE_SIZE);
        world_give(&mapper, PROC_FREE, f, RIGHT_ALL, 0);
        world_give(&mapper, PROC_FREE + 1, p.space, RIGHT_ALL, 0);
        world_start_proc(&mapper);
        memcpy(mapper.t->regs.x, (uint64_t[8]){PROC_FREE, PROC_FREE + 1, 0x4000, RW}, 64);
        fake.interrupt_in = 10;
        (void)fake_syscall(2, SYS_map);
        struct cspace *cs = CONTAINER_OF(world_object(mapper.cspace), struct cspace, obj);
        assert_int_equal(cs->slots[PROC_FREE].mapped, 10);
        check_kernel(true);
        SYS_OK(0, thread_stop, mapper.thread);
        uint64_t to = world_slot();
        if (what == 0) {
            SYS_OK(0, move, mapper.cspace, PROC_FREE, BOOT_CSPACE, to);
            check_kernel(true);
            assert_int_equal(level_at(p.space, 0x4000), 3);
            REFUSED(0, ERR_BUSY, map, to, p.space, 0x8000, RW);
            SYS_OK(0, map, to, p.space, 0x4000, RW); // the same again: goes on
        } else if (what == 1) {
            SYS_OK(0, delete, mapper.cspace, PROC_FREE);
        } else if (what == 2) {
            SYS_OK(0, revoke, BOOT_CSPACE, f);
        } else {
            SYS_OK(0, revoke, BOOT_CSPACE, p.space);
            SYS_OK(0, delete, BOOT_CSPACE, p.space);
        }
        if (what == 1 || what == 2) {
            assert_int_equal(level_at(p.space, 0x4000), 0);
        }
        check_kernel(true);
        SYS_OK(0, thread_stop, p.thread);
    }
}

static void the_end_of_a_space_forgets_its_mappings(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 8; k++) {
        struct proc p = running_in(8);
        uint64_t f[4];
        for (unsigned i = 0; i < ARRAY_SIZE(f); i++) {
            f[i] = world_make(OBJ_FRAMES, 2 * PAGE_SIZE);
            SYS_OK(0, map, f[i], p.space, 0x10000 * i, RW);
        }
        fake.interrupt_in = k;
        SYS_OK(0, revoke, BOOT_CSPACE, p.space); // the thread's
        assert_state(&p, THREAD_STOPPED);
        fake.interrupt_in = k;
        SYS_OK(0, delete, BOOT_CSPACE, p.space);
        for (unsigned i = 0; i < ARRAY_SIZE(f); i++) {
            assert_null(world_slot_at(f[i])->space);
        }
        check_kernel(true);
        struct proc other = running_in(8); // may get the same VMID, the same memory
        SYS_OK(0, map, f[0], other.space, 0, RW);
        SYS_OK(0, thread_stop, other.thread);
    }
}

// Frames go while their space is being taken apart.
static void a_dying_space_can_be_unmapped_from(void **state)
{
    (void)state;
    struct proc p = running_in(8);
    struct proc other = world_proc(2, 100, 0);
    uint64_t f[8];
    for (unsigned i = 0; i < ARRAY_SIZE(f); i++) {
        f[i] = world_make(OBJ_FRAMES, 2 * PAGE_SIZE);
        SYS_OK(0, map, f[i], p.space, 0x10000 * i, RW);
    }
    world_give(&other, PROC_FREE, BOOT_CSPACE, RIGHT_ALL, 0);
    world_start_proc(&other);
    SYS_OK(0, revoke, BOOT_CSPACE, p.space);
    memcpy(other.t->regs.x, (uint64_t[8]){PROC_FREE, p.space}, 64);
    fake.interrupt_in = 1;
    (void)fake_syscall(2, SYS_delete);
    SYS_OK(0, unmap, f[7]);
    SYS_OK(0, unmap, f[0]);
    SYS_OK(0, delete, BOOT_CSPACE, f[3]);
    (void)fake_syscall(2, SYS_delete);
    check_kernel(true);
}

static void vmids_come_back(void **state)
{
    (void)state;
    world_end();
    world_start_with(2, 40, 64);
    uint64_t s[62];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
            s[i] = world_make(OBJ_SPACE, 0);
        }
        uint64_t to = world_slot();
        assert_int_equal(SYS(0, retype, UNTYPED, OBJ_SPACE, 0, BOOT_CSPACE, to), ERR_NO_MEMORY);
        check_kernel(true);
        for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
            SYS_OK(0, delete, BOOT_CSPACE, s[i]);
        }
    }
}

static void four_levels(void **state)
{
    world_end();
    world_start_with(4, 48, 256);
    struct proc p = running_in(8);
    uint64_t f = world_make(OBJ_FRAMES, PAGE_SIZE);
    SYS_OK(0, map, f, p.space, BIT(48) - PAGE_SIZE, RW);
    assert_int_equal(level_at(p.space, BIT(48) - PAGE_SIZE), 3);
    assert_int_equal(tables_used(p.space), 3);
    uint64_t d = device(2ull * GIB, GIB / PAGE_SIZE);
    SYS_OK(0, map, d, p.space, BIT(47), MAP_READ);
    assert_int_equal(level_at(p.space, BIT(47)), 1);
    check_kernel(true);
    REFUSED(0, ERR_RANGE, map, world_make(OBJ_FRAMES, PAGE_SIZE), p.space, BIT(48), RW);
    SYS_OK(0, unmap, f);
    SYS_OK(0, unmap, d);
    assert_int_equal(tables_used(p.space), 0);
    mapping_continues_where_it_was_interrupted(state);
}

static void caches_are_cleaned_in_small_pieces(void **state)
{
    (void)state;
    struct proc p = running_in(16);
    uint64_t f = world_make(OBJ_FRAMES, 8 * MIB);
    fake.published = 0;
    SYS_OK(0, map, f, p.space, 16 * MIB, RW);
    assert_int_equal(fake.published, 0);
    SYS_OK(0, unmap, f);
    SYS_OK(0, map, f, p.space, 16 * MIB, RW | MAP_UNCACHED);
    assert_int_equal(fake.published, 8 * MIB);
    SYS_OK(0, unmap, f);
    fake.published = 0;
    SYS_OK(0, map, f, p.space, 16 * MIB, MAP_READ | MAP_EXECUTE);
    assert_int_equal(fake.published, 8 * MIB);
    assert_true(fake.published_max <= LARGE);
    assert_true(arch_pte_allows(pte_at(p.space, 16 * MIB), false, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_page_is_mapped_and_unmapped),
        world_test(blocks_are_as_large_as_alignment_allows),
        world_test(a_part_of_a_run_is_mapped_through_a_copy),
        world_test(refusals),
        world_test(what_is_taken_is_refused_and_nothing_stays_behind),
        world_test(a_pool_that_is_used_up_changes_nothing),
        world_test(mapping_continues_where_it_was_interrupted),
        world_test(a_failed_mapping_is_undone_in_steps),
        world_test(a_half_done_mapping_is_like_any_other),
        world_test(the_end_of_a_space_forgets_its_mappings),
        world_test(a_dying_space_can_be_unmapped_from),
        world_test(vmids_come_back),
        world_test(four_levels),
        world_test(caches_are_cleaned_in_small_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

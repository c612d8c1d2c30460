// Capabilities: copies with fewer rights, badges, the tree of derivations, moving, deleting, revoking; restarted at
// every step.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include "cap.h"
#include "kernel_fixture.h"

static bool derives_from(uint64_t child, uint64_t parent)
{
    return world_slot_at(child)->parent == world_slot_at(parent);
}

static void assert_same(const struct cap *a, const struct cap *b)
{
    assert_ptr_equal(a->obj, b->obj);
    assert_int_equal(a->badge, b->badge);
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->rights, b->rights);
}

static void a_copy_has_at_most_the_rights_of_its_source(void **state)
{
    (void)state;
    uint64_t n = world_make(OBJ_NOTIFICATION, 0);
    uint64_t some = world_copy(n, RIGHT_WRITE | RIGHT_COPY, 0);
    uint64_t none = world_copy(some, 0, 0);
    uint64_t to = world_slot();
    assert_true(derives_from(some, n));
    assert_true(derives_from(none, some));
    SYS_OK(0, identify, none);
    assert_int_equal(world.x[1], OBJ_NOTIFICATION);
    REFUSED(0, ERR_RIGHTS, copy, BOOT_CSPACE, some, BOOT_CSPACE, to, RIGHT_READ, 0);
    REFUSED(0, ERR_RIGHTS, copy, BOOT_CSPACE, some, BOOT_CSPACE, to, RIGHT_WRITE | 1ull << 32, 0);
    REFUSED(0, ERR_RIGHTS, copy, BOOT_CSPACE, none, BOOT_CSPACE, to, 0, 0); // may not be copied
    REFUSED(0, ERR_RIGHTS, signal, none);
    check_kernel(true);
}

static void badges_are_set_once(void **state)
{
    (void)state;
    uint64_t e = world_make(OBJ_ENDPOINT, 0);
    uint64_t badged = world_copy(e, RIGHT_ALL, UINT64_MAX);
    uint64_t to = world_slot();
    SYS_OK(0, identify, badged);
    assert_int_equal(world.x[3], UINT64_MAX);
    REFUSED(0, ERR_INVALID, copy, BOOT_CSPACE, badged, BOOT_CSPACE, to, RIGHT_ALL, 1);
    SYS_OK(0, identify, world_copy(badged, RIGHT_WRITE, 0)); // keeps it
    assert_int_equal(world.x[3], UINT64_MAX);
    REFUSED(0, ERR_INVALID, copy, BOOT_CSPACE, BOOT_CSPACE, BOOT_CSPACE, to, RIGHT_ALL, 1);
    REFUSED(0, ERR_INVALID, copy, BOOT_CSPACE, BOOT_CONSOLE, BOOT_CSPACE, to, RIGHT_WRITE, 1);
    check_kernel(true);
}

static void frames_and_time_are_shrunk(void **state)
{
    (void)state;
    uint64_t f = world_make(OBJ_FRAMES, 8 * PAGE_SIZE);
    uint64_t part = world_copy(f, RIGHT_ALL, FRAMES_RANGE(2, 4));
    uint64_t time = world_copy(BOOT_TIME, RIGHT_WRITE | RIGHT_COPY, TIME_BADGE(100, 0xc));
    uint64_t to = world_slot();
    SYS_OK(0, identify, part);
    assert_int_equal(world.x[2], 4 * PAGE_SIZE);
    assert_int_equal(world.x[3], FRAMES_RANGE(2, 4));
    assert_int_equal(world.x[4], frames_at(f)->base + 2 * PAGE_SIZE);
    SYS_OK(0, identify, world_copy(part, RIGHT_ALL, FRAMES_RANGE(3, 1)));
    assert_int_equal(world.x[3], FRAMES_RANGE(5, 1));
#define NO(source, rights, badge)                                                                  \
    REFUSED(0, ERR_INVALID, copy, BOOT_CSPACE, source, BOOT_CSPACE, to, rights, badge)
    NO(part, 0, FRAMES_RANGE(0, 5));
    NO(part, 0, FRAMES_RANGE(4, 1));
    NO(part, 0, FRAMES_RANGE(4, 0));
    NO(part, 0, FRAMES_RANGE(3, 2));
    NO(part, 0, FRAMES_RANGE(1, 0));
    NO(part, 0, FRAMES_RANGE(UINT32_MAX, 1));
    NO(part, 0, FRAMES_RANGE(1, UINT32_MAX));
    NO(part, 0, UINT64_MAX);
    NO(time, 0, TIME_BADGE(101, 0xc));
    NO(time, 0, TIME_BADGE(100, 0xe));
    NO(time, 0, UINT64_MAX);
#undef NO
    SYS_OK(0, identify, world_copy(time, RIGHT_WRITE, TIME_BADGE(99, 4)));
    assert_int_equal(world.x[3], TIME_BADGE(99, 4));
    check_kernel(true);
}

static void untyped_memory_is_not_copied(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x4000);
    REFUSED(0, ERR_INVALID, copy, BOOT_CSPACE, ut, BOOT_CSPACE, world_slot(), RIGHT_ALL, 0);
}

static void places_are_checked(void **state)
{
    (void)state;
    uint64_t cs = world_make(OBJ_CSPACE, 8);
    uint64_t read = world_copy(cs, RIGHT_READ, 0);
    uint64_t write = world_copy(cs, RIGHT_WRITE, 0);
    uint64_t n = world_make(OBJ_NOTIFICATION, 0);
    uint64_t free = world_slot();
    SYS_OK(0, copy, BOOT_CSPACE, n, cs, 7, RIGHT_ALL, 0);
    REFUSED(0, ERR_RANGE, copy, BOOT_CSPACE, n, cs, 8, RIGHT_ALL, 0);
    REFUSED(0, ERR_RANGE, copy, BOOT_CSPACE, n, cs, 0, RIGHT_ALL, 0);
    REFUSED(0, ERR_RANGE, copy, cs, 8, BOOT_CSPACE, free, RIGHT_ALL, 0);
    REFUSED(0, ERR_OCCUPIED, copy, BOOT_CSPACE, n, cs, 7, RIGHT_ALL, 0);
    REFUSED(0, ERR_OCCUPIED, copy, BOOT_CSPACE, n, BOOT_CSPACE, n, RIGHT_ALL, 0);
    REFUSED(0, ERR_NO_CAP, copy, cs, 6, BOOT_CSPACE, free, 0, 0);
    REFUSED(0, ERR_RIGHTS, copy, write, 7, BOOT_CSPACE, free, 0, 0);
    REFUSED(0, ERR_RIGHTS, copy, BOOT_CSPACE, n, read, 5, 0, 0);
    REFUSED(0, ERR_TYPE, copy, n, 7, BOOT_CSPACE, free, 0, 0);
    REFUSED(0, ERR_RIGHTS, move, read, 7, BOOT_CSPACE, free);
    REFUSED(0, ERR_RIGHTS, move, BOOT_CSPACE, n, read, 5);
    REFUSED(0, ERR_NO_CAP, move, cs, 6, BOOT_CSPACE, free);
    REFUSED(0, ERR_OCCUPIED, move, BOOT_CSPACE, n, cs, 7); // n's copy is not the end of a move
    REFUSED(0, ERR_OCCUPIED, move, BOOT_CSPACE, n, BOOT_CSPACE, n);
    // Derives from it, but is something else.
    REFUSED(0, ERR_OCCUPIED, move, BOOT_CSPACE, UNTYPED, BOOT_CSPACE, n);
    REFUSED(0, ERR_RIGHTS, delete, read, 7);
    REFUSED(0, ERR_RIGHTS, revoke, read, 7);
    REFUSED(0, ERR_RANGE, delete, cs, 8);
    REFUSED(0, ERR_RANGE, revoke, cs, UINT64_MAX);
    REFUSED(0, ERR_NO_CAP, identify, free);
    REFUSED(0, ERR_NO_CAP, identify, 0);
    SYS_OK(0, delete, cs, 6); // is empty already
    SYS_OK(0, revoke, cs, 6);
    check_kernel(true);
}

// A capability with descendants two levels deep; some in another capability space, one held by a thread, one mapped.
struct family {
    uint64_t root; // frames
    uint64_t children[5];
    uint64_t grandchildren[5];
    struct proc holder;
};

static struct family make_family(void)
{
    struct family f = {.root = world_make(OBJ_FRAMES, 4 * PAGE_SIZE),
                       .holder = world_proc(1, 100, 0)};
    for (unsigned i = 0; i < ARRAY_SIZE(f.children); i++) {
        f.children[i] = world_copy(f.root, RIGHT_ALL, FRAMES_RANGE(i % 4, 1));
        f.grandchildren[i] = world_copy(f.children[i], RIGHT_ALL, 0);
    }
    SYS_OK(0, thread_bind, f.holder.thread, THREAD_MESSAGE, 0);
    SYS_OK(0, thread_bind, f.holder.thread, THREAD_MESSAGE, f.children[1]);
    SYS_OK(0, map, f.root, f.holder.space, 0x10000, MAP_READ);
    SYS_OK(0, map, f.grandchildren[2], f.holder.space, 0x20000, MAP_READ);
    world_start_proc(&f.holder);
    return f;
}

static void end_family(const struct family *f)
{
    SYS_OK(0, delete, BOOT_CSPACE, f->holder.thread);
    check_kernel(true);
}

static void revoking_takes_all_that_derives(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 40; k++) {
        struct family f = make_family();
        uint64_t other = world_copy(f.holder.notification, RIGHT_ALL, 0);
        fake.interrupt_in = k;
        SYS_OK(0, revoke, BOOT_CSPACE, f.root);
        fake.interrupt_in = 0;
        check_kernel(true);
        assert_null(world_slot_at(f.root)->child);
        assert_false(slot_empty(world_slot_at(f.root)));
        assert_non_null(world_slot_at(f.root)->space); // its own mapping stays
        assert_false(slot_empty(world_slot_at(other)));
        for (unsigned i = 0; i < ARRAY_SIZE(f.children); i++) {
            assert_true(slot_empty(world_slot_at(f.children[i])));
            assert_true(slot_empty(world_slot_at(f.grandchildren[i])));
        }
        assert_state(&f.holder, THREAD_STOPPED);
        assert_null(f.holder.t->message);
        assert_int_equal(f.holder.t->space->tables[0] != 0, 1);
        end_family(&f);
    }
}

static void deleting_hands_the_children_up(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 12; k++) {
        struct family f = make_family();
        fake.interrupt_in = k;
        SYS_OK(0, delete, BOOT_CSPACE, f.root);
        fake.interrupt_in = 0;
        check_kernel(true);
        for (unsigned i = 0; i < ARRAY_SIZE(f.children); i++) {
            assert_true(derives_from(f.children[i], UNTYPED));
            assert_true(derives_from(f.grandchildren[i], f.children[i]));
        }
        assert_state(&f.holder, THREAD_READY);
        end_family(&f);
    }
}

static void moving_takes_children_and_mapping_along(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 12; k++) {
        struct family f = make_family();
        uint64_t to = world_slot();
        struct cap before;
        struct cap after;
        assert_true(slot_read(world_slot_at(f.root), &before));
        fake.interrupt_in = k;
        SYS_OK(0, move, BOOT_CSPACE, f.root, BOOT_CSPACE, to);
        fake.interrupt_in = 0;
        check_kernel(true);
        assert_true(slot_empty(world_slot_at(f.root)));
        assert_true(slot_read(world_slot_at(to), &after));
        assert_same(&before, &after);
        assert_true(derives_from(to, UNTYPED));
        assert_int_equal(world_slot_at(to)->address, 0x10000);
        assert_int_equal(world_slot_at(to)->mapped, 4);
        for (unsigned i = 0; i < ARRAY_SIZE(f.children); i++) {
            assert_true(derives_from(f.children[i], to));
        }
        SYS_OK(0, unmap, to);
        end_family(&f);
    }
}

// The move is interrupted and another thread does something to one of the two slots first.
static void a_half_done_move_is_sound(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 6; what++) {
        for (uint64_t k = 1; k < 7; k++) {
            struct family f = make_family();
            struct proc mover = world_proc(2, 100, 0);
            uint64_t to = world_slot();
            world_give(&mover, PROC_FREE, BOOT_CSPACE, RIGHT_ALL, 0);
            world_start_proc(&mover);
            memcpy(mover.t->regs.x, (uint64_t[8]){PROC_FREE, f.root, PROC_FREE, to}, 64);
            fake.interrupt_in = k;
            (void)fake_syscall(2, SYS_move);
            fake.interrupt_in = 0;
            check_kernel(true);
            switch (what) {
            case 0:
                SYS_OK(0, delete, BOOT_CSPACE, f.root);
                break;
            case 1:
                SYS_OK(0, delete, BOOT_CSPACE, to);
                break;
            case 2:
                SYS_OK(0, revoke, BOOT_CSPACE, f.root);
                break;
            case 3:
                SYS_OK(0, revoke, BOOT_CSPACE, to);
                break;
            case 4:
                (void)SYS(0, move, BOOT_CSPACE, f.root, BOOT_CSPACE, world_slot());
                break;
            default:
                (void)SYS(0, copy, BOOT_CSPACE, f.root, BOOT_CSPACE, world_slot(), RIGHT_READ, 0);
                break;
            }
            check_kernel(true);
            if (mover.t->regs.pc == 0) {
                (void)fake_syscall(2, SYS_move);
            }
            check_kernel(true);
            SYS_OK(0, thread_stop, mover.thread);
            end_family(&f);
        }
    }
}

static void untyped_memory_moves(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x8000);
    uint64_t n = world_make_from(ut, OBJ_NOTIFICATION, 0);
    uint64_t to = world_slot();
    fake.interrupt_always = true;
    SYS_OK(0, move, BOOT_CSPACE, ut, BOOT_CSPACE, to);
    fake.interrupt_always = false;
    assert_true(derives_from(n, to));
    check_kernel(true);
    SYS_OK(0, revoke, BOOT_CSPACE, to);
    assert_int_equal(untyped_at(to)->live, 0);
    check_kernel(true);
}

static void the_last_capability_takes_the_object_along(void **state)
{
    (void)state;
    uint64_t ut = world_make(OBJ_UNTYPED, 0x8000);
    uint64_t n = world_make_from(ut, OBJ_NOTIFICATION, 0);
    uint64_t copy = world_copy(n, RIGHT_ALL, 0);
    SYS_OK(0, delete, BOOT_CSPACE, n);
    assert_int_equal(untyped_at(ut)->live, 1);
    SYS_OK(0, delete, BOOT_CSPACE, copy);
    assert_int_equal(untyped_at(ut)->live, 0);
    check_kernel(true);
}

static void deep_and_wide_trees_are_revoked_in_linear_time(void **state)
{
    (void)state;
    uint64_t n = world_make(OBJ_NOTIFICATION, 0);
    uint64_t last = n;
    for (unsigned i = 0; i < 500; i++) {
        last = world_copy(i % 2 == 0 ? last : n, RIGHT_ALL, 0);
    }
    fake.interrupt_always = true;
    SYS_OK(0, revoke, BOOT_CSPACE, n);
    assert_true(world.restarts < 2 * 500);
    check_kernel(true);
}

static void a_reader_never_mixes_two_capabilities(void **state)
{
    (void)state;
    struct slot s;
    struct obj a = {.type = OBJ_NOTIFICATION, .refs = 1};
    struct cap cap = {.obj = &a, .badge = 1, .type = OBJ_NOTIFICATION, .rights = 2};
    struct cap read;
    slot_init(&s, SLOT_IN_CSPACE, 0);
    assert_false(slot_read(&s, &read));
    slot_fill(&s, &cap, NULL);
    assert_true(slot_read(&s, &read));
    assert_same(&read, &cap);
    uint64_t meta = s.meta;
    assert_true(slot_delete_step(&s));
    slot_fill(&s, &cap, NULL);
    assert_int_not_equal(s.meta, meta); // the same capability, but not the same time
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_copy_has_at_most_the_rights_of_its_source),
        world_test(badges_are_set_once),
        world_test(frames_and_time_are_shrunk),
        world_test(untyped_memory_is_not_copied),
        world_test(places_are_checked),
        world_test(revoking_takes_all_that_derives),
        world_test(deleting_hands_the_children_up),
        world_test(moving_takes_children_and_mapping_along),
        world_test(a_half_done_move_is_sound),
        world_test(untyped_memory_moves),
        world_test(the_last_capability_takes_the_object_along),
        world_test(deep_and_wide_trees_are_revoked_in_linear_time),
        world_test(a_reader_never_mixes_two_capabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Untyped memory: what is carved lies apart, is clean, and comes back.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>

#include "fake.h"
#include "untyped.h"

#define BASE (FAKE_RAM_BASE + 0x1000)

static struct untyped ut;

static void begin(uint64_t size)
{
    memset(phys_to_virt(paddr(FAKE_RAM_BASE)), 0xa5, 0x400000);
    untyped_init(&ut, BASE, size, NULL);
}

static int setup(void **state)
{
    (void)state;
    fake_reset(1);
    return 0;
}

static bool is_zero(const void *at, uint64_t bytes)
{
    const unsigned char *p = at;
    for (uint64_t i = 0; i < bytes; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

static struct carved carve(struct carve c)
{
    assert_int_equal(untyped_check(&ut, &c), OK);
    struct work work = {0};
    while (!untyped_clean(&ut, &c, &work)) {
        work = (struct work){0};
    }
    return untyped_carve(&ut, &c);
}

static void small_things_come_from_below_large_ones_from_above(void **state)
{
    (void)state;
    begin(0x10000);
    struct carved a = carve((struct carve){.low = 100, .align = PAGE_SIZE});
    struct carved b = carve((struct carve){.low = 65, .high = 0x2000, .align = PAGE_SIZE});
    struct carved c = carve((struct carve){.low = 64, .high = 0x2000, .align = 0x2000});
    assert_int_equal(virt_to_phys(a.object).a, BASE);
    assert_int_equal(virt_to_phys(b.object).a, BASE + 128);
    assert_int_equal(b.high.a, BASE + 0xe000);
    assert_int_equal(virt_to_phys(c.object).a, BASE + 256);
    assert_int_equal(c.high.a, align_down(BASE + 0xc000, 0x2000));
    assert_int_equal(ut.live, 3);
    assert_true(is_zero(a.object, 100));
    assert_true(is_zero(b.object, 65));
    assert_true(is_zero(phys_to_virt(b.high), 0x2000));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    begin(0x4000);
    static const struct carve refused[] = {
        {.low = 0x4001, .align = PAGE_SIZE},
        {.low = UINT64_MAX, .align = PAGE_SIZE},
        {.low = UINT64_MAX - BASE, .align = PAGE_SIZE},
        {.high = 0x5000, .align = PAGE_SIZE},
        {.high = UINT64_MAX - PAGE_SIZE + 1, .align = PAGE_SIZE},
        {.low = 1, .high = 0x4000, .align = PAGE_SIZE},
        {.low = 64, .high = 0x1000, .align = LARGE_PAGE_SIZE},
    };
    struct untyped before = ut;
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_int_equal(untyped_check(&ut, &refused[i]), ERR_NO_MEMORY);
        assert_memory_equal(&ut, &before, sizeof(ut));
    }
    (void)carve((struct carve){.low = 64, .high = 0x3000, .align = PAGE_SIZE});
    (void)carve((struct carve){.low = 0xfc0, .align = PAGE_SIZE}); // to the last byte
    assert_int_equal(ut.low, ut.high);
    struct carve one = {.low = 1, .align = PAGE_SIZE};
    assert_int_equal(untyped_check(&ut, &one), ERR_NO_MEMORY);
}

static void memory_that_may_be_dirty_is_not_touched(void **state)
{
    (void)state;
    begin(0x10000);
    struct carved a =
        carve((struct carve){.low = 64, .high = 0x8000, .align = PAGE_SIZE, .keep = true});
    const unsigned char *bytes = phys_to_virt(a.high);
    assert_int_equal(bytes[0], 0xa5);
    assert_int_equal(bytes[0x7fff], 0xa5);
}

static void when_all_is_gone_it_starts_afresh(void **state)
{
    (void)state;
    begin(0x10000);
    struct carved a = carve((struct carve){.low = 64, .high = 0x8000, .align = PAGE_SIZE});
    memset(a.object, 0x77, 64);
    memset(phys_to_virt(a.high), 0x77, 0x8000);
    struct carve large = {.high = 0x10000, .align = PAGE_SIZE};
    assert_int_equal(untyped_check(&ut, &large), ERR_NO_MEMORY);
    ut.live--;
    struct carved b = carve(large);
    assert_int_equal(b.high.a, BASE);
    assert_true(is_zero(phys_to_virt(b.high), 0x10000));
}

static void cleaning_is_never_done_twice(void **state)
{
    (void)state;
    begin(0x100000);
    struct carve c = {.low = 0x9000, .high = 0x22000, .align = PAGE_SIZE};
    fake.interrupt_always = true;
    unsigned steps = 0;
    assert_int_equal(untyped_check(&ut, &c), OK);
    for (struct work work = {0}; !untyped_clean(&ut, &c, &work); work = (struct work){0}) {
        uint64_t left = ut.dirty_high - ut.dirty_low;
        steps++;
        assert_int_equal(untyped_check(&ut, &c), OK); // a restart looks again
        assert_int_equal(ut.dirty_high - ut.dirty_low, left);
    }
    assert_int_equal(steps, 3 + 9);
    assert_true(fake.zeroed_max <= 0x4000);
    struct carved out = untyped_carve(&ut, &c);
    assert_true(is_zero(out.object, 0x9000));
    assert_true(is_zero(phys_to_virt(out.high), 0x22000));
}

// An interrupted carving from the low end has zeroed for the kernel, in its cache; another takes that from the high end.
static void zeroes_in_a_cache_are_remembered(void **state)
{
    (void)state;
    begin(0x10000);
    struct carve low = {.low = 0x8000, .align = PAGE_SIZE};
    fake.interrupt_always = true;
    struct work work = {0};
    assert_int_equal(untyped_check(&ut, &low), OK);
    assert_false(untyped_clean(&ut, &low, &work));
    fake.interrupt_always = false;
    assert_true(carve((struct carve){.high = 0x8000, .align = PAGE_SIZE}).published);
    assert_false(carve((struct carve){.high = 0x7000, .align = PAGE_SIZE}).published);
}

static void what_need_not_be_zero_is_not_published(void **state)
{
    (void)state;
    begin(0x10000);
    assert_false(carve((struct carve){.high = 0x8000, .align = PAGE_SIZE, .keep = true}).published);
    assert_true(carve((struct carve){.high = 0x1000, .align = PAGE_SIZE}).published);
}

// Random carvings, cleaned in steps, some given up: all that is handed out is clean and belongs to nobody else.
static void at_random(void **state)
{
    (void)state;
    static unsigned char owner[0x200000 / 64];
    srand(11);
    for (unsigned round = 0; round < 20; round++) {
        begin(0x200000);
        memset(owner, 0, sizeof(owner));
        for (unsigned i = 0; i < 200; i++) {
            struct carve c = {
                .low = (uint64_t)rand() % 4 == 0 ? 0 : (uint64_t)rand() % 3000,
                .high = (uint64_t)rand() % 2 * ((uint64_t)rand() % 8) * PAGE_SIZE,
                .align = BIT(12 + rand() % 4),
                .keep = rand() % 4 == 0,
            };
            if (untyped_check(&ut, &c) != OK) {
                continue;
            }
            struct work work = {.steps = WORK_STEPS - 1 - (uint32_t)rand() % 3};
            if (!untyped_clean(&ut, &c, &work)) {
                continue; // and something else comes first
            }
            struct carved out = untyped_carve(&ut, &c);
            assert_true(is_zero(out.object, c.low));
            assert_true(c.keep || is_zero(phys_to_virt(out.high), c.high));
            assert_true(is_aligned(out.high.a, c.high == 0 ? 1 : c.align));
            memset(out.object, 0x77, c.low);
            memset(phys_to_virt(out.high), 0x77, c.high);
            uint64_t from[] = {virt_to_phys(out.object).a, out.high.a};
            uint64_t bytes[] = {c.low, c.high};
            for (unsigned part = 0; part < 2; part++) {
                for (uint64_t at = 0; at < bytes[part]; at += 64) {
                    assert_int_equal(owner[(from[part] + at - BASE) / 64]++, 0);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(small_things_come_from_below_large_ones_from_above, setup),
        cmocka_unit_test_setup(what_does_not_fit_is_refused, setup),
        cmocka_unit_test_setup(memory_that_may_be_dirty_is_not_touched, setup),
        cmocka_unit_test_setup(when_all_is_gone_it_starts_afresh, setup),
        cmocka_unit_test_setup(cleaning_is_never_done_twice, setup),
        cmocka_unit_test_setup(zeroes_in_a_cache_are_remembered, setup),
        cmocka_unit_test_setup(what_need_not_be_zero_is_not_published, setup),
        cmocka_unit_test_setup(at_random, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

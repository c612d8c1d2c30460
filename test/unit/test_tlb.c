// The model of stage-2 translation finds what it is there for: each test makes one mistake.
// sources: kernel/arch/fake/tlb.c kernel/arch/fake/fake.c kernel/arch/fake/cores.c
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: base/format.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <base/bits.h>

#include "arch.h"
#include "fake.h"
#include "space.h"
#include "tlb.h"

#define VMID 5u

// Two root pages, then tables; the rest is memory to map.
static const paddr_t root = {FAKE_RAM_BASE};
static const paddr_t table2 = {FAKE_RAM_BASE + 0x2000};
static const paddr_t table3 = {FAKE_RAM_BASE + 0x3000};
static const paddr_t page = {FAKE_RAM_BASE + 0x10000};
static struct space space; // of a process

static uint64_t *entry(paddr_t table, unsigned index)
{
    return (uint64_t *)phys_to_virt(table) + index;
}

static uint64_t leaf(paddr_t pa)
{
    return arch_pte_leaf(pa, MAP_READ | MAP_WRITE, 3, false);
}

static int setup(void **state)
{
    (void)state;
    fake_reset(1);
    arch_zero(phys_to_virt(root), 0x20000);
    arch_space_init(&space.arch, root, VMID);
    arch_pte_sync();
    tlb_enter(VMID);
    fake_cores[0].vmid = VMID;
    return 0;
}

// Address 0 is mapped to `page`, in the right order.
static void map_page(void)
{
    arch_pte_write(entry(table3, 0), leaf(page));
    arch_pte_sync();
    arch_pte_write(entry(table2, 0), arch_pte_table(table3));
    arch_pte_sync();
    arch_pte_write(entry(root, 0), arch_pte_table(table2));
    arch_pte_sync();
}

typedef void mistake_fn(void);

static bool is_found(mistake_fn *mistake)
{
    if (setjmp(fake.escape) != 0) {
        return true;
    }
    fake.escape_armed = true;
    mistake();
    fake.escape_armed = false;
    return false;
}

static void what_is_right_is_accepted(void **state)
{
    (void)state;
    uint64_t pte;
    unsigned level;
    map_page();
    tlb_kernel_left();
    assert_true(tlb_translate(VMID, ipa(0), &pte, &level));
    assert_int_equal(level, 3);
    assert_int_equal(pte, leaf(page));
    assert_false(tlb_translate(VMID, ipa(0x1000), &pte, &level));

    arch_pte_write(entry(table3, 0), 0);
    arch_pte_write(entry(table2, 0), 0);
    arch_pte_write(entry(root, 0), 0);
    arch_tlb_invalidate_page(VMID, ipa(0));
    tlb_kernel_left();
    arch_zero(phys_to_virt(page), PAGE_SIZE);
    map_page();
    tlb_kernel_left();
}

static void overwrite(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), leaf(paddr_add(page, PAGE_SIZE)));
}

static void map_again_without_invalidation(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), 0);
    arch_pte_sync();
    arch_pte_write(entry(table3, 0), leaf(paddr_add(page, PAGE_SIZE)));
}

static void leave_before_the_barrier(void)
{
    map_page();
    arch_pte_write(entry(table3, 1), leaf(paddr_add(page, PAGE_SIZE)));
    tlb_kernel_left();
}

static void leave_without_invalidation(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), 0);
    arch_pte_sync();
    tlb_kernel_left();
}

static void link_before_the_barrier(void)
{
    arch_pte_write(entry(table3, 0), leaf(page));
    arch_pte_write(entry(table2, 0), arch_pte_table(table3));
    arch_pte_write(entry(root, 0), arch_pte_table(table2));
}

static void link_a_table_that_was_just_cleaned(void)
{
    arch_zero(phys_to_virt(table2), PAGE_SIZE);
    arch_pte_write(entry(root, 0), arch_pte_table(table2));
}

static void reuse_a_page_that_is_held(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), 0);
    arch_zero(phys_to_virt(page), PAGE_SIZE);
}

static void reuse_a_page_that_is_mapped(void)
{
    map_page();
    arch_zero(phys_to_virt(page), PAGE_SIZE);
}

static void reuse_a_table_that_is_held(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), 0);
    arch_tlb_invalidate_page(VMID, ipa(0));
    arch_pte_write(entry(table2, 0), 0);
    arch_pte_write(entry(table3, 7), leaf(page));
}

static void invalidate_another_space(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), 0);
    arch_tlb_invalidate_page(VMID + 1, ipa(0));
}

static void invalidate_another_address(void)
{
    map_page();
    arch_pte_write(entry(table3, 0), 0);
    arch_tlb_invalidate_page(VMID, ipa(0x1000));
    tlb_kernel_left();
}

static void give_a_vmid_away(void)
{
    static struct space other;
    map_page();
    arch_zero(phys_to_virt(paddr_add(root, 0x8000)), 0x2000);
    arch_space_init(&other.arch, paddr_add(root, 0x8000), VMID);
}

static void make_a_table_a_process_can_write(void)
{
    map_page();
    arch_pte_write(entry(table3, 1), leaf(table2));
}

static void make_a_page_writable_and_executable(void)
{
    map_page();
    arch_pte_write(entry(table3, 1),
                   arch_pte_leaf(page, MAP_READ | MAP_WRITE | MAP_EXECUTE, 3, false));
}

static void link_a_table_twice(void)
{
    map_page();
    arch_pte_write(entry(table2, 1), arch_pte_table(table3));
}

static void write_a_misaligned_block(void)
{
    map_page();
    arch_pte_write(entry(table2, 1), arch_pte_leaf(page, MAP_READ, 2, false));
}

static void mistakes_are_found(void **state)
{
    static mistake_fn *const mistakes[] = {
        overwrite,
        map_again_without_invalidation,
        leave_before_the_barrier,
        leave_without_invalidation,
        link_before_the_barrier,
        link_a_table_that_was_just_cleaned,
        reuse_a_page_that_is_held,
        reuse_a_page_that_is_mapped,
        reuse_a_table_that_is_held,
        invalidate_another_space,
        invalidate_another_address,
        give_a_vmid_away,
        make_a_table_a_process_can_write,
        make_a_page_writable_and_executable,
        link_a_table_twice,
        write_a_misaligned_block,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(mistakes); i++) {
        (void)setup(state);
        if (!is_found(mistakes[i])) {
            fail_msg("mistake %u is not found", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_right_is_accepted, setup),
        cmocka_unit_test(mistakes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Boot: what the first process finds, and what the kernel says when there cannot be one.
// sources: kernel/boot.c kernel/cap.c kernel/console.c kernel/cspace.c kernel/endpoint.c kernel/entry.c kernel/ipc.c
// sources: kernel/irq.c kernel/notification.c kernel/panic.c kernel/reap.c kernel/retype.c kernel/sched.c
// sources: kernel/space.c kernel/syscall.c kernel/threadctl.c kernel/timeq.c kernel/untyped.c kernel/vcpu.c kernel/xcall.c
// sources: kernel/arch/fake/cores.c kernel/arch/fake/fake.c kernel/arch/fake/tlb.c base/format.c
// sources: test/unit/kernel_fixture.c test/unit/kernel_check.c
#include <string.h>

#include <abi/bundle.h>

#include "boot.h"
#include "kernel_fixture.h"
#include "percpu.h"
#include "sched.h"
#include "tlb.h"

#define AUTHORITY (RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_COPY)

static uint64_t pte_of(uint64_t address)
{
    uint64_t pte;
    unsigned level;
    assert_true(tlb_translate(world.init->space->vmid, ipa(address), &pte, &level));
    return pte;
}

static void *seen_at(uint64_t address)
{
    return phys_to_virt(paddr(arch_pte_address(pte_of(address)).a + (address & (PAGE_SIZE - 1))));
}

static void init_runs_with_what_it_needs(void **state)
{
    (void)state;
    assert_ptr_equal(percpu[0].current, world.init);
    assert_int_equal(world.init->regs.pc, BOOT_IMAGE_ADDRESS + sizeof(struct init_header));
    assert_int_equal(world.init->regs.sp, BOOT_STACK_TOP);
    assert_int_equal(world.init->regs.x[0], BOOT_INFO_ADDRESS);
    assert_int_equal(world.init->priority, PRIORITY_MAX);
    assert_int_equal(world.init->own.budget, 10000);
    assert_ptr_equal(world.init->message, seen_at(BOOT_MESSAGE_ADDRESS));
    check_kernel(true);
}

static void its_handles_are_where_they_should_be(void **state)
{
    (void)state;
    static const struct {
        uint64_t handle;
        enum obj_type type;
        unsigned rights;
    } handles[] = {
        {BOOT_CSPACE, OBJ_CSPACE, RIGHT_ALL},
        {BOOT_SPACE, OBJ_SPACE, RIGHT_ALL},
        {BOOT_THREAD, OBJ_THREAD, RIGHT_ALL},
        {BOOT_NOTIFICATION, OBJ_NOTIFICATION, RIGHT_ALL},
        {BOOT_ENDPOINT, OBJ_ENDPOINT, RIGHT_ALL},
        {BOOT_IRQ_CONTROL, OBJ_IRQ_CONTROL, AUTHORITY},
        {BOOT_DEVICE_MEMORY, OBJ_DEVICE_MEMORY, AUTHORITY},
        {BOOT_TIME, OBJ_TIME, AUTHORITY},
        {BOOT_CONSOLE, OBJ_CONSOLE, AUTHORITY},
        {BOOT_POWER, OBJ_POWER, AUTHORITY},
        {BOOT_SMC, OBJ_SMC, AUTHORITY},
        {BOOT_BUNDLE, OBJ_FRAMES, RIGHT_READ | RIGHT_COPY | RIGHT_EXECUTE},
        {BOOT_FDT, OBJ_FRAMES, RIGHT_READ | RIGHT_COPY},
        {BOOT_UNTYPED, OBJ_UNTYPED, RIGHT_READ | RIGHT_WRITE},
        {BOOT_UNTYPED + 1, OBJ_UNTYPED, RIGHT_READ | RIGHT_WRITE},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(handles); i++) {
        SYS_OK(0, identify, handles[i].handle);
        assert_int_equal(world.x[1], handles[i].type | handles[i].rights << 8);
    }
    REFUSED(0, ERR_NO_CAP, identify, BOOT_CSPACE_SLOTS - 1);
    SYS_OK(0, identify, BOOT_TIME);
    assert_int_equal(world.x[3], TIME_BADGE(PRIORITY_MAX, UINT32_MAX));
}

static void the_info_page_tells_the_machine(void **state)
{
    (void)state;
    const struct boot_info *info = seen_at(BOOT_INFO_ADDRESS);
    assert_int_equal(info->magic, BOOT_MAGIC);
    assert_int_equal(info->cores, 4);
    assert_int_equal(info->gic_version, 3);
    assert_int_equal(info->irq_count, FAKE_IRQ_FIRST + FAKE_IRQ_COUNT);
    assert_int_equal(info->ticks_per_second, 1000000);
    assert_int_equal(info->fdt_offset, 0x40);
    assert_int_equal(info->untyped_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        SYS_OK(0, identify, BOOT_UNTYPED + i);
        assert_int_equal(info->untyped[i].base, world.x[4]);
        assert_int_equal(info->untyped[i].size, world.x[2]);
    }
    assert_true(info->untyped[0].size > info->untyped[1].size); // objects come from the largest
    assert_false(arch_pte_allows(pte_of(BOOT_INFO_ADDRESS), true, false));
}

static void its_image_is_mapped_as_the_bundle_says(void **state)
{
    (void)state;
    const struct init_header *h = seen_at(BOOT_IMAGE_ADDRESS);
    assert_int_equal(h->magic, INIT_MAGIC);
    assert_true(arch_pte_allows(pte_of(BOOT_IMAGE_ADDRESS), false, true));
    assert_false(arch_pte_allows(pte_of(BOOT_IMAGE_ADDRESS), true, false));
    const unsigned char *data = seen_at(BOOT_IMAGE_ADDRESS + PAGE_SIZE);
    assert_int_equal(data[0], 0x5d);
    assert_true(arch_pte_allows(pte_of(BOOT_IMAGE_ADDRESS + PAGE_SIZE), true, false));
    const unsigned char *bss = seen_at(BOOT_IMAGE_ADDRESS + 2 * PAGE_SIZE);
    assert_int_equal(bss[0], 0);
    const struct boot_info *info = seen_at(BOOT_INFO_ADDRESS);
    const struct bundle_header *b = seen_at(info->bundle_address);
    assert_int_equal(b->magic, BUNDLE_MAGIC);
    assert_false(arch_pte_allows(pte_of(info->bundle_address), false, true));
    (void)pte_of(BOOT_FDT_ADDRESS);
    (void)pte_of(BOOT_STACK_TOP - 1);
    (void)pte_of(BOOT_STACK_TOP - BOOT_STACK_SIZE);
    uint64_t pte;
    unsigned level;
    assert_false(tlb_translate(world.init->space->vmid, ipa(BOOT_STACK_TOP), &pte, &level));
    assert_false(tlb_translate(world.init->space->vmid, ipa(0), &pte, &level));
}

// ---- Machines that cannot start ------------------------------------------------------------------------------------

#define FREE_AT (FAKE_RAM_BASE + 0x100000)

static struct bundle_header *bundle;
static struct init_header *init;

static struct boot_machine small_machine(uint64_t bytes)
{
    fake_reset(1);
    sched_init(&percpu[0], 0);
    bundle = phys_to_virt(paddr(FAKE_RAM_BASE));
    init = phys_to_virt(paddr(FAKE_RAM_BASE + PAGE_SIZE));
    *bundle = (struct bundle_header){
        .magic = BUNDLE_MAGIC,
        .revision = BUNDLE_REVISION,
        .size = 0x3000,
        .init = {.offset = PAGE_SIZE, .size = 2 * PAGE_SIZE},
    };
    *init = (struct init_header){
        .magic = INIT_MAGIC, .text_size = PAGE_SIZE, .data_size = PAGE_SIZE, .bss_size = 0};
    return (struct boot_machine){
        .free = {{FREE_AT, bytes}},
        .free_count = bytes != 0,
        .bundle = {FAKE_RAM_BASE, 0x3000},
        .fdt = {FAKE_RAM_BASE + 0x8000, PAGE_SIZE},
        .ticks_per_second = 1000000,
    };
}

static void expect_panic(const struct boot_machine *m, const char *why)
{
    int how = setjmp(fake.escape);
    if (how == 0) {
        fake.escape_armed = true;
        boot_first_process(m);
    }
    fake.escape_armed = false;
    assert_int_equal(how, FAKE_PANIC);
    if (strstr(fake.console, why) == NULL) {
        fail_msg("not \"%s\" but \"%s\"", why, fake.console);
    }
}

static void too_little_memory_is_a_message(void **state)
{
    (void)state;
    struct boot_machine m = small_machine(0);
    expect_panic(&m, "bulkhead: panic: no free memory");
    for (uint64_t bytes = 0x1000; bytes < 0x480000; bytes += 0x4f000) {
        m = small_machine(bytes);
        expect_panic(&m, "too little memory for the first process");
    }
}

static void a_damaged_bundle_is_a_message(void **state)
{
    (void)state;
    const uint64_t enough = 0x800000;
    struct boot_machine m = small_machine(enough);
    bundle->revision++;
    expect_panic(&m, "revision 3, this kernel reads 2");

    for (unsigned i = 0; i < 13; i++) {
        m = small_machine(enough);
        switch (i) {
        case 0:
            init->magic++;
            break;
        case 1:
            init->text_size = 3 * PAGE_SIZE;
            break;
        case 2:
            init->data_size = 2 * PAGE_SIZE;
            break;
        case 3:
            init->data_size = 8;
            break;
        case 4:
            init->bss_size = BIT(30) + PAGE_SIZE;
            break;
        case 5:
            init->text_size = UINT64_MAX - PAGE_SIZE + 1;
            break;
        case 6:
            bundle->init.offset = 0x800;
            break;
        case 7:
            bundle->init.offset = UINT64_MAX - PAGE_SIZE + 1;
            break;
        case 8:
            bundle->init.size = UINT64_MAX;
            break;
        case 9:
            bundle->init.size = 3 * PAGE_SIZE;
            break;
        case 10:
            bundle->init.size = 8;
            break;
        case 11:
            bundle->init.offset = 3 * PAGE_SIZE;
            break;
        default:
            init->data_size = UINT64_MAX - PAGE_SIZE + 1;
            break;
        }
        expect_panic(&m, "no usable first process");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(init_runs_with_what_it_needs),
        world_test(its_handles_are_where_they_should_be),
        world_test(the_info_page_tells_the_machine),
        world_test(its_image_is_mapped_as_the_bundle_says),
        cmocka_unit_test(too_little_memory_is_a_message),
        cmocka_unit_test(a_damaged_bundle_is_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

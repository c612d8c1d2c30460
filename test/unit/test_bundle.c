// Bundles: a good one is opened, and one with any single field wrong is refused.
// sources: abi/bundle_check.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <abi/bundle_check.h>
#include <abi/syscall.h>
#include <abi/vm.h>
#include <base/bits.h>

// A bundle as the tool makes it, tables in C structs: a parent and its child, each with a text and a data segment.
struct parts {
    struct bundle_header header;
    struct bundle_process processes[2];
    struct bundle_segment segments[4];
    struct bundle_region regions[4]; // anywhere, fixed and prefilled, a device, in place
    struct bundle_map maps[4];       // the last two: RAM and an image in a VMM
    struct bundle_channel channels[1];
    struct bundle_irq irqs[2]; // numbered, the device's
    struct bundle_patch patches[1];
    struct bundle_share shares[1];
    struct bundle_vm vms[2]; // one that has everything, one that has nothing
    struct bundle_vcpu vcpus[3];
    struct bundle_guest_map guest_maps[3];
    char strings[16];
};

enum { INIT_AT = 0x1000, BLOB_AT = 0x2000, SIZE = 0x3000, RAM_IPA = 0x40000000 };

static _Alignas(PAGE_SIZE) union {
    struct parts parts;
    uint8_t bytes[SIZE];
} good;

#define TABLE(field)                                                                               \
    {                                                                                              \
        offsetof(struct parts, field), sizeof(good.parts.field) / sizeof(good.parts.field[0])      \
    }

static struct bundle_process a_process(const char *name, uint32_t parent, uint32_t first)
{
    struct bundle_process p = {
        .parent = parent,
        .child_id = 61,
        .priority = 254,
        .core = 1,
        .flags = BUNDLE_FPU,
        .budget_us = 1000,
        .period_us = 1000,
        .stack_size = 0x2000,
        .entry = PROCESS_IMAGE,
        .segment_first = first,
        .segment_count = 2,
    };
    strcpy(p.name, name);
    return p;
}

static struct bundle_vm a_vm(const char *name, uint32_t process, uint32_t first, uint32_t count)
{
    struct bundle_vm v = {
        .process = process,
        .vcpu_first = first,
        .vcpu_count = count,
        .ram = BUNDLE_NONE,
        .kernel = BUNDLE_NONE,
        .initrd = BUNDLE_NONE,
        .dtb = BUNDLE_NONE,
        .console = BUNDLE_NONE,
    };
    strcpy(v.name, name);
    return v;
}

// The parent runs one with two vcpus, the child another.
static void make_vms(struct parts *p)
{
    p->maps[2] = (struct bundle_map){
        .region = 0, .process = 0, .vaddr = VM_MEMORY, .perms = MAP_READ | MAP_WRITE};
    p->maps[3] = (struct bundle_map){
        .region = 3, .process = 0, .vaddr = VM_MEMORY + 0x200000, .perms = MAP_READ};
    p->vms[0] = a_vm("linux", 0, 0, 2);
    p->vms[0].ram = 0;
    p->vms[0].ram_ipa = RAM_IPA;
    p->vms[0].ram_vaddr = VM_MEMORY;
    p->vms[0].kernel = p->vms[0].initrd = p->vms[0].dtb = 3;
    p->vms[0].kernel_vaddr = p->vms[0].initrd_vaddr = p->vms[0].dtb_vaddr = VM_MEMORY + 0x200000;
    p->vms[0].cmdline = 3;
    p->vms[0].flags = VM_TRACE_EXITS;
    p->vms[0].on_poweroff = VM_SHUTDOWN;
    p->vms[0].console = 61;
    p->vms[1] = a_vm("other", 1, 2, 1);
    for (uint32_t i = 0; i < 3; i++) {
        p->vcpus[i] = (struct bundle_vcpu){
            .vm = i / 2, .id = i % 2, .core = i % 2, .budget_us = 10, .period_us = 20};
    }
    p->guest_maps[0] = (struct bundle_guest_map){
        .vm = 0, .region = 0, .ipa = RAM_IPA, .perms = MAP_READ | MAP_WRITE | MAP_EXECUTE};
    p->guest_maps[1] = (struct bundle_guest_map){
        .vm = 0, .region = 1, .ipa = RAM_IPA + 0x200000, .perms = MAP_READ};
    p->guest_maps[2] = (struct bundle_guest_map){
        .vm = 1, .region = 2, .ipa = 0, .perms = MAP_READ | MAP_WRITE | MAP_UNCACHED};
}

static void make_good(void)
{
    struct parts *p = &good.parts;
    memset(&good, 0, sizeof(good));
    p->header = (struct bundle_header){
        .magic = BUNDLE_MAGIC,
        .revision = BUNDLE_REVISION,
        .header_size = sizeof(p->header),
        .size = SIZE,
        .init = {INIT_AT, 0x1000},
        .processes = TABLE(processes),
        .segments = TABLE(segments),
        .regions = TABLE(regions),
        .maps = TABLE(maps),
        .channels = TABLE(channels),
        .irqs = TABLE(irqs),
        .patches = TABLE(patches),
        .shares = TABLE(shares),
        .vms = TABLE(vms),
        .vcpus = TABLE(vcpus),
        .guest_maps = TABLE(guest_maps),
        .strings = TABLE(strings),
        .cores = 2,
    };
    p->processes[0] = a_process("parent", BUNDLE_NONE, 0);
    p->processes[1] = a_process("child", 0, 2);
    for (uint32_t i = 0; i < 4; i++) {
        bool data = i % 2 == 1;
        p->segments[i] = (struct bundle_segment){
            .vaddr = PROCESS_IMAGE + (data ? PAGE_SIZE : 0),
            .memory_size = data ? 0x3000 : 0x800,
            .file = {BLOB_AT, 0x800},
            .perms = MAP_READ | (data ? MAP_WRITE : MAP_EXECUTE),
            .process = i / 2,
        };
    }
    p->regions[0] = (struct bundle_region){
        .name = 1, .size = 0x200000, .page_size = 0x200000, .paddr = BUNDLE_ANYWHERE};
    p->regions[1] = (struct bundle_region){.name = 1,
                                           .size = 0x1000,
                                           .page_size = 0x1000,
                                           .paddr = 0x9000000,
                                           .prefill = {BLOB_AT, 0x1000}};
    p->regions[2] = (struct bundle_region){
        .name = 3, .device = 3, .page_size = 0x1000, .paddr = BUNDLE_ANYWHERE};
    p->regions[3] = (struct bundle_region){.name = 1,
                                           .size = 0x1000,
                                           .page_size = 0x1000,
                                           .paddr = BUNDLE_ANYWHERE,
                                           .prefill = {BLOB_AT, 0x800},
                                           .flags = BUNDLE_REGION_IN_PLACE};
    p->maps[0] =
        (struct bundle_map){.region = 0, .process = 0, .vaddr = 0x1000000, .perms = MAP_READ};
    p->maps[1] = (struct bundle_map){
        .region = 2, .process = 1, .vaddr = 0x1000, .perms = MAP_READ | MAP_WRITE | MAP_UNCACHED};
    p->channels[0] = (struct bundle_channel){{{0, 61, 1, 1}, {1, 0, 0, 0}}};
    p->irqs[0] = (struct bundle_irq){.process = 0, .id = 61, .intid = 1019, .device = BUNDLE_NONE};
    p->irqs[1] = (struct bundle_irq){
        .process = 1, .intid = BUNDLE_NONE, .device = 2, .index = 7, .trigger = IRQ_EDGE};
    p->patches[0] = (struct bundle_patch){
        .process = 1, .kind = PATCH_REGION_SIZE, .vaddr = PROCESS_IMAGE + 0x3ff8, .region = 2};
    p->shares[0] = (struct bundle_share){.process = 0, .slot = 63, .kind = SHARE_SPACE, .of = 1};
    make_vms(p);
    memcpy(p->strings, "\0m\0device", 9);
    struct init_header init = {INIT_MAGIC, 0x200028, 0x1000, 0, 0x1000};
    memcpy(good.bytes + INIT_AT, &init, sizeof(init));
}

static const char *open_good(void)
{
    struct bundle b;
    return bundle_open(&good, SIZE, &b);
}

static void a_good_one(void **state)
{
    (void)state;
    struct bundle b;
    make_good();
    assert_null(bundle_open(&good, SIZE, &b));
    assert_string_equal(bundle_process(&b, 1)->name, "child");
    assert_int_equal(bundle_segment(&b, 3)->process, 1);
    assert_string_equal(bundle_string(&b, bundle_region(&b, 0)->name), "m");
    assert_string_equal(bundle_string(&b, bundle_region(&b, 2)->device), "device");
    assert_int_equal(bundle_map(&b, 1)->vaddr, 0x1000);
    assert_int_equal(bundle_channel(&b, 0)->end[0].id, 61);
    assert_int_equal(bundle_irq(&b, 1)->index, 7);
    assert_int_equal(bundle_patch(&b, 0)->region, 2);
    assert_int_equal(bundle_share(&b, 0)->slot, 63);
    assert_string_equal(bundle_vm(&b, 1)->name, "other");
    assert_int_equal(bundle_vcpu(&b, 1)->id, 1);
    assert_int_equal(bundle_guest_map(&b, 1)->ipa, RAM_IPA + 0x200000);
    assert_ptr_equal(bundle_at(&b, BLOB_AT), good.bytes + BLOB_AT);
}

static void limits_are_good(void **state)
{
    (void)state;
    make_good();
    good.parts.header.vms.count = good.parts.header.vcpus.count = 0;
    good.parts.header.guest_maps.count = 0;
    good.parts.maps[0].vaddr = 0x7fffe00000 - 0x200000;
    good.parts.segments[1].memory_size = PROCESS_STACK_TOP - 0x3000 - good.parts.segments[1].vaddr;
    good.parts.regions[1].paddr = (1ull << 48) - 0x1000;
    assert_null(open_good());
    good.parts.segments[1].memory_size++;
    assert_non_null(open_good());
}

static void limits_of_vms_are_good(void **state)
{
    (void)state;
    make_good();
    good.parts.maps[0].vaddr = VM_BASE - 0x200000;
    good.parts.guest_maps[2].ipa = BUNDLE_GUEST_TOP - PAGE_SIZE;
    good.parts.regions[3].prefill.size = PAGE_SIZE;
    assert_null(open_good());
}

static void too_short(void **state)
{
    (void)state;
    struct bundle b;
    make_good();
    for (size_t size = 0; size < SIZE; size += 8) {
        assert_non_null(bundle_open(&good, size, &b));
    }
    assert_non_null(bundle_open(good.bytes + 4, SIZE - 4, &b));
}

// One field of the good bundle, and a value that must not be there.
struct damage {
    size_t offset;
    size_t size;
    uint64_t value;
    const char *message; // part of it
};

#define DAMAGE(field, value, message)                                                              \
    {                                                                                              \
        offsetof(struct parts, field), sizeof(good.parts.field), (value), (message)                \
    }
#define PROCESS "one of the processes is wrong"
#define SEGMENT "one of the segments is wrong"
#define REGION  "one of the regions is wrong"
#define MAP     "one of the maps is wrong"
#define CHANNEL "one of the channels is wrong"
#define IRQ     "one of the irqs is wrong"
#define PATCH   "one of the patches is wrong"
#define SHARE   "one of the shares is wrong"
#define VM      "one of the vms is wrong"
#define VCPU    "one of the vcpus is wrong"
#define GUEST   "one of the guest_maps is wrong"

static const struct damage damages[] = {
    DAMAGE(header.magic, 0, "its header"),
    DAMAGE(header.revision, BUNDLE_REVISION - 1, "its header"),
    DAMAGE(header.header_size, 8, "its header"),
    DAMAGE(header.size, SIZE + PAGE_SIZE, "its header"),
    DAMAGE(header.size, SIZE - 8, "its header"),
    DAMAGE(header.flags, 2, "its header"),
    DAMAGE(header.cores, 0, "its header"),
    DAMAGE(header.cores, CORES_MAX + 1, "its header"),
    DAMAGE(header.init.offset, INIT_AT + 8, "the image of init"),
    DAMAGE(header.init.offset, BLOB_AT, "the image of init"),
    DAMAGE(header.init.offset, UINT64_MAX - 0xfff, "the image of init"),
    DAMAGE(header.init.size, 8, "the image of init"),
    DAMAGE(header.init.size, SIZE, "the image of init"),
    DAMAGE(header.processes.count, PROCESS_MAX + 1, "the table of processes lies outside"),
    DAMAGE(header.processes.offset, 4, "the table of processes lies outside"),
    DAMAGE(header.segments.offset, SIZE, "the table of segments lies outside"),
    DAMAGE(header.regions.count, UINT32_MAX, "the table of regions lies outside"),
    DAMAGE(header.maps.offset, UINT32_MAX - 7, "the table of maps lies outside"),
    DAMAGE(header.channels.count, 1000, "the table of channels lies outside"),
    DAMAGE(header.irqs.count, 1u << 27, "the table of irqs lies outside"),
    DAMAGE(header.patches.count, UINT32_MAX, "the table of patches lies outside"),
    DAMAGE(header.shares.offset, SIZE - 8, "the table of shares lies outside"),
    DAMAGE(header.strings.count, 0, "the strings"),
    DAMAGE(header.strings.count, 5, "the strings"),
    DAMAGE(header.strings.count, SIZE, "the table of strings lies outside"),
    DAMAGE(strings[0], 'x', "the strings"),
    DAMAGE(processes[0].name[0], 0, PROCESS),
    DAMAGE(processes[0].parent, 0, PROCESS),
    DAMAGE(processes[1].parent, 1, PROCESS),
    DAMAGE(processes[1].parent, 7, PROCESS),
    DAMAGE(processes[1].child_id, CHANNEL_MAX, PROCESS),
    DAMAGE(processes[0].priority, PRIORITY_MAX + 1, PROCESS),
    DAMAGE(processes[0].core, 2, PROCESS),
    DAMAGE(processes[0].flags, 16, PROCESS),
    DAMAGE(processes[0].budget_us, 0, PROCESS),
    DAMAGE(processes[0].budget_us, 1001, PROCESS),
    DAMAGE(processes[0].period_us, UINT64_MAX, PROCESS),
    DAMAGE(processes[0].stack_size, 0, PROCESS),
    DAMAGE(processes[0].stack_size, 0x1800, PROCESS),
    DAMAGE(processes[0].stack_size, 0x1001000, PROCESS),
    DAMAGE(processes[0].segment_first, 5, PROCESS),
    DAMAGE(processes[0].segment_count, 5, PROCESS),
    DAMAGE(processes[1].segment_first, 3, PROCESS),
    DAMAGE(processes[0].segment_first, UINT32_MAX, PROCESS),
    DAMAGE(segments[0].process, 2, SEGMENT),
    DAMAGE(segments[0].process, 1, SEGMENT),
    DAMAGE(segments[0].vaddr, PROCESS_IMAGE + 8, SEGMENT),
    DAMAGE(segments[0].vaddr, PROCESS_STACK_TOP - 0x2000, SEGMENT),
    DAMAGE(segments[0].vaddr, UINT64_MAX - 0xfff, SEGMENT),
    DAMAGE(segments[0].memory_size, 0, SEGMENT),
    DAMAGE(segments[0].memory_size, 0x1001, SEGMENT),
    DAMAGE(segments[1].memory_size, UINT64_MAX, SEGMENT),
    DAMAGE(segments[1].memory_size, 0x7ff, SEGMENT),
    DAMAGE(segments[0].file.offset, BLOB_AT + 8, SEGMENT),
    DAMAGE(segments[0].file.offset, SIZE, SEGMENT),
    DAMAGE(segments[1].file.size, SIZE, SEGMENT),
    DAMAGE(segments[0].perms, 0, SEGMENT),
    DAMAGE(segments[0].perms, MAP_EXECUTE, SEGMENT),
    DAMAGE(segments[0].perms, MAP_READ | MAP_WRITE | MAP_EXECUTE, SEGMENT),
    DAMAGE(segments[0].perms, MAP_READ | MAP_UNCACHED, SEGMENT),
    DAMAGE(regions[0].name, 16, REGION),
    DAMAGE(regions[0].device, UINT32_MAX, REGION),
    DAMAGE(regions[0].size, 0, REGION),
    DAMAGE(regions[0].size, 0x201000, REGION),
    DAMAGE(regions[0].size, UINT64_MAX & ~0x1fffffull, REGION),
    DAMAGE(regions[0].page_size, 0x40000000, REGION),
    DAMAGE(regions[0].page_size, 0, REGION),
    DAMAGE(regions[1].paddr, 0x9000800, REGION),
    DAMAGE(regions[1].paddr, 1ull << 48, REGION),
    DAMAGE(regions[1].paddr, UINT64_MAX & ~0xfffull, REGION),
    DAMAGE(regions[1].prefill.size, 0x1001, REGION),
    DAMAGE(regions[1].prefill.offset, SIZE, REGION),
    DAMAGE(regions[2].paddr, 0x9000000, REGION),
    DAMAGE(regions[2].prefill.size, 8, REGION),
    DAMAGE(maps[0].region, 4, MAP),
    DAMAGE(maps[0].process, 2, MAP),
    DAMAGE(maps[0].vaddr, 0x1001000, MAP),
    DAMAGE(maps[0].vaddr, 0x7fffe00000, MAP),
    DAMAGE(maps[0].vaddr, UINT64_MAX & ~0x1fffffull, MAP),
    DAMAGE(maps[0].perms, 0, MAP),
    DAMAGE(maps[0].perms, MAP_WRITE, MAP),
    DAMAGE(maps[0].perms, MAP_UNCACHED, MAP),
    DAMAGE(maps[0].perms, MAP_READ | MAP_WRITE | MAP_EXECUTE, MAP),
    DAMAGE(maps[0].perms, MAP_READ | 16, MAP),
    DAMAGE(channels[0].end[0].process, 2, CHANNEL),
    DAMAGE(channels[0].end[1].process, BUNDLE_NONE, CHANNEL),
    DAMAGE(channels[0].end[0].id, CHANNEL_MAX, CHANNEL),
    DAMAGE(channels[0].end[1].notify, 2, CHANNEL),
    DAMAGE(channels[0].end[1].call, 1, CHANNEL),
    DAMAGE(channels[0].end[1].call, UINT32_MAX, CHANNEL),
    DAMAGE(irqs[0].process, 2, IRQ),
    DAMAGE(irqs[0].id, CHANNEL_MAX, IRQ),
    DAMAGE(irqs[0].intid, 15, IRQ),
    DAMAGE(irqs[0].intid, 1020, IRQ),
    DAMAGE(irqs[0].device, 2, IRQ),
    DAMAGE(irqs[1].device, 0, IRQ),
    DAMAGE(irqs[1].device, 4, IRQ),
    DAMAGE(irqs[1].device, BUNDLE_NONE, IRQ),
    DAMAGE(irqs[1].trigger, 2, IRQ),
    DAMAGE(patches[0].process, 2, PATCH),
    DAMAGE(patches[0].kind, 2, PATCH),
    DAMAGE(patches[0].region, 4, PATCH),
    DAMAGE(patches[0].vaddr, PROCESS_IMAGE, PATCH),
    DAMAGE(patches[0].vaddr, PROCESS_IMAGE + 0x3ff9, PATCH),
    DAMAGE(patches[0].vaddr, UINT64_MAX - 3, PATCH),
    DAMAGE(shares[0].process, 2, SHARE),
    DAMAGE(shares[0].of, 2, SHARE),
    DAMAGE(shares[0].slot, 0, SHARE),
    DAMAGE(shares[0].slot, USER_SLOT_MAX, SHARE),
    DAMAGE(shares[0].kind, 3, SHARE),
    DAMAGE(header.vms.count, PROCESS_MAX + 1, "the table of vms lies outside"),
    DAMAGE(header.vcpus.offset, SIZE, "the table of vcpus lies outside"),
    DAMAGE(header.guest_maps.count, UINT32_MAX, "the table of guest_maps lies outside"),
    DAMAGE(regions[0].flags, 2, REGION),
    DAMAGE(regions[0].flags, BUNDLE_REGION_IN_PLACE, REGION),
    DAMAGE(regions[1].flags, BUNDLE_REGION_IN_PLACE, REGION),
    DAMAGE(regions[2].flags, BUNDLE_REGION_IN_PLACE, REGION),
    DAMAGE(regions[3].size, 0x2000, REGION),
    DAMAGE(regions[3].prefill.size, 0, REGION),
    DAMAGE(regions[3].paddr, 0x9001000, REGION),
    DAMAGE(maps[3].perms, MAP_READ | MAP_WRITE, MAP),
    DAMAGE(maps[3].perms, MAP_READ | MAP_EXECUTE, MAP),
    DAMAGE(maps[3].perms, MAP_READ | MAP_UNCACHED, MAP),
    DAMAGE(maps[0].vaddr, VM_BASE, VM),
    DAMAGE(segments[1].memory_size, VM_BASE, VM),
    DAMAGE(vms[0].name[0], 0, VM),
    DAMAGE(vms[0].process, 2, VM),
    DAMAGE(vms[1].process, 0, VM),
    DAMAGE(vms[0].vcpu_count, 0, VM),
    DAMAGE(vms[0].vcpu_count, VCPU_MAX + 1, VM),
    DAMAGE(vms[1].vcpu_first, 3, VM),
    DAMAGE(vms[0].ram, 1, VM),
    DAMAGE(vms[0].ram, 4, VM),
    DAMAGE(vms[0].ram, BUNDLE_NONE, VM),
    DAMAGE(vms[0].ram_ipa, RAM_IPA + 0x200000, VM),
    DAMAGE(vms[0].ram_vaddr, 0x1000000, VM),
    DAMAGE(vms[0].kernel, 0, VM),
    DAMAGE(vms[0].initrd, 4, VM),
    DAMAGE(vms[0].dtb_vaddr, VM_MEMORY, VM),
    DAMAGE(vms[0].cmdline, 16, VM),
    DAMAGE(vms[0].flags, 2, VM),
    DAMAGE(vms[0].on_reset, 3, VM),
    DAMAGE(vms[0].on_poweroff, 3, VM),
    DAMAGE(vms[0].on_crash, UINT32_MAX, VM),
    DAMAGE(vms[0].console, 0, VM),
    DAMAGE(vms[1].console, 61, VM),
    DAMAGE(vcpus[0].vm, 1, VCPU),
    DAMAGE(vcpus[2].vm, 2, VCPU),
    DAMAGE(vcpus[1].id, 0, VCPU),
    DAMAGE(vcpus[0].core, 2, VCPU),
    DAMAGE(vcpus[0].priority, PRIORITY_MAX + 1, VCPU),
    DAMAGE(vcpus[0].budget_us, 0, VCPU),
    DAMAGE(vcpus[0].period_us, 9, VCPU),
    DAMAGE(guest_maps[2].vm, 2, GUEST),
    DAMAGE(guest_maps[0].vm, 1, VM), // where its RAM was
    DAMAGE(guest_maps[1].region, 4, GUEST),
    DAMAGE(guest_maps[1].region, 3, GUEST),
    DAMAGE(guest_maps[1].ipa, RAM_IPA, GUEST),
    DAMAGE(guest_maps[1].ipa, RAM_IPA + 0x1ff000, GUEST),
    DAMAGE(guest_maps[1].ipa, RAM_IPA - 0x1000, GUEST),
    DAMAGE(guest_maps[1].ipa, RAM_IPA + 0x200800, GUEST),
    DAMAGE(guest_maps[2].ipa, BUNDLE_GUEST_TOP + 0x1000, GUEST),
    DAMAGE(guest_maps[1].vm, 1, GUEST),
    DAMAGE(guest_maps[1].perms, 0, GUEST),
    DAMAGE(guest_maps[1].perms, MAP_WRITE, GUEST),
    DAMAGE(guest_maps[1].perms, MAP_READ | 16, GUEST),
};

static void any_field_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        make_good();
        memcpy(good.bytes + damages[i].offset, &damages[i].value, damages[i].size);
        const char *wrong = open_good();
        if (wrong == NULL || strstr(wrong, damages[i].message) == NULL) {
            fail_msg("damage %zu at offset %zu: %s, not %s", i, damages[i].offset, wrong,
                     damages[i].message);
        }
    }
}

static void names_and_init_headers(void **state)
{
    (void)state;
    make_good();
    memset(good.parts.processes[0].name, 'n', PROCESS_NAME_MAX);
    assert_string_equal(open_good(), PROCESS);
    const struct init_header wrong[] = {
        {0, 0x200028, 0x1000, 0, 0},
        {INIT_MAGIC, 0x200028, 0x800, 0, 0},
        {INIT_MAGIC, 0x200028, 0x1000, 0x1000, 0},
        {INIT_MAGIC, 0x200028, 0x2000, 0, 0},
        {INIT_MAGIC, 0x200028, 0x1000, UINT64_MAX & ~0xfffull, 0},
        {INIT_MAGIC, 0x200028, 0x1000, 0, 8},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        make_good();
        memcpy(good.bytes + INIT_AT, &wrong[i], sizeof(wrong[i]));
        assert_string_equal(open_good(), "the image of init is wrong");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one),
        cmocka_unit_test(limits_are_good),
        cmocka_unit_test(limits_of_vms_are_good),
        cmocka_unit_test(too_short),
        cmocka_unit_test(any_field_wrong),
        cmocka_unit_test(names_and_init_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

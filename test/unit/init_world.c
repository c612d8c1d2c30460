// The world of init's tests: see init_world.h.
#include "init_world.h"

#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include <base/bits.h>
#include <init/build.h>

// The bundle: tables in the first pages, then init's image, text, data, prefill.
#define TABLE_BYTES    0x10000u
#define INIT_OFFSET    TABLE_BYTES
#define TEXT_OFFSET    (INIT_OFFSET + PAGE_SIZE)
#define DATA_OFFSET    (TEXT_OFFSET + PAGE_SIZE)
#define PREFILL_OFFSET (DATA_OFFSET + 2 * PAGE_SIZE)
#define BUNDLE_BYTES   (PREFILL_OFFSET + PAGE_SIZE)

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    w->fdt = world_tree();
    w->system = calloc(1, sizeof(*w->system));
    w->window = aligned_alloc(PAGE_SIZE, LARGE_PAGE_SIZE);
    w->boot = (struct boot_info){
        .magic = BOOT_MAGIC,
        .version = 1,
        .cores = 4,
        .irq_count = 288,
        .ticks_per_second = 62500000,
        .bundle_size = BUNDLE_BYTES,
        .fdt_size = fdt_totalsize(w->fdt),
        .untyped_count = 1,
        .untyped = {{WORLD_FREE, WORLD_RAM_END - WORLD_FREE}},
    };
    w->header.strings.count = 1;
    return w;
}

void world_end(struct world *w)
{
    fake_end(&w->fake);
    free(w->fdt);
    free(w->system);
    free(w->window);
    free(w->bundle);
    free(w);
}

// ---- The description ------------------------------------------------------------------------------------------------

static uint32_t string(struct world *w, const char *text)
{
    uint32_t offset = w->header.strings.count;
    strcpy(w->strings + offset, text);
    w->header.strings.count += (uint32_t)strlen(text) + 1;
    return offset;
}

static uint32_t next(struct bundle_table *t)
{
    return t->count++;
}

static uint32_t line(uint32_t index)
{
    return index * 10 + 10;
}

static void segment(struct world *w, uint32_t process, struct bundle_segment s)
{
    s.process = process;
    w->segments[next(&w->header.segments)] = s;
}

struct bundle_process *world_process(struct world *w, const char *name)
{
    uint32_t i = next(&w->header.processes);
    struct bundle_process *p = &w->processes[i];
    *p = (struct bundle_process){
        .parent = BUNDLE_NONE,
        .priority = 100,
        .line = line(i),
        .budget_us = 1000,
        .period_us = 1000,
        .stack_size = 0x2000,
        .entry = PROCESS_IMAGE,
        .segment_first = w->header.segments.count,
        .segment_count = 2,
    };
    strcpy(p->name, name);
    segment(w, i,
            (struct bundle_segment){.vaddr = PROCESS_IMAGE,
                                    .memory_size = 0x123,
                                    .file = {TEXT_OFFSET, 0x123},
                                    .perms = MAP_READ | MAP_EXECUTE});
    segment(w, i,
            (struct bundle_segment){.vaddr = WORLD_DATA,
                                    .memory_size = WORLD_DATA_SIZE,
                                    .file = {DATA_OFFSET, WORLD_DATA_FILE},
                                    .perms = MAP_READ | MAP_WRITE});
    return p;
}

struct bundle_region *world_region(struct world *w, const char *name, uint64_t size)
{
    uint32_t i = next(&w->header.regions);
    w->regions[i] = (struct bundle_region){.name = string(w, name),
                                           .size = size,
                                           .page_size = PAGE_SIZE,
                                           .paddr = BUNDLE_ANYWHERE,
                                           .line = line(i)};
    return &w->regions[i];
}

struct bundle_region *world_device(struct world *w, const char *name, const char *device)
{
    struct bundle_region *r = world_region(w, name, 0);
    r->device = string(w, device);
    return r;
}

struct bundle_map *world_map(struct world *w, uint32_t region, uint32_t process, uint64_t vaddr)
{
    uint32_t i = next(&w->header.maps);
    w->maps[i] = (struct bundle_map){.region = region,
                                     .process = process,
                                     .vaddr = vaddr,
                                     .perms = MAP_READ | MAP_WRITE,
                                     .line = line(i)};
    return &w->maps[i];
}

struct bundle_irq *world_irq(struct world *w, uint32_t process, uint32_t id, uint32_t intid)
{
    uint32_t i = next(&w->header.irqs);
    w->irqs[i] = (struct bundle_irq){
        .process = process, .id = id, .intid = intid, .device = BUNDLE_NONE, .line = line(i)};
    return &w->irqs[i];
}

struct bundle_channel *world_channel(struct world *w, uint32_t a, uint32_t a_id, uint32_t b,
                                     uint32_t b_id)
{
    uint32_t i = next(&w->header.channels);
    w->channels[i] = (struct bundle_channel){
        {{.process = a, .id = a_id, .notify = 1}, {.process = b, .id = b_id, .notify = 1}}};
    return &w->channels[i];
}

struct bundle_guest_map *world_guest_map(struct world *w, uint32_t vm, uint32_t region,
                                         uint64_t ipa)
{
    uint32_t i = next(&w->header.guest_maps);
    w->guest_maps[i] = (struct bundle_guest_map){.vm = vm,
                                                 .region = region,
                                                 .ipa = ipa,
                                                 .perms = MAP_READ | MAP_WRITE | MAP_EXECUTE,
                                                 .line = line(i)};
    return &w->guest_maps[i];
}

static void vcpu(struct world *w, uint32_t vm, uint32_t id)
{
    uint32_t i = next(&w->header.vcpus);
    w->vcpus[i] = (struct bundle_vcpu){
        .vm = vm, .id = id, .core = id, .priority = 90, .budget_us = 500, .period_us = 1000};
}

struct bundle_vm *world_vm(struct world *w, const char *name, uint32_t vcpus)
{
    uint32_t process = w->header.processes.count;
    uint32_t ram = w->header.regions.count;
    uint32_t i = next(&w->header.vms);
    struct bundle_vm *v = &w->vms[i];
    *v = (struct bundle_vm){
        .process = process,
        .line = line(i),
        .vcpu_first = w->header.vcpus.count,
        .vcpu_count = vcpus,
        .ram = ram,
        .kernel = ram + 1,
        .initrd = BUNDLE_NONE,
        .dtb = BUNDLE_NONE,
        .ram_ipa = WORLD_GUEST_RAM,
        .ram_vaddr = VM_MEMORY,
        .kernel_vaddr = VM_MEMORY + 2 * (uint64_t)WORLD_GUEST_SIZE,
        .cmdline = string(w, "console=ttyAMA0"),
        .on_reset = VM_RESTART,
        .on_poweroff = VM_STOP,
        .on_crash = VM_STOP,
        .restarts = 2,
        .window_s = 60,
        .console = BUNDLE_NONE,
    };
    strcpy(v->name, name);
    world_process(w, name);
    (void)world_region(w, "ram", WORLD_GUEST_SIZE);
    struct bundle_region *kernel = world_region(w, "kernel", PAGE_SIZE);
    kernel->prefill = world_prefill();
    kernel->flags = BUNDLE_REGION_IN_PLACE;
    (void)world_map(w, ram, process, v->ram_vaddr);
    world_map(w, ram + 1, process, v->kernel_vaddr)->perms = MAP_READ;
    (void)world_guest_map(w, i, ram, WORLD_GUEST_RAM);
    for (uint32_t id = 0; id < vcpus; id++) {
        vcpu(w, i, id);
    }
    return v;
}

struct bundle_blob world_prefill(void)
{
    return (struct bundle_blob){PREFILL_OFFSET, sizeof(WORLD_PREFILL)};
}

// ---- The bundle -----------------------------------------------------------------------------------------------------

static uint32_t put(struct world *w, struct bundle_table *t, uint32_t at, const void *records,
                    size_t size)
{
    t->offset = at;
    memcpy(w->bundle + at, records, t->count * size);
    return (uint32_t)align_up(at + t->count * size, 8);
}

static void put_tables(struct world *w)
{
    struct bundle_header *h = &w->header;
    uint32_t at = (uint32_t)align_up(sizeof(*h), 8);
    at = put(w, &h->processes, at, w->processes, sizeof(w->processes[0]));
    at = put(w, &h->segments, at, w->segments, sizeof(w->segments[0]));
    at = put(w, &h->regions, at, w->regions, sizeof(w->regions[0]));
    at = put(w, &h->maps, at, w->maps, sizeof(w->maps[0]));
    at = put(w, &h->channels, at, w->channels, sizeof(w->channels[0]));
    at = put(w, &h->irqs, at, w->irqs, sizeof(w->irqs[0]));
    at = put(w, &h->patches, at, w->patches, sizeof(w->patches[0]));
    at = put(w, &h->shares, at, w->shares, sizeof(w->shares[0]));
    at = put(w, &h->vms, at, w->vms, sizeof(w->vms[0]));
    at = put(w, &h->vcpus, at, w->vcpus, sizeof(w->vcpus[0]));
    at = put(w, &h->guest_maps, at, w->guest_maps, sizeof(w->guest_maps[0]));
    (void)put(w, &h->strings, at, w->strings, 1);
}

static void put_blobs(struct world *w)
{
    struct init_header init = {.magic = INIT_MAGIC, .text_size = PAGE_SIZE};
    memcpy(w->bundle + INIT_OFFSET, &init, sizeof(init));
    memset(w->bundle + TEXT_OFFSET, 't', 0x123);
    memset(w->bundle + DATA_OFFSET, 'd', WORLD_DATA_FILE);
    memcpy(w->bundle + PREFILL_OFFSET, WORLD_PREFILL, sizeof(WORLD_PREFILL));
}

bool world_open(struct world *w)
{
    w->bundle = aligned_alloc(PAGE_SIZE, BUNDLE_BYTES);
    memset(w->bundle, 0, BUNDLE_BYTES);
    w->header.magic = BUNDLE_MAGIC;
    w->header.revision = BUNDLE_REVISION;
    w->header.header_size = sizeof(w->header);
    w->header.size = BUNDLE_BYTES;
    w->header.init = (struct bundle_blob){INIT_OFFSET, PAGE_SIZE};
    w->header.cores = CORES_MAX;
    put_tables(w);
    put_blobs(w);
    memcpy(w->bundle, &w->header, sizeof(w->header));

    uint64_t untyped[BOOT_UNTYPED_MAX][2];
    for (unsigned i = 0; i < w->boot.untyped_count; i++) {
        untyped[i][0] = w->boot.untyped[i].base;
        untyped[i][1] = w->boot.untyped[i].size;
    }
    fake_init(&w->fake, (const uint64_t(*)[2])untyped, w->boot.untyped_count, w->bundle,
              BUNDLE_BYTES);
    w->system->kernel = &w->fake.kernel;
    w->system->boot = &w->boot;
    w->system->window = w->window;
    return system_open(w->system, w->bundle, w->fdt);
}

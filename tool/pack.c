// See pack.h. Tables of records first, blobs behind them, each on a page of its own. The size of every table is known
// from the model, so that records can be filled in with the final offsets.
#include "pack.h"

#include <stdlib.h>
#include <string.h>

#include <abi/bundle.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "memory.h"
#include "place.h"

// Bytes that go into the bundle behind the tables. The same bytes go in once.
struct blob {
    const uint8_t *data;
    uint64_t size;
    uint64_t offset;
};

struct pack {
    struct arena *arena;
    const struct model *model;
    struct bundle_header header;
    struct blob *blobs;
    size_t blob_count;
    uint64_t end; // of what has been laid out
    char *strings;
    struct bundle_process *processes;
    struct bundle_segment *segments;
    struct bundle_region *regions;
    struct bundle_map *maps;
    struct bundle_channel *channels;
    struct bundle_irq *irqs;
    struct bundle_patch *patches;
    struct bundle_share *shares;
    struct bundle_vm *vms;
    struct bundle_vcpu *vcpus;
    struct bundle_guest_map *guest_maps;
};

static struct bundle_blob add_blob(struct pack *p, const uint8_t *data, uint64_t size)
{
    if (size == 0) {
        return (struct bundle_blob){0};
    }
    for (size_t i = 0; i < p->blob_count; i++) {
        if (p->blobs[i].data == data && p->blobs[i].size == size) {
            return (struct bundle_blob){p->blobs[i].offset, size};
        }
    }
    struct blob *blob = &p->blobs[p->blob_count++];
    *blob = (struct blob){data, size, align_up(p->end, PAGE_SIZE)};
    p->end = blob->offset + size;
    return (struct bundle_blob){blob->offset, size};
}

static uint32_t add_string(struct pack *p, const char *text)
{
    uint32_t offset = p->header.strings.count;
    memcpy(p->strings + offset, text, strlen(text) + 1);
    p->header.strings.count += (uint32_t)strlen(text) + 1;
    return offset;
}

// Room for a table of `count` records.
static void *add_table(struct pack *p, struct bundle_table *table, uint32_t count, size_t record)
{
    table->offset = (uint32_t)align_up(p->end, 8);
    table->count = count;
    p->end = table->offset + (uint64_t)count * record;
    return arena_alloc(p->arena, count * record);
}

static uint32_t line_of(const struct pack *p, const struct node *node)
{
    return source_line(p->model->diag->source, node->xml->offset);
}

static uint32_t region_index(const struct region *r)
{
    return r == NULL ? BUNDLE_NONE : r->node.index;
}

// The maps of processes, or those of virtual machines.
static uint32_t count_maps(const struct model *m, bool of_vms)
{
    uint32_t count = 0;
    const struct table *t = model_table(m, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        count += memory_is_of_vm(map) == of_vms;
    }
    return count;
}

static uint32_t count_segments(const struct model *m)
{
    uint32_t count = 0;
    const struct table *t = model_table(m, KIND_PROCESS);
    for (const struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        count += p->program->segment_count;
    }
    return count;
}

static size_t count_string_bytes(const struct model *m)
{
    size_t count = 1;
    const struct table *t = model_table(m, KIND_REGION);
    for (const struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        count += strlen(r->name) + 1 + (r->device == NULL ? 0 : strlen(r->device) + 1);
    }
    t = model_table(m, KIND_VM);
    for (const struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        count += strlen(vm->cmdline) + 1;
    }
    return count;
}

static void lay_out(struct pack *p)
{
    const struct model *m = p->model;
    const struct table *t = m->tables;
    struct bundle_header *h = &p->header;
    p->end = sizeof(*h);
    p->processes =
        add_table(p, &h->processes, t[KIND_PROCESS].count, sizeof(struct bundle_process));
    p->segments = add_table(p, &h->segments, count_segments(m), sizeof(struct bundle_segment));
    p->regions = add_table(p, &h->regions, t[KIND_REGION].count, sizeof(struct bundle_region));
    p->maps = add_table(p, &h->maps, count_maps(m, false), sizeof(struct bundle_map));
    p->channels = add_table(p, &h->channels, t[KIND_CHANNEL].count, sizeof(struct bundle_channel));
    p->irqs = add_table(p, &h->irqs, t[KIND_IRQ].count, sizeof(struct bundle_irq));
    p->patches = add_table(p, &h->patches, t[KIND_PATCH].count, sizeof(struct bundle_patch));
    p->shares = add_table(p, &h->shares, t[KIND_SHARE].count, sizeof(struct bundle_share));
    p->vms = add_table(p, &h->vms, t[KIND_VM].count, sizeof(struct bundle_vm));
    p->vcpus = add_table(p, &h->vcpus, t[KIND_VCPU].count, sizeof(struct bundle_vcpu));
    p->guest_maps =
        add_table(p, &h->guest_maps, count_maps(m, true), sizeof(struct bundle_guest_map));
    p->strings = add_table(p, &h->strings, (uint32_t)count_string_bytes(m), 1);
    h->strings.count = 0;
    add_string(p, "");
    p->blobs =
        arena_alloc(p->arena, (1 + h->segments.count + h->regions.count) * sizeof(p->blobs[0]));
}

// Records.

static void need_core(struct pack *p, uint64_t core)
{
    if (core >= p->header.cores) {
        p->header.cores = (uint32_t)core + 1;
    }
}

static uint32_t process_flags(const struct process *p)
{
    return (p->passive ? BUNDLE_PASSIVE : 0) | (p->fpu ? BUNDLE_FPU : 0) |
           (p->smc ? BUNDLE_SMC : 0) | (p->power ? BUNDLE_POWER : 0);
}

static void pack_segments(struct pack *p, const struct process *process, uint32_t first)
{
    for (uint32_t i = 0; i < process->program->segment_count; i++) {
        const struct segment *s = &process->program->segments[i];
        p->segments[first + i] = (struct bundle_segment){
            .vaddr = s->vaddr,
            .memory_size = s->memory_size,
            .file = add_blob(p, s->bytes, s->file_size),
            .perms = s->perms,
            .process = process->node.index,
        };
    }
}

static void pack_processes(struct pack *p)
{
    uint32_t segment = 0;
    const struct table *t = model_table(p->model, KIND_PROCESS);
    for (const struct process *process = table_first(t); process != NULL;
         process = table_next(t, process)) {
        struct bundle_process *out = &p->processes[process->node.index];
        *out = (struct bundle_process){
            .parent = process->parent == NULL ? BUNDLE_NONE : process->parent->node.index,
            .child_id = process->parent == NULL ? 0 : (uint32_t)process->id,
            .priority = (uint32_t)process->priority,
            .core = (uint32_t)process->cpu,
            .flags = process_flags(process),
            .line = line_of(p, &process->node),
            .budget_us = process->budget,
            .period_us = process->period,
            .stack_size = process->stack_size,
            .entry = process->program->entry,
            .segment_first = segment,
            .segment_count = process->program->segment_count,
        };
        memcpy(out->name, process->name, strlen(process->name));
        pack_segments(p, process, segment);
        segment += process->program->segment_count;
        need_core(p, process->cpu);
    }
}

static void pack_regions(struct pack *p)
{
    const struct table *t = model_table(p->model, KIND_REGION);
    for (const struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        p->regions[r->node.index] = (struct bundle_region){
            .name = add_string(p, r->name),
            .device = r->device == NULL ? 0 : add_string(p, r->device),
            .size = r->size,
            .page_size = r->page_size,
            .paddr = r->paddr == ADDRESS_NONE ? BUNDLE_ANYWHERE : r->paddr,
            .prefill = add_blob(p, r->prefill, r->prefill_size),
            .line = line_of(p, &r->node),
            .flags = r->image_of == NULL ? 0 : BUNDLE_REGION_IN_PLACE,
        };
    }
}

static uint32_t map_perms(const struct map *map)
{
    return (uint32_t)map->perms | (map->cached ? 0 : MAP_UNCACHED);
}

static void pack_maps(struct pack *p)
{
    uint32_t i = 0;
    const struct table *t = model_table(p->model, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        if (!memory_is_of_vm(map)) {
            p->maps[i++] = (struct bundle_map){
                .region = map->region->node.index,
                .process = model_owner(&map->node)->node.index,
                .vaddr = map->vaddr,
                .perms = map_perms(map),
                .line = line_of(p, &map->node),
            };
        }
    }
}

static void pack_channels(struct pack *p)
{
    const struct table *t = model_table(p->model, KIND_CHANNEL);
    for (const struct channel *c = table_first(t); c != NULL; c = table_next(t, c)) {
        for (int i = 0; i < 2; i++) {
            const struct end *end = c->end[i];
            p->channels[c->node.index].end[i] = (struct bundle_end){
                end->process->node.index, (uint32_t)end->id, end->notify, end->pp};
        }
    }
}

static void pack_irqs(struct pack *p)
{
    const struct table *t = model_table(p->model, KIND_IRQ);
    for (const struct irq *irq = table_first(t); irq != NULL; irq = table_next(t, irq)) {
        p->irqs[irq->node.index] = (struct bundle_irq){
            .process = model_owner(&irq->node)->node.index,
            .id = (uint32_t)irq->id,
            .intid = irq->region == NULL ? (uint32_t)irq->number : BUNDLE_NONE,
            .device = region_index(irq->region),
            .index = (uint32_t)irq->index,
            .trigger = (uint32_t)irq->trigger,
            .line = line_of(p, &irq->node),
        };
    }
}

static void pack_patches(struct pack *p)
{
    const struct table *t = model_table(p->model, KIND_PATCH);
    for (const struct patch *patch = table_first(t); patch != NULL; patch = table_next(t, patch)) {
        p->patches[patch->node.index] = (struct bundle_patch){
            .process = patch->process->node.index,
            .kind = patch->kind,
            .vaddr = patch->vaddr,
            .region = patch->region->node.index,
            .line = line_of(p, &patch->node),
        };
    }
}

static void pack_shares(struct pack *p)
{
    const struct table *t = model_table(p->model, KIND_SHARE);
    for (const struct share *s = table_first(t); s != NULL; s = table_next(t, s)) {
        p->shares[s->node.index] = (struct bundle_share){
            .process = model_owner(&s->node)->node.index,
            .slot = (uint32_t)s->slot,
            .kind = s->kind,
            .of = s->of->node.index,
        };
    }
}

// Virtual machines.

static void pack_vcpus(struct pack *p, const struct vm *vm, struct bundle_vm *out)
{
    const struct table *t = model_table(p->model, KIND_VCPU);
    for (const struct vcpu *vcpu = table_first(t); vcpu != NULL; vcpu = table_next(t, vcpu)) {
        if (vcpu->node.parent == &vm->node) {
            p->vcpus[out->vcpu_first + out->vcpu_count] = (struct bundle_vcpu){
                .vm = vm->node.index,
                .id = out->vcpu_count,
                .core = (uint32_t)vcpu->cpu,
                .priority = (uint32_t)vm->priority,
                .budget_us = vm->budget,
                .period_us = vm->period,
            };
            out->vcpu_count++;
            need_core(p, vcpu->cpu);
        }
    }
}

static void pack_vms(struct pack *p)
{
    uint32_t vcpu = 0;
    const struct table *t = model_table(p->model, KIND_VM);
    for (const struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        struct bundle_vm *out = &p->vms[vm->node.index];
        *out = (struct bundle_vm){
            .process = model_owner(&vm->node)->node.index,
            .line = line_of(p, &vm->node),
            .vcpu_first = vcpu,
            .ram = region_index(vm->ram.region),
            .kernel = region_index(vm->kernel.region),
            .initrd = region_index(vm->initrd.region),
            .dtb = region_index(vm->dtb.region),
            .ram_ipa = vm->ram_ipa,
            .ram_vaddr = vm->ram.vaddr,
            .kernel_vaddr = vm->kernel.vaddr,
            .initrd_vaddr = vm->initrd.vaddr,
            .dtb_vaddr = vm->dtb.vaddr,
            .cmdline = add_string(p, vm->cmdline),
            .flags = (uint32_t)vm->trace,
            .on_reset = (uint32_t)vm->on_reset,
            .on_poweroff = (uint32_t)vm->on_poweroff,
            .on_crash = (uint32_t)vm->on_crash,
            .restarts = (uint32_t)vm->restarts,
            .window_s = (uint32_t)vm->window,
            .console = vm->console == ID_NONE ? BUNDLE_NONE : (uint32_t)vm->console,
        };
        memcpy(out->name, vm->name, strlen(vm->name));
        pack_vcpus(p, vm, out);
        vcpu += out->vcpu_count;
    }
}

static int compare_guest_maps(const void *a, const void *b)
{
    const struct bundle_guest_map *x = a;
    const struct bundle_guest_map *y = b;
    if (x->vm != y->vm) {
        return x->vm < y->vm ? -1 : 1;
    }
    return x->ipa < y->ipa ? -1 : x->ipa > y->ipa;
}

static void pack_guest_maps(struct pack *p)
{
    uint32_t i = 0;
    const struct table *t = model_table(p->model, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        if (memory_is_of_vm(map)) {
            p->guest_maps[i++] = (struct bundle_guest_map){
                .vm = map->node.parent->index,
                .region = map->region->node.index,
                .ipa = map->vaddr,
                .perms = map_perms(map),
                .line = line_of(p, &map->node),
            };
        }
    }
    qsort(p->guest_maps, i, sizeof(p->guest_maps[0]), compare_guest_maps);
}

static void pack_model(struct pack *p)
{
    const struct system *system = table_first(model_table(p->model, KIND_SYSTEM));
    p->header.flags = system->console ? 0 : BUNDLE_CONSOLE_OFF;
    pack_processes(p);
    pack_regions(p);
    pack_maps(p);
    pack_channels(p);
    pack_irqs(p);
    pack_patches(p);
    pack_shares(p);
    pack_vms(p);
    pack_guest_maps(p);
}

// The bytes.

static void copy_table(uint8_t *to, const struct bundle_table *table, const void *records,
                       size_t record)
{
    if (table->count > 0) {
        memcpy(to + table->offset, records, table->count * record);
    }
}

static struct bytes write_bytes(struct pack *p)
{
    struct bundle_header *h = &p->header;
    h->size = align_up(p->end, PAGE_SIZE);
    struct bytes out = {arena_alloc(p->arena, h->size), h->size};
    memcpy(out.data, h, sizeof(*h));
    copy_table(out.data, &h->processes, p->processes, sizeof(p->processes[0]));
    copy_table(out.data, &h->segments, p->segments, sizeof(p->segments[0]));
    copy_table(out.data, &h->regions, p->regions, sizeof(p->regions[0]));
    copy_table(out.data, &h->maps, p->maps, sizeof(p->maps[0]));
    copy_table(out.data, &h->channels, p->channels, sizeof(p->channels[0]));
    copy_table(out.data, &h->irqs, p->irqs, sizeof(p->irqs[0]));
    copy_table(out.data, &h->patches, p->patches, sizeof(p->patches[0]));
    copy_table(out.data, &h->shares, p->shares, sizeof(p->shares[0]));
    copy_table(out.data, &h->vms, p->vms, sizeof(p->vms[0]));
    copy_table(out.data, &h->vcpus, p->vcpus, sizeof(p->vcpus[0]));
    copy_table(out.data, &h->guest_maps, p->guest_maps, sizeof(p->guest_maps[0]));
    copy_table(out.data, &h->strings, p->strings, 1);
    for (size_t i = 0; i < p->blob_count; i++) {
        memcpy(out.data + p->blobs[i].offset, p->blobs[i].data, p->blobs[i].size);
    }
    return out;
}

struct bytes pack_bundle(struct arena *a, const struct model *model, const struct file *init)
{
    struct model empty = {0};
    struct pack p = {.arena = a, .model = model == NULL ? &empty : model};
    p.header = (struct bundle_header){.magic = BUNDLE_MAGIC,
                                      .revision = BUNDLE_REVISION,
                                      .header_size = sizeof(struct bundle_header),
                                      .cores = 1};
    lay_out(&p);
    p.header.init = add_blob(&p, init->bytes, init->size);
    if (model != NULL) {
        pack_model(&p);
    }
    return write_bytes(&p);
}

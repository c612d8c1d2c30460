// See bundle_check.h. The tables of the header are listed once, each with the size and the check of its records; a check
// may rely on every table lying inside the bundle, and on the records of the tables before its own.
#include "bundle_check.h"

#include <stdbool.h>
#include <stddef.h>

#include <abi/syscall.h>
#include <abi/vm.h>
#include <base/bits.h>
#include <base/range.h>
#include <base/str.h>

#define BUNDLE_TIME_MAX  3600000000u // microseconds
#define BUNDLE_STACK_MAX 0x1000000u
#define PHYSICAL_TOP     (1ull << 48)

static bool blob_good(const struct bundle *b, struct bundle_blob blob)
{
    return is_aligned(blob.offset, PAGE_SIZE) &&
           range_contains((struct range){0, b->header->size}, blob.offset, blob.size);
}

static bool string_good(const struct bundle *b, uint32_t offset)
{
    return offset < b->header->strings.count; // the last byte of the strings is zero
}

static bool is_process(const struct bundle *b, uint32_t process)
{
    return process < b->header->processes.count;
}

// Is [vaddr, vaddr + size) below the stack of this process?
static bool in_process(const struct bundle *b, uint32_t process, uint64_t vaddr, uint64_t size)
{
    struct range usable = {0, bundle_process_top(bundle_process(b, process))};
    return range_contains(usable, vaddr, size);
}

static bool time_good(uint64_t budget_us, uint64_t period_us)
{
    return budget_us > 0 && budget_us <= period_us && period_us <= BUNDLE_TIME_MAX;
}

static bool name_good(const char name[PROCESS_NAME_MAX])
{
    return name[0] != '\0' && strnlen(name, PROCESS_NAME_MAX) < PROCESS_NAME_MAX;
}

static bool process_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_process *p = bundle_process(b, i);
    const uint32_t flags = BUNDLE_PASSIVE | BUNDLE_FPU | BUNDLE_SMC | BUNDLE_POWER;
    bool family = p->parent == BUNDLE_NONE || (p->parent < i && p->child_id < CHANNEL_MAX);
    bool stack = is_aligned(p->stack_size, PAGE_SIZE) && p->stack_size > 0 &&
                 p->stack_size <= BUNDLE_STACK_MAX;
    struct range segments = {0, b->header->segments.count};
    return name_good(p->name) && family && stack && time_good(p->budget_us, p->period_us) &&
           p->priority <= PRIORITY_MAX && p->core < b->header->cores && (p->flags & ~flags) == 0 &&
           range_contains(segments, p->segment_first, p->segment_count);
}

// What can't be written comes out of the bundle as it lies there: every page of it must.
static bool segment_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_segment *s = bundle_segment(b, i);
    const uint32_t perms = MAP_READ | MAP_WRITE | MAP_EXECUTE;
    if (!is_process(b, s->process) || !blob_good(b, s->file)) {
        return false;
    }
    const struct bundle_process *p = bundle_process(b, s->process);
    bool owned = range_contains((struct range){p->segment_first, p->segment_count}, i, 1);
    bool writable = (s->perms & MAP_WRITE) != 0;
    bool access = (s->perms & MAP_READ) != 0 && (s->perms & ~perms) == 0 &&
                  !(writable && (s->perms & MAP_EXECUTE) != 0);
    return owned && access && is_aligned(s->vaddr, PAGE_SIZE) && s->memory_size > 0 &&
           in_process(b, s->process, s->vaddr, s->memory_size) && s->file.size <= s->memory_size &&
           (writable || align_up(s->file.size, PAGE_SIZE) >= s->memory_size);
}

static bool in_place(const struct bundle_region *r)
{
    return (r->flags & BUNDLE_REGION_IN_PLACE) != 0;
}

// The bundle has whole pages, and bytes behind a blob belong to no other.
static bool in_place_good(const struct bundle_region *r)
{
    return r->device == 0 && r->paddr == BUNDLE_ANYWHERE && r->page_size == PAGE_SIZE &&
           r->prefill.size > 0 && r->size == align_up(r->prefill.size, PAGE_SIZE);
}

static bool region_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_region *r = bundle_region(b, i);
    bool strings = string_good(b, r->name) && string_good(b, r->device);
    bool pages = (r->page_size == PAGE_SIZE || r->page_size == LARGE_PAGE_SIZE) &&
                 is_aligned(r->size, r->page_size) && r->size <= PHYSICAL_TOP;
    if (!strings || !pages || !blob_good(b, r->prefill) ||
        (r->flags & ~(uint32_t)BUNDLE_REGION_IN_PLACE) != 0 || (in_place(r) && !in_place_good(r))) {
        return false;
    }
    if (r->device != 0) {
        return r->paddr == BUNDLE_ANYWHERE && r->prefill.size == 0;
    }
    bool placed = r->paddr == BUNDLE_ANYWHERE ||
                  (is_aligned(r->paddr, r->page_size) &&
                   range_contains((struct range){0, PHYSICAL_TOP}, r->paddr, r->size));
    return placed && r->size > 0 && r->prefill.size <= r->size;
}

static bool map_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_map *m = bundle_map(b, i);
    const uint32_t perms = MAP_READ | MAP_WRITE | MAP_EXECUTE;
    if (m->region >= b->header->regions.count || !is_process(b, m->process)) {
        return false;
    }
    const struct bundle_region *r = bundle_region(b, m->region);
    const uint32_t never = MAP_WRITE | MAP_EXECUTE;
    bool access = (m->perms & perms) != 0 && (m->perms & perms) != MAP_WRITE &&
                  (m->perms & never) != never && (m->perms & ~(perms | MAP_UNCACHED)) == 0;
    return access && (!in_place(r) || m->perms == MAP_READ) && is_aligned(m->vaddr, r->page_size) &&
           in_process(b, m->process, m->vaddr, r->size);
}

static bool end_good(const struct bundle *b, const struct bundle_end *e)
{
    return is_process(b, e->process) && e->id < CHANNEL_MAX && e->notify <= 1 && e->call <= 1;
}

static bool channel_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_channel *c = bundle_channel(b, i);
    return end_good(b, &c->end[0]) && end_good(b, &c->end[1]) &&
           c->end[0].call + c->end[1].call <= 1;
}

static bool irq_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_irq *irq = bundle_irq(b, i);
    bool of_device = irq->intid == BUNDLE_NONE && irq->device < b->header->regions.count &&
                     bundle_region(b, irq->device)->device != 0;
    bool numbered = irq->intid >= 16 && irq->intid < 1020 && irq->device == BUNDLE_NONE;
    return is_process(b, irq->process) && irq->id < CHANNEL_MAX && irq->trigger <= IRQ_EDGE &&
           (of_device || numbered);
}

// Is the word at `vaddr` inside a writable segment of this process?
static bool is_variable(const struct bundle *b, const struct bundle_process *p, uint64_t vaddr)
{
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct bundle_segment *s = bundle_segment(b, p->segment_first + i);
        struct range memory = {s->vaddr, s->memory_size};
        if ((s->perms & MAP_WRITE) != 0 && range_contains(memory, vaddr, sizeof(uint64_t))) {
            return true;
        }
    }
    return false;
}

static bool patch_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_patch *p = bundle_patch(b, i);
    return is_process(b, p->process) && p->kind <= PATCH_REGION_SIZE &&
           p->region < b->header->regions.count &&
           is_variable(b, bundle_process(b, p->process), p->vaddr);
}

static bool share_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_share *s = bundle_share(b, i);
    return is_process(b, s->process) && is_process(b, s->of) && s->kind <= SHARE_SPACE &&
           s->slot > 0 && s->slot < USER_SLOT_MAX;
}

// Virtual machines.

// Nothing of a VMM may lie where init puts what belongs to its vcpus.
static bool vmm_fits(const struct bundle *b, uint32_t process)
{
    struct range usable = {0, VM_BASE};
    const struct bundle_process *p = bundle_process(b, process);
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct bundle_segment *s = bundle_segment(b, p->segment_first + i);
        if (!range_contains(usable, s->vaddr, s->memory_size)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < b->header->maps.count; i++) {
        const struct bundle_map *m = bundle_map(b, i);
        if (m->process == process &&
            !range_contains(usable, m->vaddr, bundle_region(b, m->region)->size)) {
            return false;
        }
    }
    return true;
}

static bool has_map(const struct bundle *b, uint32_t process, uint32_t region, uint64_t vaddr,
                    uint32_t perms)
{
    for (uint32_t i = 0; i < b->header->maps.count; i++) {
        const struct bundle_map *m = bundle_map(b, i);
        if (m->process == process && m->region == region && m->vaddr == vaddr &&
            (m->perms & perms) == perms) {
            return true;
        }
    }
    return false;
}

static bool has_guest_map(const struct bundle *b, uint32_t vm, uint32_t region, uint64_t ipa)
{
    for (uint32_t i = 0; i < b->header->guest_maps.count; i++) {
        const struct bundle_guest_map *m = bundle_guest_map(b, i);
        if (m->vm == vm && m->region == region && m->ipa == ipa &&
            (m->perms & (MAP_READ | MAP_WRITE)) == (MAP_READ | MAP_WRITE)) {
            return true;
        }
    }
    return false;
}

static bool ram_good(const struct bundle *b, uint32_t vm)
{
    const struct bundle_vm *v = bundle_vm(b, vm);
    if (v->ram == BUNDLE_NONE) {
        return true;
    }
    return v->ram < b->header->regions.count && bundle_region(b, v->ram)->device == 0 &&
           has_guest_map(b, vm, v->ram, v->ram_ipa) &&
           has_map(b, v->process, v->ram, v->ram_vaddr, MAP_READ | MAP_WRITE);
}

// A kernel, initrd or device tree: an image for the RAM.
static bool vm_image_good(const struct bundle *b, const struct bundle_vm *v, uint32_t region,
                          uint64_t vaddr)
{
    if (region == BUNDLE_NONE) {
        return true;
    }
    return v->ram != BUNDLE_NONE && region < b->header->regions.count &&
           in_place(bundle_region(b, region)) && has_map(b, v->process, region, vaddr, MAP_READ);
}

static bool vm_console_good(const struct bundle *b, const struct bundle_vm *v)
{
    for (uint32_t i = 0; i < 2 * b->header->channels.count; i++) {
        const struct bundle_end *e = &bundle_channel(b, i / 2)->end[i % 2];
        if (e->process == v->process && e->id == v->console) {
            return true;
        }
    }
    return v->console == BUNDLE_NONE;
}

static bool vm_alone(const struct bundle *b, uint32_t vm)
{
    for (uint32_t i = 0; i < vm; i++) {
        if (bundle_vm(b, i)->process == bundle_vm(b, vm)->process) {
            return false;
        }
    }
    return true;
}

static bool vm_words_good(const struct bundle *b, const struct bundle_vm *v)
{
    return name_good(v->name) && (v->flags & ~(uint32_t)VM_TRACE_EXITS) == 0 &&
           v->on_reset <= VM_SHUTDOWN && v->on_poweroff <= VM_SHUTDOWN &&
           v->on_crash <= VM_SHUTDOWN && string_good(b, v->cmdline) &&
           strlen(bundle_string(b, v->cmdline)) < VM_CMDLINE_MAX;
}

static bool vm_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_vm *v = bundle_vm(b, i);
    struct range vcpus = {0, b->header->vcpus.count};
    return is_process(b, v->process) && vm_alone(b, i) && vm_words_good(b, v) &&
           v->vcpu_count > 0 && v->vcpu_count <= VCPU_MAX &&
           range_contains(vcpus, v->vcpu_first, v->vcpu_count) && vmm_fits(b, v->process) &&
           ram_good(b, i) && vm_image_good(b, v, v->kernel, v->kernel_vaddr) &&
           vm_image_good(b, v, v->initrd, v->initrd_vaddr) &&
           vm_image_good(b, v, v->dtb, v->dtb_vaddr) && vm_console_good(b, v);
}

static bool vcpu_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_vcpu *v = bundle_vcpu(b, i);
    if (v->vm >= b->header->vms.count) {
        return false;
    }
    const struct bundle_vm *vm = bundle_vm(b, v->vm);
    bool owned = range_contains((struct range){vm->vcpu_first, vm->vcpu_count}, i, 1);
    return owned && v->id == i - vm->vcpu_first && v->core < b->header->cores &&
           v->priority <= PRIORITY_MAX && time_good(v->budget_us, v->period_us);
}

// Sorted, so that a look at the one before is enough to see that none overlap.
static bool guest_map_follows(const struct bundle *b, uint32_t i)
{
    const struct bundle_guest_map *m = bundle_guest_map(b, i);
    const struct bundle_guest_map *before = bundle_guest_map(b, i - 1);
    return before->vm < m->vm || (before->vm == m->vm && before->ipa < m->ipa &&
                                  m->ipa - before->ipa >= bundle_region(b, before->region)->size);
}

static bool guest_map_good(const struct bundle *b, uint32_t i)
{
    const struct bundle_guest_map *m = bundle_guest_map(b, i);
    const uint32_t perms = MAP_READ | MAP_WRITE | MAP_EXECUTE;
    if (m->vm >= b->header->vms.count || m->region >= b->header->regions.count) {
        return false;
    }
    const struct bundle_region *r = bundle_region(b, m->region);
    bool access = (m->perms & perms) != 0 && (m->perms & perms) != MAP_WRITE &&
                  (m->perms & ~(perms | MAP_UNCACHED)) == 0;
    return access && !in_place(r) && is_aligned(m->ipa, r->page_size) &&
           range_contains((struct range){0, BUNDLE_GUEST_TOP}, m->ipa, r->size) &&
           (i == 0 || guest_map_follows(b, i));
}

struct table_rule {
    size_t offset; // of its bundle_table in the header
    size_t record_size;
    uint32_t most; // records
    bool (*good)(const struct bundle *b, uint32_t i);
    const char *outside; // what to say if the table is
    const char *bad;     // what to say of a bad record
};

#define TABLE(field, record, most, check)                                                          \
    {                                                                                              \
        offsetof(struct bundle_header, field), sizeof(record), (most), (check),                    \
            "the table of " #field " lies outside", "one of the " #field " is wrong"               \
    }

static const struct table_rule tables[] = {
    TABLE(strings, char, UINT32_MAX, NULL),
    TABLE(processes, struct bundle_process, PROCESS_MAX, process_good),
    TABLE(segments, struct bundle_segment, UINT32_MAX, segment_good),
    TABLE(regions, struct bundle_region, UINT32_MAX, region_good),
    TABLE(maps, struct bundle_map, UINT32_MAX, map_good),
    TABLE(channels, struct bundle_channel, UINT32_MAX, channel_good),
    TABLE(irqs, struct bundle_irq, UINT32_MAX, irq_good),
    TABLE(patches, struct bundle_patch, UINT32_MAX, patch_good),
    TABLE(shares, struct bundle_share, UINT32_MAX, share_good),
    TABLE(vms, struct bundle_vm, PROCESS_MAX, vm_good),
    TABLE(vcpus, struct bundle_vcpu, PROCESS_MAX *VCPU_MAX, vcpu_good),
    TABLE(guest_maps, struct bundle_guest_map, UINT32_MAX, guest_map_good),
};

static const struct bundle_table *table(const struct bundle *b, const struct table_rule *rule)
{
    return bundle_at(b, rule->offset);
}

static bool table_inside(const struct bundle *b, const struct table_rule *rule)
{
    const struct bundle_table *t = table(b, rule);
    return is_aligned(t->offset, 8) && t->count <= rule->most &&
           range_contains((struct range){0, b->header->size}, t->offset,
                          (uint64_t)t->count * rule->record_size);
}

static bool header_good(const struct bundle_header *h, uint64_t size)
{
    return h->magic == BUNDLE_MAGIC && h->revision == BUNDLE_REVISION &&
           h->header_size == sizeof(*h) && h->size >= sizeof(*h) && h->size <= size &&
           is_aligned(h->size, PAGE_SIZE) && h->cores > 0 && h->cores <= CORES_MAX &&
           (h->flags & ~(uint32_t)BUNDLE_CONSOLE_OFF) == 0;
}

static bool init_good(const struct bundle *b)
{
    struct bundle_blob blob = b->header->init;
    if (!blob_good(b, blob) || blob.size < sizeof(struct init_header)) {
        return false;
    }
    const struct init_header *init = bundle_at(b, blob.offset);
    return init->magic == INIT_MAGIC && is_aligned(init->text_size, PAGE_SIZE) &&
           is_aligned(init->data_size, PAGE_SIZE) && is_aligned(init->bss_size, PAGE_SIZE) &&
           init->text_size <= blob.size && init->data_size <= blob.size - init->text_size;
}

static bool strings_good(const struct bundle *b)
{
    uint32_t count = b->header->strings.count;
    return count > 0 && bundle_string(b, 0)[0] == '\0' && bundle_string(b, count - 1)[0] == '\0';
}

static const char *check_tables(const struct bundle *b)
{
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        if (!table_inside(b, &tables[i])) {
            return tables[i].outside;
        }
    }
    if (!strings_good(b)) {
        return "the strings are wrong";
    }
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        uint32_t count = tables[i].good == NULL ? 0 : table(b, &tables[i])->count;
        for (uint32_t record = 0; record < count; record++) {
            if (!tables[i].good(b, record)) {
                return tables[i].bad;
            }
        }
    }
    return NULL;
}

const char *bundle_open(const void *bytes, uint64_t size, struct bundle *out)
{
    const struct bundle_header *header = bytes;
    if (size < sizeof(*header) || !is_aligned((uintptr_t)bytes, 8)) {
        return "it is too short, or not aligned";
    }
    if (!header_good(header, size)) {
        return "its header is wrong";
    }
    out->header = header;
    if (!init_good(out)) {
        return "the image of init is wrong";
    }
    return check_tables(out);
}

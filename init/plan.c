// The plan: see plan.h. Here stands what the plan asks of each element; what it takes of the memory is in budget.c.
#include "plan.h"

#include <base/bits.h>
#include <base/str.h>

#include "budget.h"
#include "layout.h"
#include "vmplan.h"

#define IRQ_FIRST 32u // interrupts below belong to a core each, and to the kernel

// ---- Limits of init's own tables ---------------------------------------------------------------------------------

static bool check_count(struct system *s, const char *what, uint64_t count, uint64_t most)
{
    if (count > most) {
        say(s->kernel, "the system has %lu %s; init has room for %lu", count, what, most);
    }
    return count <= most;
}

static bool plan_counts(struct system *s)
{
    const struct bundle_header *b = s->bundle.header;
    // At most: a process's objects and pages, a capability per piece of a mapping and of a region, what is above it;
    // a VM's space, config and CPU interface; a vcpu with its page, its thread, that one's notification and stack.
    uint64_t handles = s->next_handle + b->processes.count * 8ull + b->segments.count +
                       b->regions.count * (2ull * PIECES_MAX) +
                       (b->maps.count + (uint64_t)b->guest_maps.count) * PIECES_MAX +
                       b->irqs.count + b->vms.count * 3ull + b->vcpus.count * 5ull + 1;
    return check_count(s, "processes", b->processes.count, PROCESS_MAX) &&
           check_count(s, "memory regions", b->regions.count, REGIONS_MAX) &&
           check_count(s, "program segments", b->segments.count, SEGMENTS_MAX) &&
           check_count(s, "interrupts", b->irqs.count, IRQS_MAX) &&
           check_count(s, "virtual machines", b->vms.count, VMS_MAX) &&
           check_count(s, "capabilities", handles, BOOT_CSPACE_SLOTS);
}

// ---- Regions -----------------------------------------------------------------------------------------------------

static bool region_has_node(const void *context, int node)
{
    const struct system *s = context;
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        const struct device *d = &s->regions[i].device;
        if (s->regions[i].is_device && d->registers.size > 0 && d->path.at[d->path.depth] == node) {
            return true;
        }
    }
    return false;
}

static bool plan_device(struct system *s, uint32_t i)
{
    const struct bundle_region *record = bundle_region(&s->bundle, i);
    const char *names = bundle_string(&s->bundle, record->device);
    struct element e = region_element(s, i);
    struct device d;
    switch (device_find(s->fdt, names, region_has_node, s, &d)) {
    case DEVICE_MISSING:
        refuse(s->kernel, e, "this machine has no device \"%s\"", names);
        return false;
    case DEVICE_TAKEN:
        refuse(s->kernel, e, "the device \"%s\" belongs to another region", names);
        return false;
    case DEVICE_NO_REGISTERS:
        refuse(s->kernel, e, "the device \"%s\" has no registers in the device tree", names);
        return false;
    case DEVICE_FOUND:
        break;
    }
    struct range pages = device_pages(&d);
    if (record->size > 0 && record->size < pages.size) {
        // As much as the description asks for, never what lies behind the device.
        pages.size = record->size;
    }
    s->regions[i].is_device = true;
    s->regions[i].device = d;
    s->regions[i].where = pages;
    return true;
}

// The fixed memory that shares a byte with `where`, or NULL.
static const struct region *fixed_at(const struct system *s, struct range where)
{
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        if (s->regions[i].is_fixed && range_overlaps(s->regions[i].where, where)) {
            return &s->regions[i];
        }
    }
    return NULL;
}

static bool plan_memory_at(struct system *s, uint32_t i, struct range where)
{
    const struct region *other = fixed_at(s, where);
    if (other != NULL) {
        refuse(s->kernel, region_element(s, i),
               "the memory at %#lx belongs to region \"%s\" already", where.base,
               region_element(s, (uint32_t)(other - s->regions)).name);
        return false;
    }
    s->regions[i].is_fixed = true;
    s->regions[i].where = where;
    return true;
}

// Memory or a device at an address that the description gives.
static bool plan_fixed(struct system *s, uint32_t i)
{
    const struct bundle_region *record = bundle_region(&s->bundle, i);
    struct range where = {record->paddr, record->size};
    if (tree_is_memory(s->fdt, where)) {
        return plan_memory_at(s, i, where);
    }
    if (!tree_is_device(s->fdt, where)) {
        refuse(s->kernel, region_element(s, i),
               "at physical address %#lx this machine has neither memory nor a device", where.base);
        return false;
    }
    s->regions[i].is_device = true;
    s->regions[i].where = where;
    return true;
}

static bool plan_region(struct system *s, uint32_t i)
{
    const struct bundle_region *record = bundle_region(&s->bundle, i);
    if (record->device != 0) {
        return plan_device(s, i);
    }
    if (record->paddr != BUNDLE_ANYWHERE) {
        return plan_fixed(s, i);
    }
    s->regions[i].is_in_place = (record->flags & BUNDLE_REGION_IN_PLACE) != 0;
    s->regions[i].where.size = record->size;
    return true;
}

// ---- Interrupts --------------------------------------------------------------------------------------------------

// The interrupt that the record means. False: it has been said, here or about its region, that there is none.
static bool resolve_irq(struct system *s, const struct bundle_irq *record, struct interrupt *out)
{
    if (record->device == BUNDLE_NONE) {
        *out = (struct interrupt){record->intid, (enum irq_trigger)record->trigger};
        return true;
    }
    const struct device *d = &s->regions[record->device].device;
    struct tree_irq irq;
    if (d->registers.size == 0) {
        return false;
    }
    if (!tree_irq(s->fdt, &d->path, record->index, &irq)) {
        refuse(s->kernel, irq_element(s, record),
               "the device of region \"%s\" has no interrupt %u that goes to the GIC",
               region_element(s, record->device).name, record->index);
        return false;
    }
    *out = (struct interrupt){irq.intid, irq.trigger};
    return true;
}

static bool plan_irq(struct system *s, uint32_t i)
{
    const struct bundle_irq *record = bundle_irq(&s->bundle, i);
    struct interrupt *irq = &s->irqs[i];
    if (!resolve_irq(s, record, irq)) {
        return false;
    }
    if (irq->intid < IRQ_FIRST || irq->intid >= s->boot->irq_count) {
        refuse(s->kernel, irq_element(s, record),
               "there is no interrupt %u for a process: this machine has %u to %u", irq->intid,
               IRQ_FIRST, s->boot->irq_count - 1);
        return false;
    }
    for (uint32_t j = 0; j < i; j++) {
        if (s->irqs[j].intid == irq->intid) {
            refuse(s->kernel, irq_element(s, record),
                   "interrupt %u belongs to process \"%s\" already", irq->intid,
                   bundle_process(&s->bundle, bundle_irq(&s->bundle, j)->process)->name);
            return false;
        }
    }
    s->processes[record->process].irqs |= BIT(record->id);
    return true;
}

// ---- Processes ---------------------------------------------------------------------------------------------------

static void plan_channel(struct system *s, const struct bundle_channel *channel)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct bundle_end *end = &channel->end[i];
        struct process *p = &s->processes[end->process];
        p->notifications |= end->notify != 0 ? BIT(end->id) : 0;
        p->calls |= end->call != 0 ? BIT(end->id) : 0;
        s->processes[channel->end[1 - i].process].serves |= end->call != 0;
    }
}

static void plan_wires(struct system *s)
{
    const struct bundle_header *b = s->bundle.header;
    for (uint32_t i = 0; i < b->channels.count; i++) {
        plan_channel(s, bundle_channel(&s->bundle, i));
    }
    for (uint32_t i = 0; i < b->shares.count; i++) {
        const struct bundle_share *share = bundle_share(&s->bundle, i);
        s->processes[share->process].shares |= BIT(share->slot);
    }
    for (uint32_t i = 0; i < b->processes.count; i++) {
        const struct bundle_process *record = bundle_process(&s->bundle, i);
        if (record->parent != BUNDLE_NONE) {
            s->processes[record->parent].children |= BIT(record->child_id);
            s->processes[record->parent].serves = true;
        }
    }
}

static uint64_t handles_of(uint64_t ids, uint64_t first)
{
    return ids == 0 ? 0 : first + 64 - (uint64_t)__builtin_clzll(ids);
}

uint64_t process_handles(const struct process *p)
{
    const uint64_t groups[] = {
        PROCESS_NOTIFY, // one past the authorities
        handles_of(p->notifications, PROCESS_NOTIFY),
        handles_of(p->calls, PROCESS_CALL),
        handles_of(p->irqs, PROCESS_IRQ),
        handles_of(p->children, PROCESS_CHILD),
        handles_of(p->shares, PROCESS_USER),
        p->vm != BUNDLE_NONE ? VM_HANDLES : 0,
    };
    uint64_t most = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        most = groups[i] > most ? groups[i] : most;
    }
    return most;
}

static bool lay_out_map(struct system *s, const struct bundle_map *map, struct layout *l)
{
    const struct region *r = &s->regions[map->region];
    enum layout_answer answer =
        layout_add(l, (struct range){map->vaddr, r->where.size}, region_physical(r));
    if (answer != LAYOUT_OK) {
        refuse(s->kernel, map_element(s, map), "at %#lx in \"%s\", %lu bytes long, it %s",
               map->vaddr, bundle_process(&s->bundle, map->process)->name, r->where.size,
               layout_text(answer));
    }
    return answer == LAYOUT_OK;
}

// Everything but the maps: segments, stack with a guard page, config and message page, what a VMM has beyond that.
static enum layout_answer lay_out_image(struct system *s, uint32_t process, struct layout *l)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    uint64_t stack = record->stack_size + PAGE_SIZE;
    const struct range fixed[] = {{PROCESS_STACK_TOP - stack, stack},
                                  {PROCESS_CONFIG, PAGE_SIZE},
                                  {PROCESS_MESSAGE, PAGE_SIZE}};
    enum layout_answer answer = LAYOUT_OK;
    for (unsigned i = 0; answer == LAYOUT_OK && i < ARRAY_SIZE(fixed); i++) {
        answer = layout_add(l, fixed[i], PHYSICAL_UNKNOWN);
    }
    for (uint32_t i = 0; answer == LAYOUT_OK && i < record->segment_count; i++) {
        const struct bundle_segment *segment =
            bundle_segment(&s->bundle, record->segment_first + i);
        uint64_t size = align_up(segment->memory_size, PAGE_SIZE);
        answer = layout_add(l, (struct range){segment->vaddr, size}, PHYSICAL_UNKNOWN);
    }
    uint32_t vm = s->processes[process].vm;
    return answer == LAYOUT_OK && vm != BUNDLE_NONE ? vm_lay_out(s, vm, l) : answer;
}

static bool plan_layout(struct system *s, uint32_t process)
{
    struct layout l = {.count = 0};
    enum layout_answer answer = lay_out_image(s, process, &l);
    if (answer != LAYOUT_OK) {
        refuse(s->kernel, process_element(s, process), "its program %s", layout_text(answer));
        return false;
    }
    bool fits = true;
    for (uint32_t i = 0; i < s->bundle.header->maps.count; i++) {
        const struct bundle_map *map = bundle_map(&s->bundle, i);
        if (map->process == process) {
            fits &= lay_out_map(s, map, &l);
        }
    }
    s->processes[process].tables = layout_tables(&l);
    if (s->processes[process].tables > SPACE_TABLES_MAX) {
        refuse(s->kernel, process_element(s, process),
               "its mappings take %u page tables; %u is the limit", s->processes[process].tables,
               SPACE_TABLES_MAX);
        return false;
    }
    return fits;
}

// Devices of a process beyond what its config page has room for.
static bool plan_devices(struct system *s, uint32_t process)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < s->bundle.header->maps.count; i++) {
        const struct bundle_map *map = bundle_map(&s->bundle, i);
        count += map->process == process && bundle_region(&s->bundle, map->region)->device != 0;
    }
    if (count > PROCESS_DEVICE_MAX) {
        refuse(s->kernel, process_element(s, process), "it maps %u devices; %u is the limit", count,
               PROCESS_DEVICE_MAX);
    }
    return count <= PROCESS_DEVICE_MAX;
}

static bool plan_process(struct system *s, uint32_t i)
{
    const struct bundle_process *record = bundle_process(&s->bundle, i);
    bool core = record->core < s->boot->cores;
    if (!core) {
        refuse(s->kernel, process_element(s, i), "there is no cpu %u: this machine runs %u core%s",
               record->core, s->boot->cores, s->boot->cores == 1 ? "" : "s");
    }
    bool devices = plan_devices(s, i);
    return plan_layout(s, i) && core && devices;
}

bool plan_system(struct system *s)
{
    const struct bundle_header *b = s->bundle.header;
    if (!plan_counts(s)) {
        return false;
    }
    bool fits = true;
    for (uint32_t i = 0; i < b->regions.count; i++) {
        fits &= plan_region(s, i);
    }
    for (uint32_t i = 0; i < b->irqs.count; i++) {
        fits &= plan_irq(s, i);
    }
    plan_wires(s);
    plan_monitors(s);
    for (uint32_t i = 0; i < b->processes.count; i++) {
        fits &= plan_process(s, i);
    }
    fits &= plan_vms(s);
    return budget_memory(s) && fits;
}

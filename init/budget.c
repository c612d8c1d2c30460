// Memory that the system takes: see budget.h. Sizes of the kernel's objects are upper bounds.
#include "budget.h"

#include <base/bits.h>

#include "config.h"
#include "plan.h"

#define SLOT_BYTES   128u
#define SPACE_BYTES  512u
#define TABLE_BYTES  2u // of a space, per table
#define ROOT_PAGES   16u
#define THREAD_BYTES 4096u
#define VCPU_BYTES   8192u
#define SMALL_BYTES  256u // notification, endpoint, irq, device frames

static unsigned long kib(uint64_t bytes)
{
    return bytes / 1024;
}

static bool budget_fixed(struct system *s, struct memory *m)
{
    bool fits = true;
    for (struct region *r = next_fixed(s, UINT64_MAX); r != NULL;
         r = next_fixed(s, r->where.base)) {
        if (!memory_take_range(m, r->where)) {
            refuse(s->kernel, region_element(s, (uint32_t)(r - s->regions)),
                   "the %lu KiB at physical address %#lx are not all there and free",
                   kib(r->where.size), r->where.base);
            fits = false;
        }
    }
    return fits;
}

// Regions anywhere in RAM; those that need 2 MiB boundaries first, so that less is lost between them.
static bool budget_regions(struct system *s, struct memory *m, bool large)
{
    bool fits = true;
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        const struct region *r = &s->regions[i];
        if (!region_is_anywhere(r) || (r->where.size >= LARGE_PAGE_SIZE) != large) {
            continue;
        }
        if (!memory_take_pages(m, r->where.size)) {
            refuse(s->kernel, region_element(s, i),
                   "its %lu KiB don't fit: %lu KiB in one piece are free", kib(r->where.size),
                   kib(memory_largest(m)));
            fits = false;
        }
    }
    return fits;
}

static bool take_space(unsigned tables, struct memory *m)
{
    return memory_take_object(m, SPACE_BYTES + (uint64_t)tables * TABLE_BYTES) &&
           memory_take_pages(m, (tables + (uint64_t)ROOT_PAGES) * PAGE_SIZE);
}

static bool take_objects(struct system *s, uint32_t process, struct memory *m)
{
    const struct process *p = &s->processes[process];
    return memory_take_object(m, process_handles(p) * SLOT_BYTES) && take_space(p->tables, m) &&
           memory_take_object(m, THREAD_BYTES + 2 * SMALL_BYTES);
}

static bool take_pages(struct system *s, uint32_t process, struct memory *m)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    if (!memory_take_pages(m, record->stack_size) || !memory_take_pages(m, PAGE_SIZE) ||
        !memory_take_pages(m, PAGE_SIZE)) {
        return false;
    }
    for (uint32_t i = 0; i < record->segment_count; i++) {
        const struct bundle_segment *segment =
            bundle_segment(&s->bundle, record->segment_first + i);
        if ((segment->perms & MAP_WRITE) != 0 &&
            !memory_take_pages(m, align_up(segment->memory_size, PAGE_SIZE))) {
            return false;
        }
    }
    return true;
}

static bool budget_processes(struct system *s, struct memory *m)
{
    for (uint32_t i = 0; i < s->bundle.header->processes.count; i++) {
        if (!take_objects(s, i, m) || !take_pages(s, i, m)) {
            refuse(s->kernel, process_element(s, i), "it doesn't fit: %lu KiB of memory are free",
                   kib(memory_left(m)));
            return false; // one of them is too much, the others need not be
        }
    }
    return true;
}

static bool take_vm(struct system *s, uint32_t vm, struct memory *m)
{
    bool fits = take_space(s->vms[vm].tables, m) && memory_take_pages(m, VM_CONFIG_SIZE) &&
                memory_take_object(m, SMALL_BYTES);
    for (uint32_t i = 0; fits && i < bundle_vm(&s->bundle, vm)->vcpu_count; i++) {
        fits = memory_take_object(m, VCPU_BYTES + THREAD_BYTES + SMALL_BYTES) &&
               memory_take_pages(m, PAGE_SIZE) && memory_take_pages(m, VM_STACK_SIZE);
    }
    return fits;
}

static bool budget_vms(struct system *s, struct memory *m)
{
    for (uint32_t i = 0; i < s->bundle.header->vms.count; i++) {
        if (!take_vm(s, i, m)) {
            refuse(s->kernel, vm_element(s, i), "it doesn't fit: %lu KiB of memory are free",
                   kib(memory_left(m)));
            return false;
        }
    }
    return true;
}

bool budget_memory(struct system *s)
{
    struct memory m = s->memory;
    bool fits = budget_fixed(s, &m);
    fits &= budget_regions(s, &m, true);
    fits &= budget_regions(s, &m, false);
    return fits && budget_processes(s, &m) && budget_vms(s, &m);
}

// Names of elements and the order of fixed regions: see system.h.
#include "system.h"

#include <stddef.h>

struct element process_element(const struct system *s, uint32_t process)
{
    const struct bundle_process *record = bundle_process(&s->bundle, process);
    return (struct element){"protection_domain", record->name, record->line};
}

struct element region_element(const struct system *s, uint32_t region)
{
    const struct bundle_region *record = bundle_region(&s->bundle, region);
    return (struct element){"memory_region", bundle_string(&s->bundle, record->name), record->line};
}

struct element map_element(const struct system *s, const struct bundle_map *map)
{
    return (struct element){"map of", region_element(s, map->region).name, map->line};
}

struct element irq_element(const struct system *s, const struct bundle_irq *irq)
{
    return (struct element){"irq of", bundle_process(&s->bundle, irq->process)->name, irq->line};
}

struct element vm_element(const struct system *s, uint32_t vm)
{
    const struct bundle_vm *record = bundle_vm(&s->bundle, vm);
    return (struct element){"virtual_machine", record->name, record->line};
}

struct element vcpu_element(const struct system *s, const struct bundle_vcpu *vcpu)
{
    const struct bundle_vm *record = bundle_vm(&s->bundle, vcpu->vm);
    return (struct element){"vcpu of", record->name, record->line};
}

struct element guest_map_element(const struct system *s, const struct bundle_guest_map *map)
{
    return (struct element){"map of", region_element(s, map->region).name, map->line};
}

bool is_quiet(const struct system *s)
{
    return (s->bundle.header->flags & BUNDLE_CONSOLE_OFF) != 0;
}

void speak_up(const struct system *s)
{
    if (is_quiet(s)) {
        sys_console_mode(s->kernel, CONSOLE_ON);
    }
}

void speak_no_more(const struct system *s)
{
    if (is_quiet(s)) {
        sys_console_mode(s->kernel, CONSOLE_OFF);
    }
}

struct region *next_fixed(struct system *s, uint64_t limit)
{
    struct region *best = NULL;
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        struct region *r = &s->regions[i];
        if (r->is_fixed && r->where.base < limit &&
            (best == NULL || r->where.base > best->where.base)) {
            best = r;
        }
    }
    return best;
}

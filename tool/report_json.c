// The report as JSON: see report.h.
#include <abi/process.h>
#include <abi/syscall.h>

#include "json.h"
#include "memory.h"
#include "program.h"
#include "report.h"
#include "view.h"

struct report {
    struct json json;
    const struct model *m;
    struct arena *arena;
};

static void add_line(struct report *r, const struct node *node)
{
    json_number(&r->json, "line", source_line(r->m->diag->source, node->xml->offset));
}

// Processes.

static void add_segments(struct report *r, const struct process *p)
{
    json_open(&r->json, "segments", '[');
    for (uint32_t i = 0; p->program != NULL && i < p->program->segment_count; i++) {
        const struct segment *s = &p->program->segments[i];
        json_open(&r->json, NULL, '{');
        json_number(&r->json, "address", s->vaddr);
        json_number(&r->json, "size", s->memory_size);
        json_string(&r->json, "perms", text_perms(s->perms));
        json_close(&r->json, '}');
    }
    json_close(&r->json, ']');
}

static void add_maps(struct report *r, const struct node *parent)
{
    json_open(&r->json, "maps", '[');
    const struct table *maps = model_table(r->m, KIND_MAP);
    for (const struct map *map = table_first(maps); map != NULL; map = table_next(maps, map)) {
        if (map->node.parent != parent) {
            continue;
        }
        json_open(&r->json, NULL, '{');
        json_string(&r->json, "memory_region", map->region->name);
        json_number(&r->json, "address", map->vaddr);
        json_number(&r->json, "size", map->region->size);
        json_string(&r->json, "perms", text_perms(map->perms));
        json_bool(&r->json, "cached", map->cached);
        json_close(&r->json, '}');
    }
    json_close(&r->json, ']');
}

static void add_end(struct report *r, const struct end *end)
{
    json_string(&r->json, "protection_domain", end->pd);
    json_number(&r->json, "id", end->id);
    json_bool(&r->json, "may_notify", end->notify);
    json_bool(&r->json, "may_call", end->pp);
}

static void add_irq(struct report *r, const struct irq *irq)
{
    if (irq->region != NULL) {
        json_string(&r->json, "device", irq->region->name);
        json_number(&r->json, "index", irq->index);
    } else {
        json_number(&r->json, "number", irq->number);
        json_string(&r->json, "trigger", irq->trigger == IRQ_LEVEL ? "level" : "edge");
    }
    json_number(&r->json, "id", irq->id);
}

static void add_own_channels(struct report *r, const struct process *p)
{
    json_open(&r->json, "channels", '[');
    for (unsigned id = 0; id < CHANNEL_MAX; id++) {
        const struct end *end = view_end_of(p, id);
        if (end == NULL) {
            continue;
        }
        json_open(&r->json, NULL, '{');
        json_number(&r->json, "id", end->id);
        json_bool(&r->json, "may_notify", end->notify);
        json_bool(&r->json, "may_call", end->pp);
        json_open(&r->json, "other", '{');
        add_end(r, view_other_end(end));
        json_close(&r->json, '}');
        json_close(&r->json, '}');
    }
    json_close(&r->json, ']');
}

static void add_own_irqs(struct report *r, const struct process *p)
{
    json_open(&r->json, "interrupts", '[');
    for (unsigned id = 0; id < CHANNEL_MAX; id++) {
        const struct irq *irq = view_irq_of(p, id);
        if (irq != NULL) {
            json_open(&r->json, NULL, '{');
            add_irq(r, irq);
            json_close(&r->json, '}');
        }
    }
    json_close(&r->json, ']');
}

static void add_children(struct report *r, const struct process *p)
{
    json_open(&r->json, "children", '[');
    const struct table *t = model_table(r->m, KIND_PROCESS);
    for (const struct process *c = table_first(t); c != NULL; c = table_next(t, c)) {
        if (c->parent == p) {
            json_open(&r->json, NULL, '{');
            json_string(&r->json, "name", c->name);
            json_number(&r->json, "id", c->id);
            json_close(&r->json, '}');
        }
    }
    json_close(&r->json, ']');
}

static void add_shares(struct report *r, const struct process *p)
{
    json_open(&r->json, "capabilities", '[');
    const struct table *t = model_table(r->m, KIND_SHARE);
    for (const struct share *s = table_first(t); s != NULL; s = table_next(t, s)) {
        if (model_owner(&s->node) == p) {
            json_open(&r->json, NULL, '{');
            json_number(&r->json, "slot", s->slot);
            json_string(&r->json, "kind", view_share(s));
            json_string(&r->json, "of", s->of->name);
            json_close(&r->json, '}');
        }
    }
    json_close(&r->json, ']');
}

static void add_part(struct report *r, const char *name, const struct vm_part *part)
{
    if (part->region != NULL) {
        json_string(&r->json, name, part->region->name);
    }
}

static void add_parts(struct report *r, const struct vm *vm)
{
    add_part(r, "ram", &vm->ram);
    add_part(r, "kernel", &vm->kernel);
    add_part(r, "initrd", &vm->initrd);
    add_part(r, "device_tree", &vm->dtb);
    json_string(&r->json, "command_line", vm->cmdline);
    if (vm->console != ID_NONE) {
        json_number(&r->json, "console_id", vm->console);
    }
}

static void add_fate(struct report *r, const struct vm *vm)
{
    json_string(&r->json, "on_reset", view_policy(vm->on_reset));
    json_string(&r->json, "on_poweroff", view_policy(vm->on_poweroff));
    json_string(&r->json, "on_crash", view_policy(vm->on_crash));
    json_number(&r->json, "restarts", vm->restarts);
    json_number(&r->json, "window_s", vm->window);
    json_bool(&r->json, "counts_exits", vm->trace != 0);
}

static void add_vm(struct report *r, const struct vm *vm)
{
    if (vm == NULL) {
        return;
    }
    json_open(&r->json, "virtual_machine", '{');
    json_string(&r->json, "name", vm->name);
    json_number(&r->json, "priority", vm->priority);
    json_number(&r->json, "budget_us", vm->budget);
    json_number(&r->json, "period_us", vm->period);
    json_open(&r->json, "vcpus", '[');
    const struct table *t = model_table(r->m, KIND_VCPU);
    for (const struct vcpu *v = table_first(t); v != NULL; v = table_next(t, v)) {
        if (v->node.parent == &vm->node) {
            json_open(&r->json, NULL, '{');
            json_number(&r->json, "id", v->id);
            json_number(&r->json, "core", v->cpu);
            json_close(&r->json, '}');
        }
    }
    json_close(&r->json, ']');
    add_parts(r, vm);
    add_fate(r, vm);
    add_maps(r, &vm->node);
    json_close(&r->json, '}');
}

static void add_process(struct report *r, const struct process *p)
{
    struct json *j = &r->json;
    const struct system *system = table_first(model_table(r->m, KIND_SYSTEM));
    json_open(j, NULL, '{');
    json_string(j, "name", p->name);
    add_line(r, &p->node);
    json_string(j, "program", p->image->path);
    if (p->parent != NULL) {
        json_string(j, "parent", p->parent->name);
        json_number(j, "child_id", p->id);
    }
    json_number(j, "priority", p->priority);
    json_number(j, "core", p->cpu);
    json_number(j, "budget_us", p->budget);
    json_number(j, "period_us", p->period);
    json_number(j, "stack_size", p->stack_size);
    json_bool(j, "passive", p->passive);
    json_bool(j, "may_write_to_console", system->console);
    json_bool(j, "may_use_floating_point", p->fpu);
    json_bool(j, "may_call_firmware", p->smc);
    json_bool(j, "may_end_system", p->power);
    add_segments(r, p);
    add_maps(r, &p->node);
    add_own_channels(r, p);
    add_own_irqs(r, p);
    add_children(r, p);
    add_shares(r, p);
    add_vm(r, p->vm);
    json_close(j, '}');
}

static void add_processes(struct report *r)
{
    json_open(&r->json, "protection_domains", '[');
    const struct table *t = model_table(r->m, KIND_PROCESS);
    for (const struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        add_process(r, p);
    }
    json_close(&r->json, ']');
}

// Regions.

static void add_mappers(struct report *r, const char *name, const struct region *region,
                        uint64_t right)
{
    json_open(&r->json, name, '[');
    const struct table *maps = model_table(r->m, KIND_MAP);
    for (const struct map *map = table_first(maps); map != NULL; map = table_next(maps, map)) {
        if (map->region == region && (map->perms & right) != 0) {
            json_string(&r->json, NULL, view_mapper(r->arena, map));
        }
    }
    json_close(&r->json, ']');
}

static void add_region(struct report *r, const struct region *region)
{
    json_open(&r->json, NULL, '{');
    json_string(&r->json, "name", region->name);
    add_line(r, &region->node);
    json_number(&r->json, "size", region->size);
    json_number(&r->json, "page_size", memory_page_size(region));
    if (region->device != NULL) {
        json_string(&r->json, "device", region->device);
    }
    if (region->paddr != ADDRESS_NONE) {
        json_number(&r->json, "physical_address", region->paddr);
    }
    if (region->prefill_path != NULL) {
        json_string(&r->json, "prefill", region->prefill_path);
    } else if (region->text != NULL) {
        json_string(&r->json, "prefill_text", region->text->text);
    }
    add_mappers(r, "read_by", region, MAP_READ);
    add_mappers(r, "written_by", region, MAP_WRITE);
    add_mappers(r, "executed_by", region, MAP_EXECUTE);
    json_close(&r->json, '}');
}

static void add_regions(struct report *r)
{
    json_open(&r->json, "memory_regions", '[');
    const struct table *t = model_table(r->m, KIND_REGION);
    for (const struct region *region = table_first(t); region != NULL;
         region = table_next(t, region)) {
        add_region(r, region);
    }
    json_close(&r->json, ']');
}

// Channels and interrupts.

static void add_channels(struct report *r)
{
    json_open(&r->json, "channels", '[');
    const struct table *t = model_table(r->m, KIND_CHANNEL);
    for (const struct channel *c = table_first(t); c != NULL; c = table_next(t, c)) {
        json_open(&r->json, NULL, '{');
        add_line(r, &c->node);
        json_open(&r->json, "ends", '[');
        for (int i = 0; i < 2; i++) {
            json_open(&r->json, NULL, '{');
            add_end(r, c->end[i]);
            json_close(&r->json, '}');
        }
        json_close(&r->json, ']');
        json_close(&r->json, '}');
    }
    json_close(&r->json, ']');
}

static void add_irqs(struct report *r)
{
    json_open(&r->json, "interrupts", '[');
    const struct table *t = model_table(r->m, KIND_IRQ);
    for (const struct irq *irq = table_first(t); irq != NULL; irq = table_next(t, irq)) {
        json_open(&r->json, NULL, '{');
        add_line(r, &irq->node);
        json_string(&r->json, "protection_domain", model_owner(&irq->node)->name);
        add_irq(r, irq);
        json_close(&r->json, '}');
    }
    json_close(&r->json, ']');
}

static void add_image(struct report *r, const struct image_parts *parts)
{
    if (parts != NULL) {
        json_open(&r->json, "image", '{');
        json_number(&r->json, "size", parts->whole.size);
        json_number(&r->json, "kernel_size", parts->kernel_size);
        json_number(&r->json, "bundle_size", parts->bundle_size);
        json_close(&r->json, '}');
    }
}

const char *report_json(const struct model *m, const struct image_parts *parts)
{
    struct report r = {.m = m, .arena = m->arena};
    const struct system *system = table_first(model_table(m, KIND_SYSTEM));
    text_begin(&r.json.text);
    json_open(&r.json, NULL, '{');
    json_bool(&r.json, "console", system->console);
    add_image(&r, parts);
    add_processes(&r);
    add_regions(&r);
    add_channels(&r);
    add_irqs(&r);
    json_close(&r.json, '}');
    return text_end(&r.json.text, m->arena);
}

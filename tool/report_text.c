// The report as text: see report.h.
#include <abi/process.h>
#include <abi/syscall.h>

#include "memory.h"
#include "program.h"
#include "report.h"
#include "text.h"
#include "view.h"

typedef unsigned long long ull;

struct report {
    struct text text;
    FILE *out; // text.stream
    const struct model *m;
    struct arena *arena;
};

// Processes.

static const char *yes(bool b)
{
    return b ? "yes" : "no";
}

static void print_rights(struct report *r, const struct process *p)
{
    fprintf(r->out, "    priority %llu, core %llu, %llu us of every %llu us%s\n", (ull)p->priority,
            (ull)p->cpu, (ull)p->budget, (ull)p->period,
            p->passive ? ", passive: runs on its callers' time" : "");
    fprintf(r->out, "    may use floating point: %s, call the firmware: %s, end the system: %s\n",
            yes(p->fpu), yes(p->smc), yes(p->power));
}

static void print_family(struct report *r, const struct process *p)
{
    if (p->parent != NULL) {
        fprintf(r->out, "    is child %llu of %s, which handles its faults\n", (ull)p->id,
                p->parent->name);
    }
    const struct table *all = model_table(r->m, KIND_PROCESS);
    for (const struct process *c = table_first(all); c != NULL; c = table_next(all, c)) {
        if (c->parent == p) {
            fprintf(r->out, "    controls child %llu, %s\n", (ull)c->id, c->name);
        }
    }
    const struct table *shares = model_table(r->m, KIND_SHARE);
    for (const struct share *s = table_first(shares); s != NULL; s = table_next(shares, s)) {
        if (model_owner(&s->node) == p) {
            fprintf(r->out, "    holds the %s of %s in slot %llu\n", view_share(s), s->of->name,
                    (ull)s->slot);
        }
    }
}

static void print_range(struct report *r, uint64_t base, uint64_t size, uint64_t perms)
{
    fprintf(r->out, "    %010llx..%010llx %s ", (ull)base, (ull)(base + size), text_perms(perms));
}

static void print_maps(struct report *r, const struct node *parent)
{
    const struct table *maps = model_table(r->m, KIND_MAP);
    for (const struct map *map = table_first(maps); map != NULL; map = table_next(maps, map)) {
        if (map->node.parent == parent) {
            print_range(r, map->vaddr, memory_extent(map->region), map->perms);
            fprintf(r->out, "%s%s\n", map->region->name, map->cached ? "" : ", uncached");
        }
    }
}

static void print_memory(struct report *r, const struct process *p)
{
    for (uint32_t i = 0; p->program != NULL && i < p->program->segment_count; i++) {
        const struct segment *s = &p->program->segments[i];
        print_range(r, s->vaddr, s->memory_size, s->perms);
        fprintf(r->out, "its program\n");
    }
    print_maps(r, &p->node);
    print_range(r, PROCESS_STACK_TOP - p->stack_size, p->stack_size, MAP_READ | MAP_WRITE);
    fprintf(r->out, "its stack\n");
}

static const char *end_rights(const struct end *end)
{
    static const char *const names[2][2] = {{"does nothing to", "notifies"},
                                            {"calls", "notifies and calls"}};
    return names[end->pp][end->notify];
}

static void print_ids(struct report *r, const struct process *p)
{
    for (unsigned id = 0; id < CHANNEL_MAX; id++) {
        const struct irq *irq = view_irq_of(p, id);
        const struct end *end = view_end_of(p, id);
        if (irq != NULL) {
            fprintf(r->out, "    id %u: is notified by %s\n", id, view_irq(r->arena, irq));
        } else if (end != NULL) {
            const struct end *other = view_other_end(end);
            fprintf(r->out, "    id %u: %s %s, which %s it\n", id, end_rights(end), other->pd,
                    end_rights(other));
        }
    }
}

static void print_vm(struct report *r, const struct process *p)
{
    if (p->vm == NULL) {
        return;
    }
    fprintf(r->out, "    runs the virtual machine %s: priority %llu, %llu us of every %llu us\n",
            p->vm->name, (ull)p->vm->priority, (ull)p->vm->budget, (ull)p->vm->period);
    const struct table *vcpus = model_table(r->m, KIND_VCPU);
    for (const struct vcpu *v = table_first(vcpus); v != NULL; v = table_next(vcpus, v)) {
        if (v->node.parent == &p->vm->node) {
            fprintf(r->out, "    vcpu %llu on core %llu\n", (ull)v->id, (ull)v->cpu);
        }
    }
    print_maps(r, &p->vm->node);
}

// Virtual machines.

static void print_ram(struct report *r, const struct vm *vm)
{
    const struct region *ram = vm->ram.region;
    if (ram == NULL) {
        return;
    }
    fprintf(r->out, "    its RAM, %s: 0x%llx bytes at 0x%llx, touched by\n", ram->name,
            (ull)ram->size, (ull)vm->ram_ipa);
    const struct table *maps = model_table(r->m, KIND_MAP);
    for (const struct map *map = table_first(maps); map != NULL; map = table_next(maps, map)) {
        if (map->region == ram) {
            fprintf(r->out, "      %s %s\n", text_perms(map->perms), view_mapper(r->arena, map));
        }
    }
}

static void print_image(struct report *r, const char *what, const struct region *image)
{
    if (image != NULL) {
        fprintf(r->out, "    starts from the %s in %s%s%s\n", what, image->name,
                image->prefill_path == NULL ? "" : ", filled from ",
                image->prefill_path == NULL ? "" : image->prefill_path);
    }
}

static void print_fate(struct report *r, const struct vm *vm)
{
    fprintf(r->out,
            "    when it resets: %s, powers off: %s, crashes: %s; at most %llu restarts in "
            "%llu seconds\n",
            view_policy(vm->on_reset), view_policy(vm->on_poweroff), view_policy(vm->on_crash),
            (ull)vm->restarts, (ull)vm->window);
    if (vm->trace != 0) {
        fprintf(r->out, "    its exits are counted\n");
    }
}

static void print_vms(struct report *r)
{
    const struct table *t = model_table(r->m, KIND_VM);
    if (t->count > 0) {
        fprintf(r->out, "\nVirtual machines\n");
    }
    for (const struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        fprintf(r->out, "  %s, run by %s: vcpus on cores %s\n", vm->name,
                model_owner(&vm->node)->name, view_cores(r->arena, r->m, vm));
        print_ram(r, vm);
        print_image(r, "kernel", vm->kernel.region);
        print_image(r, "initrd", vm->initrd.region);
        print_image(r, "device tree", vm->dtb.region);
        if (*vm->cmdline != '\0') {
            fprintf(r->out, "    command line: %s\n", vm->cmdline);
        }
        if (vm->console != ID_NONE) {
            fprintf(r->out, "    its console is its VMM's id %llu\n", (ull)vm->console);
        }
        print_fate(r, vm);
    }
}

static void print_processes(struct report *r)
{
    fprintf(r->out, "\nProtection domains\n");
    const struct table *t = model_table(r->m, KIND_PROCESS);
    for (const struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        fprintf(r->out, "  %s: %s\n", p->name, p->image->path);
        print_rights(r, p);
        print_family(r, p);
        print_memory(r, p);
        print_ids(r, p);
        print_vm(r, p);
    }
}

// Regions.

static void print_place(struct report *r, const struct region *region)
{
    if (region->device != NULL) {
        fprintf(r->out, "the device %s", region->device);
    } else if (region->paddr != ADDRESS_NONE) {
        fprintf(r->out, "at 0x%llx", (ull)region->paddr);
    } else {
        fprintf(r->out, "anywhere");
    }
    if (region->size != 0) {
        fprintf(r->out, ", 0x%llx bytes", (ull)region->size);
    }
    if (region->prefill_path != NULL) {
        fprintf(r->out, ", filled from %s", region->prefill_path);
    } else if (region->text != NULL) {
        fprintf(r->out, ", filled with a text");
    }
}

static void print_regions(struct report *r)
{
    fprintf(r->out, "\nMemory regions\n");
    const struct table *t = model_table(r->m, KIND_REGION);
    const struct table *maps = model_table(r->m, KIND_MAP);
    for (const struct region *region = table_first(t); region != NULL;
         region = table_next(t, region)) {
        fprintf(r->out, "  %s: ", region->name);
        print_place(r, region);
        fprintf(r->out, "\n");
        for (const struct map *map = table_first(maps); map != NULL; map = table_next(maps, map)) {
            if (map->region == region) {
                fprintf(r->out, "    %s %s\n", text_perms(map->perms), view_mapper(r->arena, map));
            }
        }
    }
}

// Channels and interrupts.

static void print_channels(struct report *r)
{
    fprintf(r->out, "\nChannels\n");
    const struct table *t = model_table(r->m, KIND_CHANNEL);
    for (const struct channel *c = table_first(t); c != NULL; c = table_next(t, c)) {
        for (int i = 0; i < 2; i++) {
            const struct end *end = c->end[i];
            fprintf(r->out, "  %s (id %llu) %s %s (id %llu)\n", end->pd, (ull)end->id,
                    end_rights(end), c->end[1 - i]->pd, (ull)c->end[1 - i]->id);
        }
    }
}

static void print_irqs(struct report *r)
{
    fprintf(r->out, "\nInterrupts\n");
    const struct table *t = model_table(r->m, KIND_IRQ);
    for (const struct irq *irq = table_first(t); irq != NULL; irq = table_next(t, irq)) {
        fprintf(r->out, "  %s: %s (id %llu)%s\n", view_irq(r->arena, irq),
                model_owner(&irq->node)->name, (ull)irq->id,
                irq->region != NULL         ? ""
                : irq->trigger == IRQ_LEVEL ? ", level"
                                            : ", edge");
    }
}

static void print_summary(struct report *r, const struct image_parts *parts)
{
    const struct table *t = r->m->tables;
    const struct system *system = table_first(&t[KIND_SYSTEM]);
    fprintf(r->out, "protection domains: %u, memory regions: %u, channels: %u, interrupts: %u\n",
            t[KIND_PROCESS].count, t[KIND_REGION].count, t[KIND_CHANNEL].count, t[KIND_IRQ].count);
    fputs(system->console ? "the kernel's console: every one of them may write to it\n"
                          : "the kernel's console: off once the system runs, and none of them may "
                            "write to it\n",
          r->out);
    if (parts != NULL) {
        fprintf(r->out, "image: %zu bytes, of which kernel %zu, bundle %zu\n", parts->whole.size,
                parts->kernel_size, parts->bundle_size);
    }
}

const char *report_text(const struct model *m, const struct image_parts *parts)
{
    struct report r = {.m = m, .arena = m->arena};
    text_begin(&r.text);
    r.out = r.text.stream;
    print_summary(&r, parts);
    print_processes(&r);
    print_vms(&r);
    print_regions(&r);
    print_channels(&r);
    print_irqs(&r);
    return text_end(&r.text, m->arena);
}

// Checks of where things end up, in physical memory and in the address spaces: see check_layout in check.h.
#include "check.h"

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "memory.h"
#include "program.h"
#include "span.h"

typedef unsigned long long ull;

static void refuse_overlap(void *context, const struct span *earlier, const struct span *later)
{
    struct model *m = context;
    diag_error(m->diag, later->offset,
               "%s at 0x%llx overlaps %s at 0x%llx (line %u), move one of the two", later->what,
               (ull)later->range.base, earlier->what, (ull)earlier->range.base,
               source_line(m->diag->source, earlier->offset));
}

// Physical memory.

static void check_physical(struct model *m)
{
    struct spans spans = {.arena = m->arena};
    const struct table *t = model_table(m, KIND_REGION);
    for (struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        struct span span = {.range = {r->paddr, memory_extent(r)},
                            .offset = xml_at(r->node.xml, "phys_addr"),
                            .what = arena_format(m->arena, "'%s'", r->name)};
        if (r->paddr == ADDRESS_NONE) {
            continue;
        }
        spans_add(&spans, span);
        if (!range_contains((struct range){0, MEMORY_PHYSICAL_TOP}, r->paddr, span.range.size)) {
            diag_error(m->diag, span.offset, "%s does not end below 0x%llx, move it down",
                       span.what, (ull)MEMORY_PHYSICAL_TOP);
        }
    }
    spans_compare(&spans, refuse_overlap, m);
}

// Address spaces. A process has group 2n, the virtual machine in it 2n + 1.

static void add_segments(struct model *m, const struct process *p, struct spans *spans)
{
    for (uint32_t i = 0; p->program != NULL && i < p->program->segment_count; i++) {
        const struct segment *s = &p->program->segments[i];
        size_t at = xml_at(p->image->node.xml, "path");
        spans_add(spans, (struct span){.group = 2 * p->node.index,
                                       .range = {s->vaddr, align_up(s->memory_size, PAGE_SIZE)},
                                       .offset = at,
                                       .what = "the program's segment"});
        if (!range_contains((struct range){0, memory_top(p)}, s->vaddr, s->memory_size)) {
            diag_error(m->diag, at, "'%s' reaches up to 0x%llx, into the stack, link it lower",
                       p->program->path, (ull)(s->vaddr + s->memory_size));
        }
    }
}

static void add_map(struct model *m, const struct map *map, struct spans *spans)
{
    bool of_vm = memory_is_of_vm(map);
    const struct process *owner = model_owner(&map->node);
    uint64_t top = of_vm ? MEMORY_GUEST_TOP : memory_top(owner);
    struct span span = {.group = 2 * owner->node.index + of_vm,
                        .range = {map->vaddr, memory_extent(map->region)},
                        .offset = xml_at(map->node.xml, "vaddr"),
                        .what = arena_format(m->arena, "'%s'", map->region->name)};
    spans_add(spans, span);
    if (!range_contains((struct range){0, top}, map->vaddr, span.range.size)) {
        diag_error(m->diag, span.offset,
                   "%s at 0x%llx does not end below 0x%llx where %s, move it down", span.what,
                   (ull)map->vaddr, (ull)top,
                   of_vm               ? "a virtual machine's memory ends"
                   : owner->vm != NULL ? "what belongs to its vcpus is"
                                       : "the stack's guard page is");
    }
}

void check_layout(struct model *m)
{
    check_physical(m);
    struct spans spans = {.arena = m->arena};
    const struct table *t = model_table(m, KIND_PROCESS);
    for (const struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        add_segments(m, p, &spans);
    }
    t = model_table(m, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        if (map->region != NULL) {
            add_map(m, map, &spans);
        }
    }
    spans_compare(&spans, refuse_overlap, m);
}

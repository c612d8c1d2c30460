// See graph.h. Processes stand on the left, children indented; regions on the right. Lines between the two are maps,
// arcs on the left are channels. Everything has a title, which a browser shows when it is pointed at.
#include "graph.h"

#include <stdlib.h>

#include <abi/syscall.h>

#include "memory.h"
#include "text.h"
#include "view.h"

typedef unsigned long long ull;

#define MARGIN         24
#define ARC_ROOM       150 // left of the processes
#define PROCESS_WIDTH  250
#define PROCESS_HEIGHT 58
#define GAP            18
#define INDENT         26
#define MAP_ROOM       260 // between processes and regions
#define REGION_WIDTH   220
#define REGION_HEIGHT  42
#define LEGEND_HEIGHT  40
#define GUEST_DROP     18 // maps of guests start so much lower

struct graph {
    struct text text;
    FILE *out; // text.stream
    const struct model *m;
    struct arena *arena;
    int left;  // of the processes
    int right; // left edge of the regions
    int height;
};

struct point {
    int x;
    int y;
};

static int depth(const struct process *p)
{
    int n = 0;
    for (; p->parent != NULL; p = p->parent) {
        n++;
    }
    return n;
}

static struct point process_at(const struct graph *g, const struct process *p)
{
    return (struct point){g->left + INDENT * depth(p),
                          MARGIN + (int)p->node.index * (PROCESS_HEIGHT + GAP)};
}

static struct point region_at(const struct graph *g, const struct region *r)
{
    return (struct point){g->right, MARGIN + (int)r->node.index * (REGION_HEIGHT + GAP)};
}

static void measure(struct graph *g)
{
    int deepest = 0;
    const struct table *t = model_table(g->m, KIND_PROCESS);
    for (const struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        deepest = depth(p) > deepest ? depth(p) : deepest;
    }
    int processes = (int)t->count * (PROCESS_HEIGHT + GAP);
    int regions = (int)model_table(g->m, KIND_REGION)->count * (REGION_HEIGHT + GAP);
    g->left = MARGIN + ARC_ROOM;
    g->right = g->left + INDENT * deepest + PROCESS_WIDTH + MAP_ROOM;
    g->height = MARGIN + (processes > regions ? processes : regions) + LEGEND_HEIGHT;
}

// Boxes.

static void print_box(struct graph *g, const char *class, struct point at, int width, int height)
{
    fprintf(g->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n",
            class, at.x, at.y, width, height);
}

static void print_label(struct graph *g, const char *class, int x, int y, const char *label)
{
    fprintf(g->out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
    text_xml(&g->text, label);
    fprintf(g->out, "</text>\n");
}

static void print_title(struct graph *g, const char *title)
{
    fprintf(g->out, "<title>");
    text_xml(&g->text, title);
    fprintf(g->out, "</title>\n");
}

static const char *irq_list(struct graph *g, const struct process *p)
{
    const char *list = "";
    for (unsigned id = 0; id < CHANNEL_MAX; id++) {
        const struct irq *irq = view_irq_of(p, id);
        if (irq != NULL) {
            list = arena_format(g->arena, "%s%s%s", list, *list == '\0' ? "" : ", ",
                                view_irq(g->arena, irq));
        }
    }
    return list;
}

static const char *vm_label(struct graph *g, const struct vm *vm)
{
    return arena_format(g->arena, "runs %s, vcpus on cores %s", vm->name,
                        view_cores(g->arena, g->m, vm));
}

static void print_process(struct graph *g, const struct process *p)
{
    struct point at = process_at(g, p);
    const char *facts = arena_format(g->arena, "priority %llu, core %llu%s%s%s", (ull)p->priority,
                                     (ull)p->cpu, p->passive ? ", passive" : "",
                                     p->power ? ", power" : "", p->smc ? ", smc" : "");
    const char *irqs = irq_list(g, p);
    const char *vm = p->vm == NULL ? "" : vm_label(g, p->vm);
    fprintf(g->out, "<g>\n");
    print_title(g, arena_format(g->arena, "%s: %s, %s%s%s%s%s", p->name, p->image->path, facts,
                                *irqs == '\0' ? "" : ", ", irqs, *vm == '\0' ? "" : ", ", vm));
    print_box(g, p->vm != NULL ? "vmm" : "process", at, PROCESS_WIDTH, PROCESS_HEIGHT);
    print_label(g, "name", at.x + 12, at.y + 18, p->name);
    print_label(g, "fact", at.x + 12, at.y + 34, facts);
    print_label(g, "irq", at.x + 12, at.y + 50, *vm != '\0' ? vm : irqs);
    fprintf(g->out, "</g>\n");
}

static void print_region(struct graph *g, const struct region *r)
{
    struct point at = region_at(g, r);
    const char *fact = r->device != NULL ? arena_format(g->arena, "device %s", r->device)
                                         : arena_format(g->arena, "0x%llx bytes", (ull)r->size);
    if (r->paddr != ADDRESS_NONE) {
        fact = arena_format(g->arena, "%s at 0x%llx", fact, (ull)r->paddr);
    }
    fprintf(g->out, "<g>\n");
    print_title(g, arena_format(g->arena, "%s: %s", r->name, fact));
    print_box(g, r->device != NULL ? "device" : "region", at, REGION_WIDTH, REGION_HEIGHT);
    print_label(g, "name", at.x + 12, at.y + 18, r->name);
    print_label(g, "fact", at.x + 12, at.y + 34, arena_format(g->arena, "%.32s", fact));
    fprintf(g->out, "</g>\n");
}

// Lines.

static const char *map_class(uint64_t perms)
{
    return (perms & MAP_EXECUTE) ? "map x" : (perms & MAP_WRITE) ? "map w" : "map r";
}

static void print_map(struct graph *g, const struct map *map)
{
    struct point from = process_at(g, model_owner(&map->node));
    struct point to = region_at(g, map->region);
    int x = from.x + PROCESS_WIDTH;
    int y = from.y + PROCESS_HEIGHT / 2 + (memory_is_of_vm(map) ? GUEST_DROP : 0);
    int end = to.y + REGION_HEIGHT / 2;
    int middle = (x + to.x) / 2;
    fprintf(g->out, "<path class=\"%s%s\" d=\"M%d %d C%d %d %d %d %d %d\">", map_class(map->perms),
            memory_is_of_vm(map) ? " vm" : "", x, y, middle, y, middle, end, to.x, end);
    print_title(g, arena_format(g->arena, "%s: %s %s at 0x%llx", view_mapper(g->arena, map),
                                text_perms(map->perms), map->region->name, (ull)map->vaddr));
    fprintf(g->out, "</path>\n");
}

// One arc per direction in which anything may go: its arrow points at the one that is notified or called.
static void print_arc(struct graph *g, const struct end *end)
{
    const struct end *other = view_other_end(end);
    if (!end->notify && !end->pp) {
        return;
    }
    struct point from = process_at(g, end->process);
    struct point to = process_at(g, other->process);
    int span = abs((int)end->process->node.index - (int)other->process->node.index);
    int y = from.y + 8 + (int)(end->id * 7 % (PROCESS_HEIGHT - 16));
    int end_y = to.y + 8 + (int)(other->id * 7 % (PROCESS_HEIGHT - 16));
    int bulge = 30 + span * 24 > ARC_ROOM ? ARC_ROOM : 30 + span * 24;
    fprintf(g->out,
            "<path class=\"%s\" marker-end=\"url(#arrow)\" d=\"M%d %d C%d %d %d %d %d %d\">",
            end->pp ? "call" : "notify", from.x, y, from.x - bulge, y, to.x - bulge, end_y, to.x,
            end_y);
    print_title(g, arena_format(g->arena, "%s (id %llu) %s %s (id %llu)", end->pd, (ull)end->id,
                                end->pp ? "calls" : "notifies", other->pd, (ull)other->id));
    fprintf(g->out, "</path>\n");
}

static void print_all(struct graph *g)
{
    const struct table *t = model_table(g->m, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        print_map(g, map);
    }
    t = model_table(g->m, KIND_END);
    for (const struct end *end = table_first(t); end != NULL; end = table_next(t, end)) {
        print_arc(g, end);
    }
    t = model_table(g->m, KIND_PROCESS);
    for (const struct process *p = table_first(t); p != NULL; p = table_next(t, p)) {
        print_process(g, p);
    }
    t = model_table(g->m, KIND_REGION);
    for (const struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        print_region(g, r);
    }
}

static void print_legend(struct graph *g)
{
    static const struct {
        const char *class;
        const char *meaning;
    } rows[] = {{"map r", "reads"},         {"map w", "reads and writes"}, {"map x", "executes"},
                {"map w vm", "as a guest"}, {"notify", "notifies"},        {"call", "calls"}};
    int x = MARGIN;
    int y = g->height - LEGEND_HEIGHT / 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++, x += 140) {
        fprintf(g->out, "<path class=\"%s\" d=\"M%d %d H%d\"/>\n", rows[i].class, x, y, x + 36);
        print_label(g, "fact", x + 44, y + 4, rows[i].meaning);
    }
}

static const char style[] =
    "<style>\n"
    "text{font-family:sans-serif;fill:#222}.name{font-size:14px;font-weight:bold}"
    ".fact,.irq{font-size:11px}.irq{fill:#a40}\n"
    "rect{stroke:#444}.process{fill:#e8f0fb}.vmm{fill:#e6f5e6}.region{fill:#f3f3ee}.device{fill:#"
    "fbe9d9}\n"
    "path{fill:none;stroke-width:1.5}.r{stroke:#3a3}.w{stroke:#26c}.x{stroke:#a3a}"
    ".vm{stroke-dasharray:6 3}.notify{stroke:#888}.call{stroke:#c33}\n"
    "</style>\n"
    "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" "
    "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" style=\"fill:#666\"/>"
    "</marker></defs>\n";

const char *graph_svg(const struct model *m)
{
    struct graph g = {.m = m, .arena = m->arena};
    text_begin(&g.text);
    g.out = g.text.stream;
    measure(&g);
    int width = g.right + REGION_WIDTH + MARGIN;
    fprintf(g.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\">\n%s<rect width=\"%d\" height=\"%d\" "
            "style=\"fill:#fff;stroke:none\"/>\n",
            width, g.height, width, g.height, style, width, g.height);
    print_all(&g);
    print_legend(&g);
    fprintf(g.out, "</svg>\n");
    return text_end(&g.text, m->arena);
}

// The machine's device tree: see tree.h. All sizes and counts come from the tree and are checked against the
// property that holds them; every loop is bounded by the tree's size.
#include "tree.h"

#include <libfdt.h>

#include <base/bits.h>

// Cells of the properties as they stand in the tree, big-endian.
struct cells {
    const fdt32_t *cell;
    unsigned count;
};

static struct cells cells_of(const void *fdt, int node, const char *name)
{
    int length = 0;
    const fdt32_t *cell = fdt_getprop(fdt, node, name, &length);
    if (cell == NULL || length < 0) {
        return (struct cells){NULL, 0};
    }
    return (struct cells){cell, (unsigned)length / 4};
}

static uint32_t cell_at(struct cells c, unsigned index)
{
    return fdt32_to_cpu(c.cell[index]);
}

// `count` cells from `index` on as one number. The caller has checked that they are there; numbers of more than 64
// bits don't occur in what we understand.
static uint64_t number_at(struct cells c, unsigned index, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        value = value << 32 | cell_at(c, index + i);
    }
    return value;
}

static uint32_t word_of(const void *fdt, int node, const char *name, uint32_t otherwise)
{
    struct cells c = cells_of(fdt, node, name);
    return c.count == 1 ? cell_at(c, 0) : otherwise;
}

bool tree_check(const void *fdt, size_t size)
{
    if (size < sizeof(struct fdt_header) || fdt_check_header(fdt) != 0 ||
        fdt_totalsize(fdt) > size || !is_aligned(fdt_off_dt_struct(fdt), sizeof(fdt32_t))) {
        return false;
    }
    int node = 0;
    int depth = 0;
    while (node >= 0 && depth >= 0) {
        node = fdt_next_node(fdt, node, &depth);
    }
    return depth < 0; // the walk has left the root, and met nothing odd before
}

// ---- Walking ------------------------------------------------------------------------------------------------

bool tree_next(const void *fdt, struct tree_path *path)
{
    int depth = path->depth < 0 ? -1 : path->depth;
    int node = path->depth < 0 ? -1 : path->at[path->depth];
    do {
        node = fdt_next_node(fdt, node, &depth);
        if (node < 0 || depth < 0) {
            return false;
        }
    } while (depth >= TREE_DEPTH_MAX);
    path->depth = depth;
    path->at[depth] = node;
    return true;
}

bool tree_find_offset(const void *fdt, int offset, struct tree_path *path)
{
    path->depth = -1;
    while (tree_next(fdt, path)) {
        if (path->at[path->depth] == offset) {
            return true;
        }
    }
    return false;
}

bool tree_find_path(const void *fdt, const char *name, struct tree_path *path)
{
    int offset = name[0] == '/' ? fdt_path_offset(fdt, name) : -FDT_ERR_BADPATH;
    return offset >= 0 && tree_find_offset(fdt, offset, path);
}

bool tree_is_compatible(const void *fdt, const struct tree_path *path, const char *compatible)
{
    return fdt_node_check_compatible(fdt, path->at[path->depth], compatible) == 0;
}

static bool node_enabled(const void *fdt, int node)
{
    int length = 0;
    const char *status = fdt_getprop(fdt, node, "status", &length);
    return status == NULL || fdt_stringlist_contains(status, length, "okay") ||
           fdt_stringlist_contains(status, length, "ok");
}

bool tree_enabled(const void *fdt, const struct tree_path *path)
{
    for (int d = 0; d <= path->depth; d++) {
        if (!node_enabled(fdt, path->at[d])) {
            return false;
        }
    }
    return true;
}

// ---- Addresses ----------------------------------------------------------------------------------------------

// How a bus writes its children's addresses.
struct bus {
    unsigned address_cells;
    unsigned size_cells;
};

// False: more cells than a number has bits for. (PCI's three-cell addresses are among those.)
static bool bus_of(const void *fdt, int node, struct bus *out)
{
    out->address_cells = word_of(fdt, node, "#address-cells", 2);
    out->size_cells = word_of(fdt, node, "#size-cells", 1);
    return out->address_cells >= 1 && out->address_cells <= 2 && out->size_cells <= 2;
}

// One row of a ranges property: [child, child + size) of the bus is [parent, parent + size) above it.
struct window {
    uint64_t child;
    struct range parent;
};

// Row `index` of node's ranges. `child_cells` may be 3 (PCI): its address is then not looked at.
static bool window_at(struct cells ranges, unsigned child_cells, unsigned size_cells,
                      unsigned parent_cells, unsigned index, struct window *out)
{
    unsigned row = child_cells + parent_cells + size_cells;
    if (ranges.cell == NULL || index >= ranges.count / row) {
        return false;
    }
    unsigned at = index * row;
    out->child = number_at(ranges, at, child_cells);
    out->parent.base = number_at(ranges, at + child_cells, parent_cells);
    out->parent.size = number_at(ranges, at + child_cells + parent_cells, size_cells);
    return true;
}

// A range on the bus at[depth] as the bus above it sees it.
static bool translate_up(const void *fdt, const struct tree_path *path, int depth, struct range *r)
{
    struct bus bus;
    struct bus above;
    int length = 0;
    if (fdt_getprop(fdt, path->at[depth], "ranges", &length) == NULL) {
        return false; // the bus's addresses mean nothing outside it
    }
    if (length == 0) {
        return true;
    }
    if (!bus_of(fdt, path->at[depth], &bus) || !bus_of(fdt, path->at[depth - 1], &above)) {
        return false;
    }
    struct cells ranges = cells_of(fdt, path->at[depth], "ranges");
    struct window w;
    for (unsigned i = 0;
         window_at(ranges, bus.address_cells, bus.size_cells, above.address_cells, i, &w); i++) {
        if (range_contains((struct range){w.child, w.parent.size}, r->base, r->size)) {
            r->base = w.parent.base + (r->base - w.child);
            return range_valid(*r);
        }
    }
    return false;
}

// From the bus at[depth] up to what the cores see.
static bool translate(const void *fdt, const struct tree_path *path, int depth, struct range *r)
{
    for (; depth > 0; depth--) {
        if (!translate_up(fdt, path, depth, r)) {
            return false;
        }
    }
    return range_valid(*r);
}

bool tree_reg(const void *fdt, const struct tree_path *path, unsigned index, struct range *out)
{
    struct bus bus;
    if (path->depth < 1 || !bus_of(fdt, path->at[path->depth - 1], &bus)) {
        return false;
    }
    struct cells reg = cells_of(fdt, path->at[path->depth], "reg");
    unsigned row = bus.address_cells + bus.size_cells;
    if (index >= reg.count / row) {
        return false;
    }
    out->base = number_at(reg, index * row, bus.address_cells);
    out->size = number_at(reg, index * row + bus.address_cells, bus.size_cells);
    return out->size > 0 && translate(fdt, path, path->depth - 1, out);
}

static bool is_memory_node(const void *fdt, int node)
{
    int length = 0;
    const char *type = fdt_getprop(fdt, node, "device_type", &length);
    return type != NULL && fdt_stringlist_contains(type, length, "memory");
}

static bool reg_overlaps(const void *fdt, const struct tree_path *path, struct range r)
{
    struct range reg;
    for (unsigned i = 0; tree_reg(fdt, path, i, &reg); i++) {
        if (range_overlaps(reg, r)) {
            return true;
        }
    }
    return false;
}

// Does a window of the bus at the path's end (of PCI, most of all) touch r?
static bool window_overlaps(const void *fdt, const struct tree_path *path, struct range r)
{
    int node = path->at[path->depth];
    struct bus above;
    struct window w;
    if (path->depth < 1 || !bus_of(fdt, path->at[path->depth - 1], &above)) {
        return false;
    }
    struct cells ranges = cells_of(fdt, node, "ranges");
    uint32_t child_cells = word_of(fdt, node, "#address-cells", 2);
    uint32_t size_cells = word_of(fdt, node, "#size-cells", 1);
    if (child_cells < 1 || child_cells > 3 || size_cells > 2) {
        return false;
    }
    for (unsigned i = 0; window_at(ranges, child_cells, size_cells, above.address_cells, i, &w);
         i++) {
        if (translate(fdt, path, path->depth - 1, &w.parent) && range_overlaps(w.parent, r)) {
            return true;
        }
    }
    return false;
}

bool tree_is_memory(const void *fdt, struct range r)
{
    struct tree_path path = {.depth = -1};
    while (tree_next(fdt, &path)) {
        if (is_memory_node(fdt, path.at[path.depth]) && reg_overlaps(fdt, &path, r)) {
            return true;
        }
    }
    return false;
}

bool tree_is_device(const void *fdt, struct range r)
{
    struct tree_path path = {.depth = -1};
    while (tree_next(fdt, &path)) {
        if (!is_memory_node(fdt, path.at[path.depth]) &&
            (reg_overlaps(fdt, &path, r) || window_overlaps(fdt, &path, r))) {
            return true;
        }
    }
    return false;
}

// ---- Interrupts and clocks ----------------------------------------------------------------------------------

// The interrupt controllers that the kernel drives. Their cells: kind, number, flags.
static bool is_gic(const void *fdt, int node)
{
    static const char *const known[] = {"arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic",
                                        "arm,cortex-a9-gic", "arm,cortex-a7-gic"};
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        if (fdt_node_check_compatible(fdt, node, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

// The cells of one interrupt of the GIC (its binding: arm,gic).
static bool decode_gic(struct cells c, unsigned at, struct tree_irq *out)
{
    enum { SHARED = 0, PRIVATE = 1 };
    enum { RISING = 1, FALLING = 2 };
    uint32_t kind = cell_at(c, at);
    uint32_t number = cell_at(c, at + 1);
    if (kind > PRIVATE || number >= 1020) {
        return false;
    }
    out->intid = number + (kind == SHARED ? 32 : 16);
    out->trigger = (cell_at(c, at + 2) & (RISING | FALLING)) != 0 ? IRQ_EDGE : IRQ_LEVEL;
    return true;
}

// Cells of one interrupt of the controller with this phandle, and the controller. 0: there is none.
static unsigned controller_cells(const void *fdt, uint32_t phandle, int *controller)
{
    *controller = fdt_node_offset_by_phandle(fdt, phandle);
    if (*controller < 0) {
        return 0;
    }
    uint32_t cells = word_of(fdt, *controller, "#interrupt-cells", 0);
    return cells <= 8 ? cells : 0;
}

static bool extended_irq(const void *fdt, struct cells c, unsigned index, struct tree_irq *out)
{
    for (unsigned at = 0; at < c.count; index--) {
        int controller;
        unsigned cells = controller_cells(fdt, cell_at(c, at), &controller);
        if (cells == 0 || c.count - at < 1 + cells) {
            return false;
        }
        if (index == 0) {
            return cells >= 3 && is_gic(fdt, controller) && decode_gic(c, at + 1, out);
        }
        at += 1 + cells;
    }
    return false;
}

// The nearest interrupt-parent on the way up.
static uint32_t interrupt_parent(const void *fdt, const struct tree_path *path)
{
    for (int d = path->depth; d >= 0; d--) {
        uint32_t phandle = word_of(fdt, path->at[d], "interrupt-parent", 0);
        if (phandle != 0) {
            return phandle;
        }
    }
    return 0;
}

bool tree_irq(const void *fdt, const struct tree_path *path, unsigned index, struct tree_irq *out)
{
    int node = path->at[path->depth];
    struct cells extended = cells_of(fdt, node, "interrupts-extended");
    if (extended.count > 0) {
        return extended_irq(fdt, extended, index, out);
    }
    int controller;
    unsigned cells = controller_cells(fdt, interrupt_parent(fdt, path), &controller);
    struct cells c = cells_of(fdt, node, "interrupts");
    if (cells < 3 || index >= c.count / cells || !is_gic(fdt, controller)) {
        return false;
    }
    return decode_gic(c, index * cells, out);
}

uint64_t tree_clock_hz(const void *fdt, const struct tree_path *path)
{
    struct cells clocks = cells_of(fdt, path->at[path->depth], "clocks");
    if (clocks.count == 0) {
        return 0;
    }
    int clock = fdt_node_offset_by_phandle(fdt, cell_at(clocks, 0));
    if (clock < 0 || fdt_node_check_compatible(fdt, clock, "fixed-clock") != 0) {
        return 0;
    }
    return word_of(fdt, clock, "clock-frequency", 0);
}

// See fdt_address.h.
#include "fdt_address.h"

#include <libfdt.h>

uint32_t fdt_cell(const void *fdt, int node, const char *property, uint32_t otherwise)
{
    int length;
    const fdt32_t *cell = fdt_getprop(fdt, node, property, &length);
    return cell != NULL && length == sizeof(*cell) ? fdt32_to_cpu(*cell) : otherwise;
}

struct fdt_cells fdt_cells_of(const void *fdt, int node, const char *property)
{
    int length = 0;
    const fdt32_t *at = fdt_getprop(fdt, node, property, &length);
    return (struct fdt_cells){at, at == NULL || length < 0 ? 0 : (unsigned)length / sizeof(*at)};
}

uint64_t fdt_take(struct fdt_cells *c, unsigned cells)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < cells; i++) {
        value = value << 32 | fdt32_to_cpu(*c->at++);
    }
    c->left -= cells;
    return value;
}

struct fdt_bus fdt_bus_of(const void *fdt, int node, const struct fdt_bus *above)
{
    unsigned depth = above == NULL ? 0 : above->depth + 1;
    return (struct fdt_bus){above, node, depth, fdt_cell(fdt, node, "#address-cells", 2),
                            fdt_cell(fdt, node, "#size-cells", 1)};
}

static bool cells_are_numbers(const struct fdt_bus *b)
{
    return b->address_cells - 1 <= 1 && b->size_cells - 1 <= 1;
}

bool fdt_take_range(struct fdt_cells *c, const struct fdt_bus *b, struct range *where)
{
    // Nothing is left where there is no property: the analyser wants to hear it.
    if (c->left == 0 || !cells_are_numbers(b) || c->left < b->address_cells + b->size_cells) {
        return false;
    }
    where->base = fdt_take(c, b->address_cells);
    where->size = fdt_take(c, b->size_cells);
    return true;
}

// From a bus's addresses to those of the bus above it.
static bool translate(const void *fdt, const struct fdt_bus *b, struct range *where)
{
    struct fdt_cells c = fdt_cells_of(fdt, b->node, "ranges");
    uint64_t entry = (uint64_t)b->address_cells + b->above->address_cells + b->size_cells;
    if (c.left == 0) {
        return true; // the same addresses
    }
    while (entry != 0 && c.left >= entry) { // any number may stand there
        uint64_t child = fdt_take(&c, b->address_cells);
        uint64_t parent = fdt_take(&c, b->above->address_cells);
        uint64_t size = fdt_take(&c, b->size_cells);
        if (range_contains((struct range){child, size}, where->base, where->size)) {
            where->base = where->base - child + parent;
            return true;
        }
    }
    return false;
}

bool fdt_to_root(const void *fdt, const struct fdt_bus *b, struct range *where)
{
    for (; b->above != NULL; b = b->above) {
        if (!translate(fdt, b, where)) {
            return false;
        }
    }
    return true;
}

static bool covers(const void *fdt, int node, const struct fdt_bus *b, uint64_t address)
{
    struct fdt_cells c = fdt_cells_of(fdt, node, "reg");
    struct range where;
    while (fdt_take_range(&c, b, &where)) {
        if (fdt_to_root(fdt, b, &where) && range_contains(where, address, 1)) {
            return true;
        }
    }
    return false;
}

static int find_below(const void *fdt, const struct fdt_bus *b, uint64_t address)
{
    int node;
    fdt_for_each_subnode(node, fdt, b->node)
    {
        int found = -FDT_ERR_NOTFOUND;
        if (b->depth < FDT_BUS_DEPTH && fdt_getprop(fdt, node, "ranges", NULL) != NULL) {
            struct fdt_bus below = fdt_bus_of(fdt, node, b);
            found = find_below(fdt, &below, address);
        }
        if (found >= 0 || covers(fdt, node, b, address)) {
            return found >= 0 ? found : node;
        }
    }
    return -FDT_ERR_NOTFOUND;
}

int fdt_node_at(const void *fdt, uint64_t address)
{
    struct fdt_bus root = fdt_bus_of(fdt, 0, NULL);
    return find_below(fdt, &root, address);
}

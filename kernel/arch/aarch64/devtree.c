// See devtree.h.
#include "devtree.h"

#include <stddef.h>

#include <base/bits.h>
#include <base/str.h>
#include <spec/fdt.h>
#include <spec/gicv2.h>

#define CELLS_MAX 2u // of an address or a size that can be read

static uint32_t word(const void *fdt, uint64_t offset)
{
    return __builtin_bswap32(*(const uint32_t *)(const void *)((const char *)fdt + offset));
}

#define HEADER(fdt, field) word((fdt), offsetof(struct fdt_format_header, field))

static const char *string_at(const void *fdt, uint64_t offset)
{
    return (const char *)fdt + offset;
}

static bool inside(const void *fdt, uint32_t offset, uint32_t size)
{
    return range_contains((struct range){0, HEADER(fdt, total_size)}, offset, size) &&
           is_aligned(offset, 4);
}

uint32_t devtree_size(const void *fdt)
{
    return HEADER(fdt, total_size);
}

// ---- Tokens -------------------------------------------------------------------------------------------------------

// Bytes from this word to the next token; 0: no token, or it leaves the `left` bytes.
static uint64_t token_size(const void *fdt, uint64_t at, uint64_t left)
{
    uint64_t size = 4;
    switch (left < size ? 0 : word(fdt, at)) {
    case FDT_TOKEN_BEGIN:
        size += align_up(strnlen(string_at(fdt, at + 4), left - 4) + 1, 4);
        break;
    case FDT_TOKEN_PROPERTY:
        size += left < 12 ? left : align_up(8 + (uint64_t)word(fdt, at + 4), 4);
        break;
    case FDT_TOKEN_END:
    case FDT_TOKEN_NOP:
    case FDT_TOKEN_FINISH:
        break;
    default:
        return 0;
    }
    return size <= left ? size : 0;
}

// The token behind the one at `at`, of a valid tree.
static uint64_t next_token(const void *fdt, uint64_t at)
{
    return at + token_size(fdt, at, DEVTREE_MAX);
}

static bool name_is_valid(const void *fdt, uint64_t property)
{
    uint32_t offset = word(fdt, property + 8);
    uint32_t size = HEADER(fdt, strings_size);
    return offset < size &&
           strnlen(string_at(fdt, HEADER(fdt, strings) + offset), size - offset) < size - offset;
}

// One root, properties before children, everything closed.
static bool structure_is_valid(const void *fdt)
{
    uint64_t at = HEADER(fdt, structure);
    uint64_t end = at + HEADER(fdt, structure_size);
    unsigned depth = 0;
    bool begun = false;
    bool properties = false;
    for (uint64_t size; (size = token_size(fdt, at, end - at)) != 0; at += size) {
        switch (word(fdt, at)) {
        case FDT_TOKEN_BEGIN:
            if (depth == DEVTREE_DEPTH_MAX || (depth == 0 && begun)) {
                return false;
            }
            begun = true;
            properties = true;
            depth++;
            break;
        case FDT_TOKEN_END:
            if (depth-- == 0) {
                return false;
            }
            properties = false;
            break;
        case FDT_TOKEN_PROPERTY:
            if (!properties || !name_is_valid(fdt, at)) {
                return false;
            }
            break;
        case FDT_TOKEN_FINISH:
            return begun && depth == 0;
        default:
            break;
        }
    }
    return false;
}

static bool reservations_are_valid(const void *fdt)
{
    uint64_t at = HEADER(fdt, reserved_memory);
    if (!is_aligned(at, 8)) {
        return false;
    }
    for (; at + 16 <= devtree_size(fdt); at += 16) {
        if ((word(fdt, at + 8) | word(fdt, at + 12)) == 0) {
            return true;
        }
    }
    return false;
}

bool devtree_valid(const void *fdt)
{
    if (!is_aligned((uintptr_t)fdt, 8) || HEADER(fdt, magic) != FDT_MAGIC_NUMBER ||
        HEADER(fdt, version) < FDT_FORMAT_VERSION ||
        HEADER(fdt, compatible_version) > FDT_FORMAT_VERSION) {
        return false;
    }
    return devtree_size(fdt) >= sizeof(struct fdt_format_header) &&
           devtree_size(fdt) <= DEVTREE_MAX &&
           inside(fdt, HEADER(fdt, structure), HEADER(fdt, structure_size)) &&
           range_contains((struct range){0, devtree_size(fdt)}, HEADER(fdt, strings),
                          HEADER(fdt, strings_size)) &&
           structure_is_valid(fdt) && reservations_are_valid(fdt);
}

bool devtree_reservation(const void *fdt, unsigned index, struct range *out)
{
    uint64_t at = HEADER(fdt, reserved_memory) + (uint64_t)index * 16;
    out->base = (uint64_t)word(fdt, at) << 32 | word(fdt, at + 4);
    out->size = (uint64_t)word(fdt, at + 8) << 32 | word(fdt, at + 12);
    return out->size != 0;
}

// ---- Nodes --------------------------------------------------------------------------------------------------------

int devtree_next(const void *fdt, int node, int *depth)
{
    uint64_t at = node < 0 ? HEADER(fdt, structure) : next_token(fdt, (uint64_t)node);
    int level = depth == NULL || node < 0 ? -1 : *depth;
    for (;; at = next_token(fdt, at)) {
        switch (word(fdt, at)) {
        case FDT_TOKEN_BEGIN:
            if (depth != NULL) {
                *depth = level + 1;
            }
            return (int)at;
        case FDT_TOKEN_END:
            level--;
            break;
        case FDT_TOKEN_FINISH:
            return -1;
        default:
            break;
        }
    }
}

int devtree_child(const void *fdt, int parent, int after)
{
    int depth = after < 0 ? 0 : 1; // below the parent
    int node = after < 0 ? parent : after;
    while (node >= 0) {
        node = devtree_next(fdt, node, &depth);
        if (node < 0 || depth < 1) {
            return -1;
        }
        if (depth == 1) {
            return node;
        }
    }
    return -1;
}

static int parent_of(const void *fdt, int node)
{
    int above[DEVTREE_DEPTH_MAX];
    int depth = 0;
    for (int at = devtree_next(fdt, -1, &depth); at >= 0; at = devtree_next(fdt, at, &depth)) {
        above[depth] = at;
        if (at == node) {
            return depth > 0 ? above[depth - 1] : -1;
        }
    }
    return -1;
}

// The child of this name; a name without a unit address finds the first with any.
static int child_named(const void *fdt, int parent, const char *name, uint32_t length)
{
    for (int node = devtree_child(fdt, parent, -1); node >= 0;
         node = devtree_child(fdt, parent, node)) {
        const char *full = string_at(fdt, (uint64_t)node + 4);
        if (strncmp(full, name, length) == 0 && (full[length] == '\0' || full[length] == '@')) {
            return node;
        }
    }
    return -1;
}

static uint32_t component(const char *path, uint32_t length)
{
    uint32_t n = 0;
    while (n < length && path[n] != '/') {
        n++;
    }
    return n;
}

static int path_from(const void *fdt, int node, const char *path, uint32_t length)
{
    while (length > 0 && node >= 0) {
        uint32_t n = component(path, length);
        if (n > 0) {
            node = child_named(fdt, node, path, n);
        }
        n += n < length ? 1 : 0;
        path += n;
        length -= n;
    }
    return node;
}

// An alias is a property of /aliases: found by comparing names, since this one does not end in a zero.
static const char *alias(const void *fdt, const char *name, uint32_t length)
{
    char copy[32];
    if (length >= sizeof(copy)) {
        return NULL;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    return devtree_string(fdt, devtree_path(fdt, "/aliases", 8), copy);
}

int devtree_path(const void *fdt, const char *path, uint32_t length)
{
    int root = devtree_next(fdt, -1, NULL);
    if (length > 0 && path[0] == '/') {
        return path_from(fdt, root, path, length);
    }
    uint32_t n = component(path, length);
    const char *target = alias(fdt, path, n);
    if (target == NULL || target[0] != '/') {
        return -1;
    }
    return path_from(fdt, path_from(fdt, root, target, (uint32_t)strlen(target)), path + n,
                     length - n);
}

// ---- Properties ---------------------------------------------------------------------------------------------------

const void *devtree_property(const void *fdt, int node, const char *name, uint32_t *length)
{
    if (node < 0) {
        return NULL;
    }
    for (uint64_t at = next_token(fdt, (uint64_t)node);; at = next_token(fdt, at)) {
        uint32_t token = word(fdt, at);
        if (token == FDT_TOKEN_PROPERTY &&
            strcmp(string_at(fdt, (uint64_t)HEADER(fdt, strings) + word(fdt, at + 8)), name) == 0) {
            if (length != NULL) {
                *length = word(fdt, at + 4);
            }
            return string_at(fdt, at + 12);
        }
        if (token != FDT_TOKEN_PROPERTY && token != FDT_TOKEN_NOP) {
            return NULL;
        }
    }
}

const char *devtree_string(const void *fdt, int node, const char *name)
{
    uint32_t length;
    const char *value = devtree_property(fdt, node, name, &length);
    return value != NULL && strnlen(value, length) < length ? value : NULL;
}

int devtree_string_index(const void *fdt, int node, const char *name, const char *wanted)
{
    uint32_t length;
    const char *value = devtree_property(fdt, node, name, &length);
    for (int i = 0; value != NULL; i++) {
        size_t n = strnlen(value, length);
        if (n == length) {
            return -1;
        }
        if (strcmp(value, wanted) == 0) {
            return i;
        }
        value += n + 1;
        length -= (uint32_t)n + 1;
    }
    return -1;
}

bool devtree_cell(const void *fdt, int node, const char *name, unsigned index, uint32_t *value)
{
    uint32_t length;
    const void *cells = devtree_property(fdt, node, name, &length);
    bool there = cells != NULL && length / 4 > index;
    *value = there ? word(cells, (uint64_t)index * 4) : 0;
    return there;
}

bool devtree_available(const void *fdt, int node)
{
    return devtree_property(fdt, node, "status", NULL) == NULL ||
           devtree_string_index(fdt, node, "status", "okay") == 0 ||
           devtree_string_index(fdt, node, "status", "ok") == 0;
}

int devtree_find(const void *fdt, int from, const char *compatible)
{
    int node = devtree_next(fdt, from, NULL);
    while (node >= 0 && (devtree_string_index(fdt, node, "compatible", compatible) < 0 ||
                         !devtree_available(fdt, node))) {
        node = devtree_next(fdt, node, NULL);
    }
    return node;
}

// ---- Addresses and interrupts ---------------------------------------------------------------------------------------

static bool cells_of(const void *fdt, int node, const char *name, uint32_t otherwise,
                     unsigned *cells)
{
    if (!devtree_cell(fdt, node, name, 0, cells)) {
        *cells = otherwise;
    }
    return *cells <= CELLS_MAX;
}

static bool bus_cells(const void *fdt, int bus, unsigned *addresses, unsigned *sizes)
{
    return cells_of(fdt, bus, "#address-cells", 2, addresses) &&
           cells_of(fdt, bus, "#size-cells", 1, sizes);
}

static uint64_t number(const char *cells, unsigned first, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = first; i < first + count; i++) {
        value = value << 32 | word(cells, (uint64_t)i * 4);
    }
    return value;
}

// One bus up: *at, an address on the bus that `bus` makes, becomes one on the bus that it stands on.
static bool translate_up(const void *fdt, int bus, int above, uint64_t *at, uint64_t size)
{
    unsigned child, parent, sizes, unused;
    uint32_t length;
    const char *row = devtree_property(fdt, bus, "ranges", &length);
    if (row == NULL || !bus_cells(fdt, bus, &child, &sizes) ||
        !bus_cells(fdt, above, &parent, &unused)) {
        return false;
    }
    if (length == 0) {
        return true; // the same addresses
    }
    uint32_t row_bytes = (child + parent + sizes) * 4;
    for (; row_bytes != 0 && length >= row_bytes; length -= row_bytes, row += row_bytes) {
        struct range r = {number(row, 0, child), number(row, child + parent, sizes)};
        if (range_contains(r, *at, size)) {
            *at = *at - r.base + number(row, child, parent);
            return true;
        }
    }
    return false;
}

bool devtree_reg(const void *fdt, int node, unsigned index, struct range *out)
{
    unsigned addresses, sizes;
    uint32_t length;
    int bus = parent_of(fdt, node);
    const char *cells = devtree_property(fdt, node, "reg", &length);
    if (bus < 0 || cells == NULL || !bus_cells(fdt, bus, &addresses, &sizes)) {
        return false;
    }
    unsigned row = addresses + sizes;
    if (row == 0 || length / 4 / row <= index) {
        return false;
    }
    *out = (struct range){number(cells, index * row, addresses),
                          number(cells, index * row + addresses, sizes)};
    for (int above = parent_of(fdt, bus); above >= 0; above = parent_of(fdt, bus)) {
        if (!translate_up(fdt, bus, above, &out->base, out->size)) {
            return false;
        }
        bus = above;
    }
    return range_valid(*out);
}

bool devtree_interrupt(const void *fdt, int node, unsigned index, uint32_t *intid)
{
    uint32_t cells, type, line;
    if (!devtree_cell(fdt, devtree_find(fdt, -1, "arm,gic-v3"), "#interrupt-cells", 0, &cells) ||
        cells != 4) {
        cells = 3; // a fourth exists where PPIs have partitions
    }
    if (!devtree_cell(fdt, node, "interrupts", index * cells, &type) ||
        !devtree_cell(fdt, node, "interrupts", index * cells + 1, &line)) {
        return false;
    }
    *intid = line + (type == 0 ? INTID_SPI : INTID_PPI);
    return type <= 1 && line < (type == 0 ? INTID_SPI_END - INTID_SPI : INTID_SPI - INTID_PPI);
}

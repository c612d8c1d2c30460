// Devices by name: see device.h.
#include "device.h"

#include <libfdt.h>

#include <base/bits.h>
#include <base/str.h>

#define DEVICE_NAME_MAX 128u // of one name, with the final zero: longer ones match nothing

// Looks names up and remembers why a node that has one of them was not taken.
struct search {
    const void *fdt;
    device_taken_fn *taken;
    const void *context;
    bool found_taken;
};

// The next name of the list; *list moves on. False: there is none.
static bool next_name(const char **list, char name[DEVICE_NAME_MAX])
{
    const char *s = *list;
    while (*s == ' ') {
        s++;
    }
    size_t length = 0;
    while (s[length] != '\0' && s[length] != ' ') {
        length++;
    }
    *list = s + length;
    size_t copied = length < DEVICE_NAME_MAX ? length : 0;
    memcpy(name, s, copied);
    name[copied] = '\0';
    return length > 0;
}

// What the tree says in node `node`, property `property`: a name of a node, up to a colon.
static bool name_in(const void *fdt, const char *node, const char *property,
                    char name[DEVICE_NAME_MAX])
{
    int length = 0;
    int offset = fdt_path_offset(fdt, node);
    const char *value = offset < 0 ? NULL : fdt_getprop(fdt, offset, property, &length);
    if (value == NULL || length <= 0) {
        return false;
    }
    size_t i = 0;
    while (i < (size_t)length && value[i] != '\0' && value[i] != ':') {
        if (i == DEVICE_NAME_MAX - 1) {
            return false;
        }
        name[i] = value[i];
        i++;
    }
    name[i] = '\0';
    return i > 0;
}

// A node by its path or alias.
static bool find_named(const void *fdt, const char *name, struct tree_path *path)
{
    char full[DEVICE_NAME_MAX];
    if (name[0] == '/') {
        return tree_find_path(fdt, name, path);
    }
    return name_in(fdt, "/aliases", name, full) && tree_find_path(fdt, full, path);
}

static bool usable(struct search *s, const struct tree_path *path)
{
    if (!tree_enabled(s->fdt, path)) {
        return false;
    }
    bool taken = s->taken(s->context, path->at[path->depth]);
    s->found_taken |= taken;
    return !taken;
}

static bool find_compatible(struct search *s, const char *name, struct tree_path *path)
{
    path->depth = -1;
    while (tree_next(s->fdt, path)) {
        if (tree_is_compatible(s->fdt, path, name) && usable(s, path)) {
            return true;
        }
    }
    return false;
}

static bool find_one(struct search *s, const char *name, struct tree_path *path)
{
    char chosen[DEVICE_NAME_MAX];
    if (name[0] == '\0') {
        return false; // to libfdt every node is compatible with nothing
    }
    if (strcmp(name, "stdout") == 0) {
        return name_in(s->fdt, "/chosen", "stdout-path", chosen) &&
               find_named(s->fdt, chosen, path) && usable(s, path);
    }
    if (find_named(s->fdt, name, path)) {
        return usable(s, path);
    }
    return find_compatible(s, name, path);
}

static void describe(const void *fdt, struct device *d)
{
    int node = d->path.at[d->path.depth];
    const char *compatible = fdt_stringlist_get(fdt, node, "compatible", 0, NULL);
    d->compatible = compatible != NULL ? compatible : "";
    d->clock_hz = tree_clock_hz(fdt, &d->path);
    d->has_irq = tree_irq(fdt, &d->path, 0, &d->irq);
}

enum device_answer device_find(const void *fdt, const char *names, device_taken_fn *taken,
                               const void *context, struct device *out)
{
    struct search s = {.fdt = fdt, .taken = taken, .context = context};
    char name[DEVICE_NAME_MAX];
    while (next_name(&names, name)) {
        if (!find_one(&s, name, &out->path)) {
            continue;
        }
        if (!tree_reg(fdt, &out->path, 0, &out->registers)) {
            return DEVICE_NO_REGISTERS;
        }
        describe(fdt, out);
        return DEVICE_FOUND;
    }
    return s.found_taken ? DEVICE_TAKEN : DEVICE_MISSING;
}

struct range device_pages(const struct device *d)
{
    uint64_t first = align_down(d->registers.base, PAGE_SIZE);
    uint64_t last = align_down(d->registers.base + d->registers.size - 1, PAGE_SIZE);
    return (struct range){first, last - first + PAGE_SIZE};
}

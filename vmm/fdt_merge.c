// See fdt_merge.h. A node that goes is overwritten with NOPs, so that all others stay where they are while the tree is
// walked; what grows grows behind the node that is looked at.
//
// The tree comes from whoever described the VM: libfdt checks each step, and here every loop and the depth are bounded.
#include "fdt_merge.h"

#include <libfdt.h>

#include <abi/vm.h>
#include <base/bits.h>

#include "fdt_address.h"
#include "fdt_write.h"
#include "vm.h"

#define DISABLED  "disabled"
#define GIC_CELLS 3u // of an interrupt

static const char *const controllers[] = {
    "arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a9-gic",          "arm,cortex-a7-gic",
    "arm,gic-v3",         "arm,pl390",   "arm,arm1176jzf-devchip-gic",
};

// What the VM has of its own, wherever the given tree has it.
static const char *const replaced[] = {"arm,armv8-timer", "arm,armv7-timer", "arm,psci",
                                       "arm,psci-0.2",    "arm,psci-1.0",    "arm,psci-1.1"};

// What a VM doesn't have, though no register says so.
static const char *const lacking[] = {
    "arm,armv8-pmuv3",    "arm,cortex-a35-pmu", "arm,cortex-a53-pmu",
    "arm,cortex-a55-pmu", "arm,cortex-a57-pmu", "arm,cortex-a72-pmu",
    "arm,cortex-a73-pmu", "arm,cortex-a76-pmu", "arm,neoverse-n1-pmu"};

static bool is_one_of(const void *fdt, int node, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fdt_node_check_compatible(fdt, node, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has(const void *fdt, int node, const char *property)
{
    return fdt_getprop(fdt, node, property, NULL) != NULL;
}

// ---- Facts ------------------------------------------------------------------------------------------------------

static int find_controller(const void *fdt)
{
    for (int node = fdt_next_node(fdt, -1, NULL); node >= 0;
         node = fdt_next_node(fdt, node, NULL)) {
        if (is_one_of(fdt, node, controllers, ARRAY_SIZE(controllers))) {
            return node;
        }
    }
    return -FDT_ERR_NOTFOUND;
}

const char *fdt_merge_facts(const void *fdt, struct fdt_writer *w)
{
    uint32_t highest;
    if (fdt_find_max_phandle(fdt, &highest) != 0 || highest > FDT_MAX_PHANDLE - 2) {
        return "its phandles are damaged";
    }
    w->address_cells = fdt_cell(fdt, 0, "#address-cells", 2);
    w->size_cells = fdt_cell(fdt, 0, "#size-cells", 1);
    if (w->address_cells - 1 > 1 || w->size_cells - 1 > 1) {
        return "#address-cells and #size-cells of its root have to be 1 or 2";
    }
    int controller = find_controller(fdt);
    if (controller >= 0 && fdt_cell(fdt, controller, "#interrupt-cells", 0) != GIC_CELLS) {
        return "#interrupt-cells of its interrupt controller has to be 3";
    }
    int clock = fdt_path_offset(fdt, "/apb-pclk");
    w->interrupts = controller < 0 ? 0 : fdt_get_phandle(fdt, controller);
    w->clock = clock < 0 ? 0 : fdt_get_phandle(fdt, clock);
    w->interrupts = w->interrupts == 0 ? highest + 1 : w->interrupts;
    w->clock = w->clock == 0 ? highest + 2 : w->clock;
    return NULL;
}

// ---- Addresses --------------------------------------------------------------------------------------------------

static bool vm_has(const struct vm *vm, struct range where)
{
    struct range ram = {vm->config->ram_ipa, vm->config->ram_size};
    if (range_contains(ram, where.base, where.size)) {
        return true;
    }
    const struct bus_range *there = bus_find(&vm->bus, where.base);
    return there != NULL && range_contains(there->where, where.base, where.size);
}

// ---- Taking away ------------------------------------------------------------------------------------------------

struct merge {
    const struct vm *vm;
    void *fdt;
    const void *own;
    int error;
};

// Has the VM's own tree a node at this address?
static bool own_describes(const struct merge *m, uint64_t address)
{
    unsigned cells = fdt_cell(m->own, 0, "#address-cells", 2);
    int node;
    fdt_for_each_subnode(node, m->own, 0)
    {
        struct fdt_cells c = fdt_cells_of(m->own, node, "reg");
        if (c.left >= cells && fdt_take(&c, cells) == address) {
            return true;
        }
    }
    return false;
}

enum verdict {
    KEEP,
    DESCEND, // keep, and look at its children
    DISABLE,
    DROP,
};

static enum verdict judge_registers(const struct merge *m, int node, const struct fdt_bus *b)
{
    struct fdt_cells c = fdt_cells_of(m->fdt, node, "reg");
    struct range where;
    while (fdt_take_range(&c, b, &where)) {
        if (!fdt_to_root(m->fdt, b, &where)) {
            return DISABLE;
        }
        if (own_describes(m, where.base)) {
            return DROP;
        }
        if (!vm_has(m->vm, where)) {
            return DISABLE;
        }
    }
    return KEEP;
}

static bool is_memory(const void *fdt, int node)
{
    int length;
    const char *type = fdt_getprop(fdt, node, "device_type", &length);
    return type != NULL && length == sizeof("memory") &&
           memcmp(type, "memory", sizeof("memory")) == 0;
}

static enum verdict judge(const struct merge *m, int node, const struct fdt_bus *b)
{
    const char *name = fdt_get_name(m->fdt, node, NULL);
    bool top = b->above == NULL;
    if (name == NULL || (top && (strcmp(name, "cpus") == 0 || is_memory(m->fdt, node)))) {
        return DROP;
    }
    if (is_one_of(m->fdt, node, controllers, ARRAY_SIZE(controllers)) ||
        is_one_of(m->fdt, node, replaced, ARRAY_SIZE(replaced))) {
        return DROP;
    }
    if (is_one_of(m->fdt, node, lacking, ARRAY_SIZE(lacking))) {
        return DISABLE;
    }
    enum verdict v = judge_registers(m, node, b);
    if (v == KEEP && has(m->fdt, node, "ranges")) {
        return b->depth < FDT_BUS_DEPTH ? DESCEND : DISABLE;
    }
    return v;
}

static void note(struct merge *m, int result)
{
    if (m->error == 0 && result < 0) {
        m->error = result;
    }
}

static void take_away(struct merge *m, const struct fdt_bus *b)
{
    int node = fdt_first_subnode(m->fdt, b->node);
    while (node >= 0 && m->error == 0) {
        enum verdict v = judge(m, node, b);
        int next = 0;
        if (v == DROP) { // its place holds NOPs afterwards: nothing to ask for the next from
            next = fdt_next_subnode(m->fdt, node);
            note(m, fdt_nop_node(m->fdt, node));
        } else {
            if (v == DISABLE) {
                note(m, fdt_setprop(m->fdt, node, "status", DISABLED, sizeof(DISABLED)));
            } else if (v == DESCEND) {
                struct fdt_bus below = fdt_bus_of(m->fdt, node, b);
                take_away(m, &below);
            }
            next = fdt_next_subnode(m->fdt, node);
        }
        node = next;
    }
}

// ---- Loose ends -------------------------------------------------------------------------------------------------

// Is what a path or an alias names there, and not disabled? Options may follow a path behind a colon.
static bool path_works(const void *fdt, const char *path, int length)
{
    int end = 0;
    while (end < length && path[end] != '\0' && path[end] != ':') {
        end++;
    }
    int node = fdt_path_offset_namelen(fdt, path, end);
    if (node < 0) {
        return false;
    }
    const char *status = fdt_getprop(fdt, node, "status", &length);
    return status == NULL || strncmp(status, DISABLED, (size_t)length) != 0;
}

// An alias is a whole path. libfdt would follow one that names another alias, or itself, for ever.
static bool alias_works(const void *fdt, const char *path, int length)
{
    return length > 1 && path[0] == '/' && path[length - 1] == '\0' &&
           path_works(fdt, path, length);
}

// From the first again after each that goes: they are few.
static void drop_dead_aliases(struct merge *m)
{
    int node = fdt_path_offset(m->fdt, "/aliases");
    int property = node < 0 ? node : fdt_first_property_offset(m->fdt, node);
    while (property >= 0 && m->error == 0) {
        int length;
        const char *name;
        const char *path = fdt_getprop_by_offset(m->fdt, property, &name, &length);
        if (path == NULL) {
            note(m, length);
        } else if (alias_works(m->fdt, path, length)) {
            property = fdt_next_property_offset(m->fdt, property);
        } else {
            note(m, fdt_delprop(m->fdt, node, name));
            property = fdt_first_property_offset(m->fdt, node);
        }
    }
}

// When all aliases work.
static void drop_dead_console(struct merge *m)
{
    int node = fdt_path_offset(m->fdt, "/chosen");
    int length;
    const char *path = node < 0 ? NULL : fdt_getprop(m->fdt, node, "stdout-path", &length);
    if (path != NULL && !path_works(m->fdt, path, length)) {
        note(m, fdt_delprop(m->fdt, node, "stdout-path"));
    }
}

static void drop_property(struct merge *m, const char *node_path, const char *name)
{
    int node = fdt_path_offset(m->fdt, node_path);
    if (node >= 0 && has(m->fdt, node, name)) {
        note(m, fdt_delprop(m->fdt, node, name));
    }
}

// ---- Adding -----------------------------------------------------------------------------------------------------

// Where the given tree has a say.
static bool given_wins(const char *node, const char *property)
{
    return node[0] == '\0' || strcmp(node, "aliases") == 0 || strcmp(property, "stdout-path") == 0;
}

static void add_properties(struct merge *m, int to, int from)
{
    const char *node = fdt_get_name(m->own, from, NULL);
    int property;
    fdt_for_each_property_offset(property, m->own, from)
    {
        const char *name;
        int length;
        const void *value = fdt_getprop_by_offset(m->own, property, &name, &length);
        if (value != NULL && !(given_wins(node, name) && has(m->fdt, to, name))) {
            note(m, fdt_setprop(m->fdt, to, name, value, length));
        }
    }
}

static void add_children(struct merge *m, int to, int from);

static void add_node(struct merge *m, int parent, int from)
{
    const char *name = fdt_get_name(m->own, from, NULL);
    int to = fdt_subnode_offset(m->fdt, parent, name);
    if (to < 0) {
        to = fdt_add_subnode(m->fdt, parent, name);
    }
    note(m, to);
    if (to >= 0) {
        add_properties(m, to, from);
        add_children(m, to, from);
    }
}

// The last one first: libfdt puts a new node before its sisters. The VM's own tree has few, and two levels.
static void add_siblings(struct merge *m, int to, int from)
{
    if (from >= 0 && m->error == 0) {
        add_siblings(m, to, fdt_next_subnode(m->own, from));
        add_node(m, to, from);
    }
}

static void add_children(struct merge *m, int to, int from)
{
    add_siblings(m, to, fdt_first_subnode(m->own, from));
}

int fdt_merge(const struct vm *vm, void *fdt, const void *own)
{
    struct merge m = {vm, fdt, own, 0};
    struct fdt_bus root = fdt_bus_of(fdt, 0, NULL);
    take_away(&m, &root);
    drop_dead_aliases(&m);
    drop_dead_console(&m);
    drop_property(&m, "/chosen", "linux,initrd-start");
    drop_property(&m, "/chosen", "linux,initrd-end");
    add_properties(&m, 0, 0);
    add_children(&m, 0, 0);
    return m.error;
}

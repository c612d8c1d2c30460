// See lower.h. Works on the tree of elements, after it was parsed: elements are added to the root, then parsed like the
// others.
#include "lower.h"

#include <string.h>

#include <abi/serial.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "guest.h"
#include "parse.h"

#define NAME_MOST                                                                                  \
    48u // bytes, so that there is room for what is appended to make names of its regions
#define LINKS_MOST      9u  // clients of the serial mux
#define ATTRIBUTES_MOST 16u // of one element
#define UARTS           "stdout serial0 arm,pl011 cdns,uart-r1p12 xlnx,xuartps"

// Where processes have what they share.
#define WIRE_VADDR   0x20000000u // of a driver, a mux, a VMM
#define CLIENT_VADDR 0x20010000u // of the mux's first client, and so on
#define CONFIG_VADDR 0x20100000u
#define UART_VADDR   0x10000000u

typedef unsigned long long ull;

struct lower {
    struct model *m;
    struct arena *arena;
    struct xml *root;
    uint64_t cores;
    const struct xml *origin; // what new elements come from
    uint32_t consoles;        // so far
    uint32_t links;           // so far: consoles count as if all were there
    const char *mux_config;
};

// Elements.

static struct xml *add(struct lower *l, struct xml *parent, const char *name)
{
    struct xml *x = arena_alloc(l->arena, sizeof(*x));
    x->name = name;
    x->offset = l->origin->offset;
    x->parent = parent;
    x->attributes = arena_alloc(l->arena, ATTRIBUTES_MOST * sizeof(x->attributes[0]));
    *(parent->last_child == NULL ? &parent->first_child : &parent->last_child->next) = x;
    parent->last_child = x;
    return x;
}

// Sets an attribute that comes from attribute `of` of element `from`.
static void set_from(struct xml *x, const char *name, const char *value, const struct xml *from,
                     const char *of)
{
    size_t offset = xml_at(from, of); // `from` may be `x`
    x->attributes[x->attribute_count++] = (struct xml_attribute){name, value, offset};
}

static void set(struct lower *l, struct xml *x, const char *name, const char *value)
{
    set_from(x, name, value, l->origin, name);
}

static void set_number(struct lower *l, struct xml *x, const char *name, uint64_t value)
{
    set(l, x, name, arena_format(l->arena, "%llu", (ull)value));
}

static void set_address(struct lower *l, struct xml *x, const char *name, uint64_t value)
{
    set(l, x, name, arena_format(l->arena, "0x%llx", (ull)value));
}

// Hands on what the short form says, if it does.
static void set_given(struct lower *l, struct xml *x, const char *name)
{
    const struct xml_attribute *given = xml_attribute(l->origin, name);
    if (given != NULL) {
        set(l, x, name, given->value);
    }
}

static struct xml *add_text(struct lower *l, struct xml *parent, const char *name, const char *text)
{
    struct xml *x = add(l, parent, name);
    x->text_size = strlen(text);
    x->text = arena_copy(l->arena, text, x->text_size);
    return x;
}

static struct xml *add_process(struct lower *l, const char *name, uint64_t priority,
                               const char *program)
{
    struct xml *x = add(l, l->root, "protection_domain");
    set(l, x, "name", name);
    set_number(l, x, "priority", priority);
    set(l, add(l, x, "program_image"), "path", program);
    return x;
}

static struct xml *add_map(struct lower *l, struct xml *parent, const char *region, uint64_t vaddr,
                           const char *perms)
{
    struct xml *x = add(l, parent, "map");
    set(l, x, "mr", region);
    set_address(l, x, "vaddr", vaddr);
    set(l, x, "perms", perms);
    return x;
}

static void add_serial_region(struct lower *l, const char *name)
{
    struct xml *x = add(l, l->root, "memory_region");
    set(l, x, "name", name);
    set_address(l, x, "size", SERIAL_REGION_SIZE);
}

static struct xml *add_end(struct lower *l, struct xml *channel, const char *process, uint64_t id)
{
    struct xml *x = add(l, channel, "end");
    set(l, x, "pd", process);
    set_number(l, x, "id", id);
    return x;
}

// Returns the upper end.
static struct xml *add_channel(struct lower *l, const char *upper, uint64_t upper_id,
                               const char *lower, uint64_t lower_id)
{
    struct xml *x = add(l, l->root, "channel");
    struct xml *end = add_end(l, x, upper, upper_id);
    add_end(l, x, lower, lower_id);
    return end;
}

// What consoles need.

static void add_driver(struct lower *l, const char *wire)
{
    struct xml *uart = add(l, l->root, "memory_region");
    set(l, uart, "name", "uart");
    set(l, uart, "device", UARTS);

    struct xml *driver = add_process(l, "uart_driver", GUEST_DRIVER_PRIORITY, "uart_driver.elf");
    set(l, add_map(l, driver, "uart", UART_VADDR, "rw"), "cached", "false");
    set(l, add_map(l, driver, wire, WIRE_VADDR, "rw"), "setvar_vaddr", "wire");
    struct xml *irq = add(l, driver, "irq");
    set(l, irq, "device", "uart");
    set(l, irq, "id", "0");
}

static struct xml *add_mux(struct lower *l)
{
    add_serial_region(l, "wire");
    add_driver(l, "wire");
    struct xml *mux = add_process(l, "serial_mux", GUEST_MUX_PRIORITY, "serial_mux.elf");
    set(l, mux, "power", "true");
    set(l, add_map(l, mux, "wire", WIRE_VADDR, "rw"), "setvar_vaddr", "driver");
    add_channel(l, "serial_mux", 0, "uart_driver", 1);
    return mux;
}

static void add_mux_config(struct lower *l, struct xml *mux)
{
    struct xml *region = add(l, l->root, "memory_region");
    set(l, region, "name", "mux_config");
    add_text(l, region, "prefill", l->mux_config);
    struct xml *map = add_map(l, mux, "mux_config", CONFIG_VADDR, "r");
    set(l, map, "setvar_vaddr", "config");
    set(l, map, "setvar_prefill_size", "config_size");
}

// `mux`: null if there is only this one. The mux's first clients are consoles: whom one types at is one of them.
static void add_link(struct lower *l, const struct guest *g, struct xml *vmm, struct xml *mux)
{
    const char *region = arena_format(l->arena, g->console ? "%s_console" : "%s_log", g->name);
    uint32_t number = g->console ? ++l->consoles : ++l->links;
    add_serial_region(l, region);
    set(l, add_map(l, vmm, region, WIRE_VADDR, "rw"), "setvar_vaddr", "serial_region");
    if (mux == NULL) {
        add_driver(l, region);
        add_channel(l, g->name, 0, "uart_driver", 1);
        return;
    }
    uint64_t vaddr = CLIENT_VADDR + (number - 1) * 0x10000u;
    set(l, add_map(l, mux, region, vaddr, "rw"), "setvar_vaddr",
        arena_format(l->arena, "client%u", number));
    struct xml *end = add_channel(l, g->name, 0, "serial_mux", number);
    if (!g->console) {
        set(l, end, "setvar_id", "serial_channel");
    }
    l->mux_config = arena_format(l->arena, "%sname %u %.*s\n", l->mux_config, number,
                                 (int)SERIAL_NAME_MAX - 1, g->name);
}

// Virtual machines.

static void add_ram(struct lower *l, const struct guest *g, struct xml *vmm, struct xml *vm)
{
    const char *name = arena_format(l->arena, "%s_ram", g->name);
    struct xml *region = add(l, l->root, "memory_region");
    set(l, region, "name", name);
    set_from(region, "size", arena_format(l->arena, "0x%llx", (ull)g->memory), l->origin, "memory");
    set_address(l, region, "page_size", LARGE_PAGE_SIZE);
    add_map(l, vmm, name, VM_MEMORY, "rw");
    add_map(l, vm, name, GUEST_RAM_IPA, "rwx");
    set(l, vm, "ram", name);
}

// What: "kernel", "initrd" or "dtb".
static void add_image(struct lower *l, const struct guest *g, struct xml *vmm, struct xml *vm,
                      const char *what, unsigned number)
{
    const struct guest_file *file = model_child(l->m, KIND_GUEST_FILE, &g->node, what);
    if (file == NULL || *file->path == '\0') {
        return;
    }
    const char *name = arena_format(l->arena, "%s_%s", g->name, what);
    struct xml *region = add(l, l->root, "memory_region");
    set(l, region, "name", name);
    set_from(region, "prefill_path", file->path, file->node.xml, "path");
    add_map(l, vmm, name, GUEST_IMAGES + number * GUEST_IMAGE_STRIDE, "r");
    set(l, vm, what, name);
}

static void add_vcpus(struct lower *l, const struct guest *g, struct xml *vm)
{
    for (uint64_t i = 0; i < g->cpus; i++) {
        struct xml *vcpu = add(l, vm, "vcpu");
        set_number(l, vcpu, "id", i);
        set_number(l, vcpu, "cpu", (g->cpu + i) % l->cores);
    }
}

static void lower_guest(struct lower *l, const struct guest *g, struct xml *mux)
{
    static const char *const handed_on[] = {"budget",   "period",   "on_reset", "on_poweroff",
                                            "on_crash", "restarts", "window",   "trace"};
    l->origin = g->node.xml;
    struct xml *vmm = add_process(l, g->name, g->priority + 1, "vmm.elf");
    set_number(l, vmm, "cpu", g->cpu);
    set_address(l, vmm, "stack_size", VM_STACK_SIZE);
    struct xml *vm = add(l, vmm, "virtual_machine");
    set(l, vm, "name", g->name);
    set_number(l, vm, "priority", g->priority);
    for (size_t i = 0; i < ARRAY_SIZE(handed_on) && !g->node.broken; i++) {
        set_given(l, vm, handed_on[i]);
    }
    add_ram(l, g, vmm, vm);
    add_image(l, g, vmm, vm, "kernel", 0);
    add_image(l, g, vmm, vm, "initrd", 1);
    add_image(l, g, vmm, vm, "dtb", 2);
    if (g->link) {
        add_link(l, g, vmm, mux);
    }
    if (g->console) {
        set(l, vm, "console", "0");
    }
    add_vcpus(l, g, vm);
    const struct text_element *cmdline = model_child(l->m, KIND_CMDLINE, &g->node, "cmdline");
    if (cmdline != NULL && !cmdline->node.broken) {
        add_text(l, vm, "cmdline", cmdline->text)->offset = cmdline->node.xml->offset;
    }
}

// Mistakes that would show up several times in what comes of the short form, or not at their place.

static void check_name(struct model *m, struct guest *g, struct names *names)
{
    const struct xml *x = g->node.xml;
    uint32_t errors = m->diag->errors;
    if (strlen(g->name) > NAME_MOST) {
        diag_error(m->diag, xml_at(x, "name"),
                   "name '%.64s' is too long for a virtual machine at the root, use at most %u "
                   "bytes",
                   g->name, NAME_MOST);
    }
    const struct guest *first = *g->name == '\0' ? NULL : names_add(names, g->name, g);
    if (first != NULL) {
        diag_error(m->diag, xml_at(x, "name"),
                   "virtual machine '%s' is defined already in line %u, rename one of the two",
                   g->name, source_line(m->diag->source, first->node.xml->offset));
    }
    g->left_out = *g->name == '\0' || m->diag->errors > errors;
}

static void check_values(struct model *m, struct guest *g, uint64_t cores)
{
    const struct xml *x = g->node.xml;
    if (!is_aligned(g->memory, LARGE_PAGE_SIZE)) {
        diag_error(m->diag, xml_at(x, "memory"),
                   "memory 0x%llx is not a multiple of 2M, use 0x%llx", (ull)g->memory,
                   (ull)align_up(g->memory, LARGE_PAGE_SIZE));
        g->memory = align_up(g->memory, LARGE_PAGE_SIZE);
    }
    if (g->cpu >= cores) {
        diag_error(m->diag, xml_at(x, "cpu"),
                   "cpu %llu does not exist on a machine of %llu cores, use 0..%llu", (ull)g->cpu,
                   (ull)cores, (ull)cores - 1);
        g->cpu = 0;
    }
}

static void check_console(struct model *m, struct guest *g)
{
    const struct xml *console = xml_child(g->node.xml, "console");
    g->link = g->console = console != NULL && m->consoles < LINKS_MOST;
    m->consoles += g->console;
    if (console != NULL && !g->console) {
        diag_error(m->diag, console->offset,
                   "the serial mux serves at most %u consoles, remove this one", LINKS_MOST);
    }
}

// Where a guest has a console, the kernel's is off: the other guests' VMMs get links, too, as long as there are any.
static void find_links(struct model *m)
{
    const struct table *t = model_table(m, KIND_GUEST);
    m->links = m->consoles;
    for (struct guest *g = table_first(t); g != NULL && m->consoles > 0; g = table_next(t, g)) {
        if (!g->left_out && !g->console && m->links < LINKS_MOST) {
            g->link = true;
            m->links++;
        }
    }
}

static void check_guests(struct model *m, uint64_t cores)
{
    struct names names;
    names_init(&names, m->arena);
    const struct table *t = model_table(m, KIND_GUEST);
    for (struct guest *g = table_first(t); g != NULL; g = table_next(t, g)) {
        check_name(m, g, &names);
        check_values(m, g, cores);
        if (!g->left_out) {
            check_console(m, g);
        }
    }
    find_links(m);
}

// The root.

static void remove_guests(struct xml *root, const struct table *guests)
{
    struct xml *child = root->first_child;
    root->first_child = root->last_child = NULL;
    const struct guest *g = table_first(guests);
    for (struct xml *next; child != NULL; child = next) {
        next = child->next;
        child->next = NULL;
        if (g != NULL && g->node.xml == child) {
            g = table_next(guests, g);
            continue;
        }
        *(root->last_child == NULL ? &root->first_child : &root->last_child->next) = child;
        root->last_child = child;
    }
}

// The UART is the driver's: unless the description has something to say about it, the kernel leaves it alone.
static void silence_kernel(struct lower *l)
{
    struct system *system = table_first(model_table(l->m, KIND_SYSTEM));
    struct xml *root = l->root;
    if (xml_has(root, "console")) {
        return;
    }
    struct xml_attribute *attributes =
        arena_alloc(l->arena, (root->attribute_count + 1) * sizeof(attributes[0]));
    memcpy(attributes, root->attributes, root->attribute_count * sizeof(attributes[0]));
    root->attributes = attributes;
    set_from(root, "console", "off", root, "");
    system->console = false;
}

void lower_system(struct model *m, struct xml *root, uint64_t cores)
{
    const struct table *guests = model_table(m, KIND_GUEST);
    const struct guest *first = table_first(guests);
    struct lower l = {.m = m, .arena = m->arena, .root = root, .mux_config = ""};
    l.cores = cores == 0 ? GUEST_CORES_DEFAULT : cores;
    if (first == NULL) {
        return;
    }
    check_guests(m, l.cores);
    remove_guests(root, guests);
    const struct xml *last = root->last_child;
    l.origin = first->node.xml;
    l.links = m->consoles;
    struct xml *mux = m->links > 1 ? add_mux(&l) : NULL;
    for (const struct guest *g = first; g != NULL; g = table_next(guests, g)) {
        if (!g->left_out) {
            lower_guest(&l, g, mux);
        }
    }
    if (mux != NULL) {
        add_mux_config(&l, mux);
    }
    if (m->consoles > 0) {
        silence_kernel(&l);
    }
    for (const struct xml *x = last == NULL ? root->first_child : last->next; x != NULL;
         x = x->next) {
        parse_more(m, x);
    }
}

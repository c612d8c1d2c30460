// What a description says, as structs: one per element, with the attributes' values. parse.c fills them in from
// schema.c's tables, check.c resolves the names in them to pointers, place.c adds what programs and files decide.
//
// Every struct begins with a `struct node`, and the model holds a table of them per kind, in the order of the
// document: a process stands before its children.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/process.h>

#include "diag.h"
#include "names.h"
#include "xml.h"

struct node {
    const struct xml *xml;
    struct node *parent; // null for the root
    uint32_t index;      // in its table
    bool broken;         // parsing found mistakes in it
};

struct table {
    void **nodes; // arena
    uint32_t count;
    uint32_t capacity;
};

// Iterates: for (struct map *m = table_first(t); m != NULL; m = table_next(t, m)).
static inline void *table_first(const struct table *t)
{
    return t->count == 0 ? NULL : t->nodes[0];
}

static inline void *table_next(const struct table *t, const void *node)
{
    uint32_t next = ((const struct node *)node)->index + 1;
    return next < t->count ? t->nodes[next] : NULL;
}

// What an optional number holds when the description doesn't give it.
#define ID_NONE          UINT64_MAX
#define ADDRESS_NONE     UINT64_MAX
#define CPU_OF_PROCESS   UINT64_MAX // until check.c puts the VMM's cpu there
#define PERIOD_OF_BUDGET UINT64_MAX // until check.c puts the budget there

#define DOMAIN_MAX   16u
#define SCHEDULE_MAX 100u

// <system>
struct system {
    struct node node;
    bool console;
};

// <protection_domain>
struct process {
    struct node node;
    const char *name;
    uint64_t priority;
    uint64_t budget; // microseconds
    uint64_t period; // microseconds
    uint64_t stack_size;
    uint64_t cpu;
    uint64_t id; // as a child
    bool passive;
    bool fpu;
    bool smc;
    bool power;
    const char *domain;
    const char *setvar_id;
    uint32_t device_maps;    // how many maps are of devices
    struct process *parent;  // null: at the root
    struct image *image;     // its <program_image>
    struct vm *vm;           // its <virtual_machine>, or null
    struct program *program; // the image's ELF file, while building
    // Who uses an id, a child id, a <cspace> slot: found by check_ids.
    struct node *ids[CHANNEL_MAX];       // irq or end
    struct node *child_ids[CHANNEL_MAX]; // process or vcpu
    struct node *slots[USER_SLOT_MAX];   // share
};

// <program_image>
struct image {
    struct node node;
    const char *path;
    const char *path_for_symbols;
};

// <map>, of a process or of a VM
struct map {
    struct node node;
    const char *mr;
    uint64_t vaddr;
    uint64_t perms; // enum map_flags
    bool cached;
    const char *setvar_vaddr;
    const char *setvar_size;
    const char *setvar_prefill_size;
    struct region *region;
};

// <irq>
struct irq {
    struct node node;
    uint64_t number; // INTID, unless `device` is given
    uint64_t id;
    uint64_t trigger; // enum irq_trigger
    const char *device;
    uint64_t index;
    const char *setvar_id;
    struct region *region; // of `device`
};

// <setvar>
struct setvar {
    struct node node;
    const char *symbol;
    const char *region_paddr;
    struct region *region;
};

// <cap_tcb>, <cap_sc>, <cap_vspace>
struct share {
    struct node node;
    uint64_t slot;
    const char *pd;
    uint32_t kind; // enum bundle_share_kind
    struct process *of;
};

// What a virtual machine's program needs of a region: found by check_vm_memory.
struct vm_part {
    const char *mr; // as the attribute names it, or null
    struct region *region;
    uint64_t vaddr; // where the VMM maps it
};

// <virtual_machine> in a protection domain
struct vm {
    struct node node;
    const char *name;
    uint64_t priority;
    uint64_t budget;
    uint64_t period;
    uint64_t id; // the older form, without <vcpu>
    struct vm_part ram;
    struct vm_part kernel;
    struct vm_part initrd;
    struct vm_part dtb;
    uint64_t ram_ipa;  // where the guest has it
    uint64_t console;  // channel id of the VMM, ID_NONE: none
    uint64_t on_reset; // enum vm_policy
    uint64_t on_poweroff;
    uint64_t on_crash;
    uint64_t restarts;
    uint64_t window;     // seconds
    uint64_t trace;      // enum vm_flags
    const char *cmdline; // on one line; empty: none
};

// <virtual_machine> at the root: lower.c makes a protection domain with one of the above of it.
struct guest {
    struct node node;
    const char *name;
    uint64_t cpus;
    uint64_t memory;
    uint64_t priority;
    uint64_t budget;
    uint64_t period;
    uint64_t cpu;      // of its first vcpu
    uint64_t on_reset; // enum vm_policy
    uint64_t on_poweroff;
    uint64_t on_crash;
    uint64_t restarts;
    uint64_t window;
    uint64_t trace;
    bool console;  // it has one: found by lower_system
    bool link;     // its VMM has a serial link: its console's, or for what the VMM says
    bool left_out; // its name is of no use
};

// <kernel>, <initrd>, <dtb>
struct guest_file {
    struct node node;
    const char *path;
};

// <cmdline>, <prefill>
struct text_element {
    struct node node;
    const char *text;
};

// <vcpu>
struct vcpu {
    struct node node;
    uint64_t id;
    uint64_t cpu;
    const char *setvar_id;
};

// <memory_region>
struct region {
    struct node node;
    const char *name;
    uint64_t size;      // 0: not given
    uint64_t page_size; // 0: not given; chosen by place.c
    uint64_t paddr;     // ADDRESS_NONE: anywhere
    const char *prefill_path;
    const char *prefill_bootinfo;
    const char *device;              // candidates
    const struct text_element *text; // its <prefill>, or null
    bool used;                       // something maps it
    struct vm *image_of;    // a virtual machine starts from it: it stays where it lies in the image
    bool is_kernel;         // of image_of
    const uint8_t *prefill; // the file's bytes, while building
    uint64_t prefill_size;
};

// <channel> and its two <end>s
struct channel {
    struct node node;
    struct end *end[2];
    uint32_t end_count;
};

struct end {
    struct node node;
    const char *pd;
    uint64_t id;
    bool pp;     // may call the other end
    bool notify; // may notify the other end
    const char *setvar_id;
    struct process *process;
};

// <io_address_space> and <iomap>
struct iospace {
    struct node node;
    const char *name;
    const char *peripheral_id;
    uint64_t domain_id;
};

struct iomap {
    struct node node;
    const char *mr;
    uint64_t iovaddr;
    uint64_t perms;
};

// <domain>, <domain_schedule>, <schedule_entry>
struct domain {
    struct node node;
    const char *name;
    uint64_t id;
};

struct schedule {
    struct node node;
    uint64_t start_index;
    uint64_t index_shift;
};

struct schedule_entry {
    struct node node;
    const char *domain;
    const char *duration;
};

enum kind {
    KIND_NONE, // nothing in it to remember
    KIND_SYSTEM,
    KIND_PROCESS,
    KIND_IMAGE,
    KIND_MAP,
    KIND_IRQ,
    KIND_SETVAR,
    KIND_CSPACE,
    KIND_SHARE,
    KIND_VM,
    KIND_GUEST,
    KIND_GUEST_FILE,
    KIND_CMDLINE,
    KIND_PREFILL,
    KIND_VCPU,
    KIND_REGION,
    KIND_CHANNEL,
    KIND_END,
    KIND_IOSPACE,
    KIND_IOMAP,
    KIND_DOMAINS,
    KIND_DOMAIN,
    KIND_SCHEDULE,
    KIND_SCHEDULE_ENTRY,
    KIND_PATCH, // struct patch: found by place_system
    KIND_COUNT
};

struct model {
    struct arena *arena;
    struct diag *diag;
    struct table tables[KIND_COUNT];
    struct names processes; // by name: found by check_names
    struct names regions;
    struct assignment *assignments; // found by assign_collect
    uint32_t assignment_count;
    uint32_t consoles; // of guests at the root
    uint32_t links;    // of their VMMs: consoles, and what guests without one have instead
};

static inline const struct table *model_table(const struct model *m, enum kind kind)
{
    return &m->tables[kind];
}

// A zeroed node of `size` bytes at the end of its table.
void *model_add(struct model *m, enum kind kind, size_t size, const struct xml *xml,
                struct node *parent);

// Puts into each element the pointers to those it stands in and those that stand in it.
void model_link(struct model *m);

// The first element called `name` that stands in `parent`, or null.
void *model_child(const struct model *m, enum kind kind, const struct node *parent,
                  const char *name);

// Is a region filled when the system starts?
bool model_is_prefilled(const struct region *r);

// The process that a node stands in (a map of a VM: its VMM).
struct process *model_owner(const struct node *node);

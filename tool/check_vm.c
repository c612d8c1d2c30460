// Checks of virtual machines and of what their programs need: see check.h.
#include "check.h"

#include <string.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <abi/vm.h>
#include <base/bits.h>

typedef unsigned long long ull;

// Vcpus.

static bool has_vcpu(const struct model *m, const struct vm *vm)
{
    return model_child(m, KIND_VCPU, &vm->node, "vcpu") != NULL;
}

// The older form gives the only vcpu's id at the VM itself.
static void check_vcpu_form(struct model *m, struct vm *vm)
{
    const struct xml *x = vm->node.xml;
    if (xml_has(x, "id") && has_vcpu(m, vm)) {
        diag_error(m->diag, xml_at(x, "id"),
                   "'%s' has both an id of the older form and <vcpu>, remove the id", vm->name);
    } else if (!xml_has(x, "id") && !has_vcpu(m, vm)) {
        diag_error(m->diag, x->offset, "'%s' has no <vcpu>, give it at least one", vm->name);
    } else if (!has_vcpu(m, vm)) {
        struct vcpu *vcpu = model_add(m, KIND_VCPU, sizeof(*vcpu), x, &vm->node);
        vcpu->id = vm->id;
        vcpu->cpu = CPU_OF_PROCESS;
    }
}

void check_vms(struct model *m, uint64_t cores)
{
    const struct table *t = model_table(m, KIND_VM);
    for (struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        check_time(m, &vm->node, vm->budget, &vm->period);
        check_vcpu_form(m, vm);
    }
    t = model_table(m, KIND_VCPU);
    for (struct vcpu *vcpu = table_first(t); vcpu != NULL; vcpu = table_next(t, vcpu)) {
        if (vcpu->cpu == CPU_OF_PROCESS) {
            vcpu->cpu = model_owner(&vcpu->node)->cpu;
        } else {
            check_cpu(m, &vcpu->node, vcpu->cpu, cores);
        }
    }
}

// Memory. `attribute` names the part: "ram", "kernel", "initrd" or "dtb".

static const struct map *find_map(const struct model *m, const struct region *r,
                                  const struct node *parent)
{
    const struct table *t = model_table(m, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        if (map->region == r && map->node.parent == parent) {
            return map;
        }
    }
    return NULL;
}

// Finds the region, and where the VMM has it. False if it can't be used.
static bool check_part(struct model *m, struct vm *vm, const char *attribute, struct vm_part *part)
{
    const struct node *vmm = vm->node.parent;
    part->region = part->mr == NULL ? NULL : check_region(m, &vm->node, attribute, part->mr);
    if (part->region == NULL) {
        return false;
    }
    const struct map *map = find_map(m, part->region, vmm);
    if (map == NULL) {
        diag_error(m->diag, xml_at(vm->node.xml, attribute),
                   "'%s' does not map '%s', add a <map> to the protection domain",
                   ((const struct process *)vmm)->name, part->region->name);
        return false;
    }
    part->vaddr = map->vaddr;
    return true;
}

static void check_ram_perms(struct model *m, const struct vm *vm, const struct map *map)
{
    const uint64_t both = MAP_READ | MAP_WRITE;
    if (map != NULL && (map->perms & both) != both) {
        diag_error(m->diag, xml_at(map->node.xml, "perms"), "'%s' is the RAM of '%s', map it rw",
                   map->region->name, vm->name);
    }
}

static void check_ram(struct model *m, struct vm *vm)
{
    struct region *r;
    size_t at = xml_at(vm->node.xml, "ram");
    if (!check_part(m, vm, "ram", &vm->ram)) {
        return;
    }
    r = vm->ram.region;
    const struct map *guest = find_map(m, r, &vm->node);
    if (r->device != NULL) {
        diag_error(m->diag, at, "'%s' is a device, name memory", r->name);
    }
    if (guest == NULL) {
        diag_error(m->diag, at, "virtual machine '%s' does not map its RAM '%s', add a <map> to it",
                   vm->name, r->name);
        return;
    }
    vm->ram_ipa = guest->vaddr;
    check_ram_perms(m, vm, guest);
    check_ram_perms(m, vm, find_map(m, r, vm->node.parent));
}

// An image lies in the bundle as it is: nobody decides where it goes, and nobody writes to it.
static void check_image_region(struct model *m, const struct vm *vm, const char *attribute,
                               const struct region *r)
{
    static const char *const others[] = {"size", "page_size", "phys_addr"};
    if (!model_is_prefilled(r)) {
        diag_error(m->diag, xml_at(vm->node.xml, attribute),
                   "memory region '%s' has no image in it, give it a prefill_path", r->name);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (xml_has(r->node.xml, others[i])) {
            diag_error(m->diag, xml_at(r->node.xml, others[i]),
                       "'%s' is an image that '%s' starts from, remove %s", r->name, vm->name,
                       others[i]);
        }
    }
}

static void check_image(struct model *m, struct vm *vm, const char *attribute, struct vm_part *part)
{
    if (part->mr != NULL && vm->ram.mr == NULL) {
        diag_error(m->diag, xml_at(vm->node.xml, attribute),
                   "%s needs memory to go to, name that as ram", attribute);
    }
    if (check_part(m, vm, attribute, part)) {
        check_image_region(m, vm, attribute, part->region);
        part->region->image_of = vm;
    }
}

static void check_image_maps(struct model *m)
{
    const struct table *t = model_table(m, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        const struct vm *vm = map->region == NULL ? NULL : map->region->image_of;
        bool of_guest = map->node.parent != &model_owner(&map->node)->node;
        if (vm == NULL) {
            continue;
        }
        if (of_guest) {
            diag_error(m->diag, map->node.xml->offset,
                       "'%s' is an image that '%s' starts from, map it in protection domains only",
                       map->region->name, vm->name);
        } else if (map->perms != MAP_READ || !map->cached) {
            diag_error(m->diag, xml_at(map->node.xml, map->cached ? "perms" : "cached"),
                       "'%s' is an image that '%s' starts from, map it with perms r and cached",
                       map->region->name, vm->name);
        }
    }
}

// Words.

static void check_console(struct model *m, const struct vm *vm)
{
    const struct process *vmm = (const struct process *)vm->node.parent;
    const struct node *user = vm->console == ID_NONE ? NULL : vmm->ids[vm->console];
    if (vm->console != ID_NONE && (user == NULL || strcmp(user->xml->name, "end") != 0)) {
        diag_error(m->diag, xml_at(vm->node.xml, "console"),
                   "'%s' has no channel %llu, add one to a serial mux or a driver", vmm->name,
                   (ull)vm->console);
    }
}

// On one line, without blanks at its ends. A line end and the blanks around it are one space.
static const char *one_line(struct arena *a, const char *text)
{
    static const char blanks[] = " \t\r\n";
    char *line = arena_alloc(a, strlen(text) + 1);
    char *end = line;
    text += strspn(text, blanks);
    while (*text != '\0') {
        size_t run = strspn(text, blanks);
        bool ends = memchr(text, '\n', run) != NULL;
        size_t word = strcspn(text + run, blanks);
        if (word > 0 && ends) {
            *end++ = ' ';
        } else if (word > 0) {
            memcpy(end, text, run);
            end += run;
        }
        memcpy(end, text + run, word);
        end += word;
        text += run + word;
    }
    return line;
}

static void check_cmdline(struct model *m, struct vm *vm)
{
    const struct text_element *e = model_child(m, KIND_CMDLINE, &vm->node, "cmdline");
    vm->cmdline = e == NULL ? "" : one_line(m->arena, e->text);
    if (strlen(vm->cmdline) >= VM_CMDLINE_MAX) {
        diag_error(m->diag, e->node.xml->offset, "<cmdline> has %llu bytes, use at most %u",
                   (ull)strlen(vm->cmdline), VM_CMDLINE_MAX - 1);
    }
}

void check_vm_parts(struct model *m)
{
    const struct table *t = model_table(m, KIND_VM);
    for (struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        check_ram(m, vm);
        check_image(m, vm, "kernel", &vm->kernel);
        check_image(m, vm, "initrd", &vm->initrd);
        check_image(m, vm, "dtb", &vm->dtb);
        if (vm->kernel.region != NULL) {
            vm->kernel.region->is_kernel = true;
        }
        check_console(m, vm);
        check_cmdline(m, vm);
    }
    check_image_maps(m);
}

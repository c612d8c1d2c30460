// See place.h.
#include "place.h"

#include <libfdt.h>
#include <string.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>

#include "assign.h"
#include "check.h"
#include "memory.h"
#include "unpack.h"

typedef unsigned long long ull;

struct place {
    struct model *m;
    const struct search *search;
    struct names programs; // struct program by path: each file is read once
    struct names files;    // struct file by name: likewise
    struct names kernels;  // struct file by name, unpacked
};

// Files.

static struct file find_file(struct place *p, size_t offset, const char *name)
{
    struct model *m = p->m;
    const char *path = search_find(m->arena, p->search, name);
    if (path == NULL) {
        diag_error(m->diag, offset, "there is no file '%s', build it or add --search-path FOLDER",
                   name);
        return (struct file){0};
    }
    struct file file = file_read(m->arena, path, FILES_SIZE_MAX);
    if (file.bytes == NULL) {
        diag_error(m->diag, offset, "'%s' cannot be read (%s), name another", path, file.why);
    }
    return file;
}

static const struct program *find_program(struct place *p, size_t offset, const char *name)
{
    struct model *m = p->m;
    const struct program *known = names_find(&p->programs, name);
    if (known != NULL) {
        return known->segment_count > 0 ? known : NULL;
    }
    struct program *program = arena_alloc(m->arena, sizeof(*program));
    names_add(&p->programs, name, program);
    struct file file = find_file(p, offset, name);
    if (file.bytes == NULL) {
        return NULL;
    }
    const char *wrong = program_read(m->arena, &file, program);
    if (wrong != NULL) {
        diag_error(m->diag, offset, "'%s' %s", file.path, wrong);
        program->segment_count = 0;
        return NULL;
    }
    return program;
}

// The symbols may come from another file than the memory does.
static void place_program(struct place *p, struct process *process)
{
    const struct image *image = process->image;
    if (image == NULL || *image->path == '\0') {
        return;
    }
    const struct xml *x = image->node.xml;
    const struct program *program = find_program(p, xml_at(x, "path"), image->path);
    const struct program *symbols = program;
    if (image->path_for_symbols != NULL) {
        symbols = find_program(p, xml_at(x, "path_for_symbols"), image->path_for_symbols);
    }
    if (program != NULL && symbols != NULL) {
        process->program = program_copy(p->m->arena, program);
        process->program->symbols = symbols->symbols;
    }
}

// Files that several regions are filled from are read once, and so lie in the image once.
static struct file find_prefill(struct place *p, size_t offset, const char *name)
{
    struct file *known = names_find(&p->files, name);
    if (known == NULL) {
        known = arena_alloc(p->m->arena, sizeof(*known));
        *known = find_file(p, offset, name);
        if (known->bytes != NULL) {
            names_add(&p->files, name, known);
        }
    }
    return *known;
}

static uint64_t memory_of(const struct vm *vm)
{
    bool known = vm->ram.region != NULL && vm->ram.region->size != 0;
    return known && vm->ram.region->size < FILES_SIZE_MAX ? vm->ram.region->size : FILES_SIZE_MAX;
}

static struct file find_kernel(struct place *p, size_t offset, const struct region *r)
{
    struct file *known = names_find(&p->kernels, r->prefill_path);
    if (known != NULL) {
        return *known;
    }
    struct file file = find_prefill(p, offset, r->prefill_path);
    const char *wrong =
        file.bytes == NULL ? NULL : unpack_kernel(p->m->arena, &file, memory_of(r->image_of));
    if (wrong != NULL) {
        diag_error(p->m->diag, offset, "'%s' %s", file.path, wrong);
        return (struct file){0};
    }
    if (file.bytes != NULL) {
        known = arena_alloc(p->m->arena, sizeof(*known));
        *known = file;
        names_add(&p->kernels, r->prefill_path, known);
    }
    return file;
}

static void check_device_tree(struct place *p, size_t offset, const struct file *file)
{
    bool good = file->size >= sizeof(struct fdt_header) && fdt_check_header(file->bytes) == 0 &&
                fdt_totalsize(file->bytes) <= file->size;
    if (!good) {
        diag_error(p->m->diag, offset, "'%s' is no device tree, name a .dtb file", file->path);
    }
}

static void place_prefill(struct place *p, struct region *r)
{
    struct model *m = p->m;
    size_t at = xml_at(r->node.xml, "prefill_path");
    struct file file = r->is_kernel ? find_kernel(p, at, r) : find_prefill(p, at, r->prefill_path);
    if (file.bytes == NULL) {
        return;
    }
    if (r->image_of != NULL && r->image_of->dtb.region == r) {
        check_device_tree(p, at, &file);
    }
    r->prefill = file.bytes;
    r->prefill_size = file.size;
    if (file.size == 0) {
        diag_error(m->diag, at, "'%s' is empty, fill it or remove prefill_path", file.path);
    } else if (!xml_has(r->node.xml, "size")) {
        r->size = align_up(file.size, memory_page_size(r));
    } else if (file.size > r->size) {
        diag_error(m->diag, xml_at(r->node.xml, "size"),
                   "'%s' has 0x%llx bytes and the region 0x%llx, make the region larger", file.path,
                   (ull)file.size, (ull)r->size);
    }
}

// Page sizes: large ones where size and all addresses allow.

static bool all_maps_aligned(const struct model *m, const struct region *r)
{
    const struct table *t = model_table(m, KIND_MAP);
    for (const struct map *map = table_first(t); map != NULL; map = table_next(t, map)) {
        if (map->region == r && !is_aligned(map->vaddr, LARGE_PAGE_SIZE)) {
            return false;
        }
    }
    return true;
}

static void choose_page_size(const struct model *m, struct region *r)
{
    if (r->page_size != 0) {
        return;
    }
    bool address = r->paddr == ADDRESS_NONE || is_aligned(r->paddr, LARGE_PAGE_SIZE);
    bool large = r->device == NULL && r->image_of == NULL && r->size > 0 &&
                 is_aligned(r->size, LARGE_PAGE_SIZE) && address && all_maps_aligned(m, r);
    r->page_size = large ? LARGE_PAGE_SIZE : PAGE_SIZE;
}

// Variables.

static const struct symbol *find_symbol(struct model *m, const struct assignment *a)
{
    const struct program *program = a->process->program;
    const struct symbol *symbol = program_symbol(program, a->symbol);
    if (symbol == NULL) {
        diag_error(m->diag, a->offset, "'%s' has no symbol '%.64s', define it there or remove this",
                   program->path, a->symbol);
    } else if (symbol->ambiguous) {
        diag_error(m->diag, a->offset, "'%s' has several symbols '%.64s', rename all but one",
                   program->path, a->symbol);
    } else if (symbol->size != sizeof(uint64_t)) {
        diag_error(m->diag, a->offset,
                   "symbol '%.64s' of '%s' has %llu bytes, make it a variable of 8", a->symbol,
                   program->path, (ull)symbol->size);
    } else if (!program_is_variable(program, symbol->address, symbol->size)) {
        diag_error(m->diag, a->offset,
                   "symbol '%.64s' of '%s' is not in writable memory, make it a variable",
                   a->symbol, program->path);
    } else {
        return symbol;
    }
    return NULL;
}

static void add_patch(struct model *m, const struct assignment *a, enum bundle_patch_kind kind,
                      uint64_t vaddr)
{
    struct patch *patch = model_add(m, KIND_PATCH, sizeof(*patch), a->xml, NULL);
    patch->process = a->process;
    patch->kind = kind;
    patch->vaddr = vaddr;
    patch->region = a->region;
}

static void set_word(struct model *m, const struct assignment *a, uint64_t vaddr, uint64_t value)
{
    if (!program_write(m->arena, a->process->program, vaddr, &value, sizeof(value))) {
        diag_error(m->diag, a->offset,
                   "symbol '%.64s' lies too far behind the program's data, initialise it",
                   a->symbol);
    }
}

static void place_assignment(struct model *m, const struct assignment *a)
{
    const struct symbol *symbol = a->process->program == NULL ? NULL : find_symbol(m, a);
    if (symbol == NULL) {
        return;
    }
    const struct region *r = a->region;
    switch (a->kind) {
    case ASSIGN_VALUE:
        set_word(m, a, symbol->address, a->value);
        break;
    case ASSIGN_PREFILL_SIZE:
        set_word(m, a, symbol->address, r->prefill_size);
        break;
    case ASSIGN_REGION_SIZE:
        set_word(m, a, symbol->address, r->size);
        if (r->device != NULL) {
            add_patch(m, a, PATCH_REGION_SIZE, symbol->address);
        }
        break;
    case ASSIGN_REGION_PADDR:
        if (r != NULL && r->paddr != ADDRESS_NONE) {
            set_word(m, a, symbol->address, r->paddr);
        } else {
            add_patch(m, a, PATCH_REGION_PADDR, symbol->address);
        }
        break;
    }
}

// What libmicrokit of another SDK expects in its variables; ours reads its config page instead.

static void set_builtin(struct model *m, struct process *p, const char *name, const void *bytes,
                        uint64_t size)
{
    const struct symbol *symbol = program_symbol(p->program, name);
    if (symbol != NULL && symbol->size == size) {
        (void)!program_write(m->arena, p->program, symbol->address, bytes, size);
    }
}

// Masks over the ids of a process: its interrupts, whom it may notify, whom it may call.
struct masks {
    uint64_t irqs;
    uint64_t notifications;
    uint64_t calls;
};

static struct masks process_masks(const struct process *p)
{
    struct masks masks = {0};
    for (unsigned id = 0; id < CHANNEL_MAX; id++) {
        const struct node *user = p->ids[id];
        if (user == NULL) {
            continue;
        }
        if (strcmp(user->xml->name, "irq") == 0) {
            masks.irqs |= BIT(id);
            continue;
        }
        const struct end *end = (const struct end *)user;
        masks.notifications |= end->notify ? BIT(id) : 0;
        masks.calls |= end->pp ? BIT(id) : 0;
    }
    return masks;
}

static void place_builtins(struct model *m, struct process *p)
{
    char name[PROCESS_NAME_MAX] = {0};
    struct masks masks = process_masks(p);
    uint8_t passive = p->passive;
    memcpy(name, p->name, strnlen(p->name, sizeof(name) - 1));
    set_builtin(m, p, "microkit_name", name, sizeof(name));
    set_builtin(m, p, "microkit_passive", &passive, sizeof(passive));
    set_builtin(m, p, "microkit_irqs", &masks.irqs, sizeof(masks.irqs));
    set_builtin(m, p, "microkit_notifications", &masks.notifications, sizeof(masks.notifications));
    set_builtin(m, p, "microkit_pps", &masks.calls, sizeof(masks.calls));
}

static void place_processes(struct place *p)
{
    const struct table *t = model_table(p->m, KIND_PROCESS);
    for (struct process *process = table_first(t); process != NULL;
         process = table_next(t, process)) {
        place_program(p, process);
        if (process->program != NULL) {
            place_builtins(p->m, process);
        }
    }
}

static void place_regions(struct place *p)
{
    const struct table *t = model_table(p->m, KIND_REGION);
    for (struct region *r = table_first(t); r != NULL; r = table_next(t, r)) {
        if (r->prefill_path != NULL) {
            place_prefill(p, r);
        }
        choose_page_size(p->m, r);
    }
}

// Memory of virtual machines: do the images fit? Where they go exactly is the VMM's business.

static void place_vm(struct model *m, const struct vm *vm)
{
    const struct region *kernel = vm->kernel.region;
    const struct region *ram = vm->ram.region;
    if (kernel == NULL || kernel->prefill == NULL || ram == NULL) {
        return;
    }
    struct file file = {.bytes = kernel->prefill, .size = kernel->prefill_size};
    uint64_t need = unpack_memory(&file);
    const struct region *others[] = {vm->initrd.region, vm->dtb.region};
    for (size_t i = 0; i < ARRAY_SIZE(others) && need <= ram->size; i++) {
        need += others[i] == NULL ? 0 : others[i]->prefill_size;
    }
    if (need > ram->size) {
        diag_error(m->diag, xml_at(ram->node.xml, "size"),
                   "'%s' has 0x%llx bytes of memory and what it starts from needs 0x%llx, give it "
                   "more",
                   vm->name, (ull)ram->size, (ull)need);
    }
}

static void place_vms(struct model *m)
{
    const struct table *t = model_table(m, KIND_VM);
    for (const struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        place_vm(m, vm);
    }
}

void place_system(struct model *m, const struct search *search)
{
    struct place p = {.m = m, .search = search};
    names_init(&p.programs, m->arena);
    names_init(&p.files, m->arena);
    names_init(&p.kernels, m->arena);
    place_regions(&p);
    place_vms(m);
    place_processes(&p);
    check_layout(m);
    for (uint32_t i = 0; i < m->assignment_count; i++) {
        place_assignment(m, &m->assignments[i]);
    }
}

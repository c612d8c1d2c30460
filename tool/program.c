// See program.h. Reads with libelf, from memory; every offset and size of the file is checked before it is used.
#include "program.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include <abi/process.h>
#include <abi/syscall.h>
#include <base/bits.h>
#include <base/range.h>

#define SEGMENTS_MAX 64u

// Segments.

static uint32_t segment_perms(uint32_t flags)
{
    return MAP_READ | ((flags & PF_W) ? MAP_WRITE : 0) | ((flags & PF_X) ? MAP_EXECUTE : 0);
}

// What init maps where it lies in the bundle needs all its bytes there, and bytes start at a page. `room` is how many
// zeros may still be added to the file's bytes.
static const char *take_segment(struct arena *a, const struct file *file, const GElf_Phdr *ph,
                                uint64_t *room, struct segment *out)
{
    struct range whole = {0, file->size};
    struct range space = {0, PROCESS_STACK_TOP};
    if (!range_contains(whole, ph->p_offset, ph->p_filesz) || ph->p_filesz > ph->p_memsz) {
        return "has a segment beyond its end, build it again";
    }
    if (!range_contains(space, ph->p_vaddr, ph->p_memsz)) {
        return "has a segment outside a process's address space, link it with lib/microkit.ld";
    }
    if ((ph->p_flags & PF_W) && (ph->p_flags & PF_X)) {
        return "has a segment that is both writable and executable, separate text and data";
    }
    uint64_t lead = ph->p_vaddr & (PAGE_SIZE - 1);
    *out = (struct segment){
        .vaddr = ph->p_vaddr - lead,
        .memory_size = ph->p_memsz + lead,
        .bytes = file->bytes + ph->p_offset,
        .file_size = ph->p_filesz + lead,
        .perms = segment_perms(ph->p_flags),
    };
    uint64_t zeros = (out->perms & MAP_WRITE) ? 0 : out->memory_size - out->file_size;
    if (zeros > *room) {
        return "has too much zeroed memory that cannot be written, make it writable";
    }
    *room -= zeros;
    if (lead > 0 || zeros > 0) {
        uint64_t size = out->file_size + zeros;
        uint8_t *bytes = arena_alloc(a, size);
        memcpy(bytes + lead, out->bytes, ph->p_filesz);
        out->bytes = bytes;
        out->file_size = size;
    }
    return NULL;
}

static int compare_segments(const void *a, const void *b)
{
    const struct segment *x = a;
    const struct segment *y = b;
    return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static bool segments_overlap(const struct program *p)
{
    for (uint32_t i = 1; i < p->segment_count; i++) {
        const struct segment *s = &p->segments[i - 1];
        if (align_up(s->vaddr + s->memory_size, PAGE_SIZE) > p->segments[i].vaddr) {
            return true;
        }
    }
    return false;
}

static bool entry_is_executable(const struct program *p)
{
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct segment *s = &p->segments[i];
        struct range memory = {s->vaddr, s->memory_size};
        if ((s->perms & MAP_EXECUTE) && range_contains(memory, p->entry, sizeof(uint32_t))) {
            return is_aligned(p->entry, sizeof(uint32_t));
        }
    }
    return false;
}

static const char *read_segments(struct arena *a, const struct file *file, Elf *elf,
                                 struct program *out)
{
    size_t count = 0;
    uint64_t room = PROGRAM_GROWTH_MAX;
    if (elf_getphdrnum(elf, &count) != 0) {
        return "has damaged program headers, build it again";
    }
    out->segments = arena_alloc(a, SEGMENTS_MAX * sizeof(out->segments[0]));
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr ph;
        if (gelf_getphdr(elf, (int)i, &ph) == NULL) {
            return "has damaged program headers, build it again";
        }
        if (ph.p_type == PT_INTERP || ph.p_type == PT_DYNAMIC) {
            return "is linked dynamically, link it with -static";
        }
        if (ph.p_type != PT_LOAD || ph.p_memsz == 0) {
            continue;
        }
        if (out->segment_count == SEGMENTS_MAX) {
            return "has more than 64 loadable segments, merge some";
        }
        const char *wrong = take_segment(a, file, &ph, &room, &out->segments[out->segment_count++]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    qsort(out->segments, out->segment_count, sizeof(out->segments[0]), compare_segments);
    if (out->segment_count == 0) {
        return "has nothing to load, link it with lib/microkit.ld";
    }
    if (segments_overlap(out)) {
        return "has segments that share a page, link it with -z max-page-size=4096";
    }
    return entry_is_executable(out) ? NULL
                                    : "does not start in executable memory, give it an entry point";
}

// Symbols.

static void take_symbol(struct arena *a, struct program *out, const char *name, const GElf_Sym *sym)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);
    if (name == NULL || *name == '\0' || sym->st_shndx == SHN_UNDEF ||
        (type != STT_OBJECT && type != STT_NOTYPE && type != STT_FUNC)) {
        return;
    }
    struct symbol *symbol = arena_alloc(a, sizeof(*symbol));
    *symbol = (struct symbol){.address = sym->st_value,
                              .size = sym->st_size,
                              .global = GELF_ST_BIND(sym->st_info) != STB_LOCAL};
    struct symbol *first = names_add(&out->symbols, arena_copy(a, name, strlen(name)), symbol);
    if (first != NULL && symbol->global && !first->global) {
        *first = *symbol;
    } else if (first != NULL && symbol->global == first->global) {
        first->ambiguous = true;
    }
}

static void read_symbol_table(struct arena *a, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                              struct program *out)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data == NULL ? 0 : data->d_size / sizeof(Elf64_Sym);
    for (size_t i = 0; i < count; i++) {
        GElf_Sym sym;
        if (gelf_getsym(data, (int)i, &sym) != NULL) {
            take_symbol(a, out, elf_strptr(elf, header->sh_link, sym.st_name), &sym);
        }
    }
}

static void read_symbols(struct arena *a, Elf *elf, struct program *out)
{
    names_init(&out->symbols, a);
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_SYMTAB) {
            read_symbol_table(a, elf, section, &header, out);
            return; // a file has one
        }
    }
}

// The file.

static const char *check_header(Elf *elf, GElf_Ehdr *eh)
{
    if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, eh) == NULL) {
        return "is no ELF file, name a program";
    }
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
        eh->e_machine != EM_AARCH64) {
        return "is not for little-endian 64-bit Arm, compile it for AArch64";
    }
    return eh->e_type == ET_EXEC
               ? NULL
               : "is not an executable at a fixed address, link it with -static -no-pie";
}

const char *program_read(struct arena *a, const struct file *file, struct program *out)
{
    elf_version(EV_CURRENT);
    // libelf may write to what it reads.
    char *image = arena_copy(a, file->bytes, file->size);
    Elf *elf = file->size < EI_NIDENT ? NULL : elf_memory(image, file->size);
    if (elf == NULL) {
        return "is no ELF file, name a program";
    }
    GElf_Ehdr eh;
    *out = (struct program){.path = file->path};
    const char *wrong = check_header(elf, &eh);
    if (wrong == NULL) {
        out->entry = eh.e_entry;
        wrong = read_segments(a, file, elf, out);
    }
    if (wrong == NULL) {
        read_symbols(a, elf, out);
    }
    elf_end(elf);
    return wrong;
}

struct program *program_copy(struct arena *a, const struct program *p)
{
    struct program *copy = arena_alloc(a, sizeof(*copy));
    *copy = *p;
    copy->segments =
        (struct segment *)arena_copy(a, p->segments, p->segment_count * sizeof(p->segments[0]));
    return copy;
}

const struct symbol *program_symbol(const struct program *p, const char *name)
{
    return names_find(&p->symbols, name);
}

// Variables.

static struct segment *find_variable(const struct program *p, uint64_t address, uint64_t size)
{
    for (uint32_t i = 0; i < p->segment_count; i++) {
        struct segment *s = &p->segments[i];
        struct range memory = {s->vaddr, s->memory_size};
        if ((s->perms & MAP_WRITE) && range_contains(memory, address, size)) {
            return s;
        }
    }
    return NULL;
}

bool program_is_variable(const struct program *p, uint64_t address, uint64_t size)
{
    return find_variable(p, address, size) != NULL;
}

// Makes the segment's bytes its own, and long enough for the first `size` of its memory.
static void own(struct arena *a, struct segment *s, uint64_t size)
{
    if (s->own != NULL && s->file_size >= size) {
        return;
    }
    uint64_t room = s->file_size > size ? s->file_size : size;
    s->own = arena_alloc(a, room);
    memcpy(s->own, s->bytes, s->file_size);
    s->bytes = s->own;
    s->file_size = room;
}

bool program_write(struct arena *a, struct program *p, uint64_t address, const void *bytes,
                   uint64_t size)
{
    struct segment *s = find_variable(p, address, size);
    uint64_t offset = s == NULL ? 0 : address - s->vaddr;
    if (s == NULL || (offset > s->file_size && offset - s->file_size >= PROGRAM_GROWTH_MAX)) {
        return false;
    }
    own(a, s, offset + size);
    memcpy(s->own + offset, bytes, size);
    return true;
}

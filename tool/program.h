// A program: the loadable segments and the symbols of a static AArch64 ELF file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "names.h"

struct segment {
    uint64_t vaddr;       // multiple of PAGE_SIZE
    uint64_t memory_size; // bytes; what the file doesn't fill is zero
    const uint8_t *bytes; // of the file
    uint64_t file_size;
    uint32_t perms; // enum map_flags
    uint8_t *own;   // the bytes again, if they were copied to be changed; else null
};

struct symbol {
    uint64_t address;
    uint64_t size;
    bool global;
    bool ambiguous; // several local symbols have this name
};

struct program {
    const char *path;
    uint64_t entry;
    struct segment *segments; // by address
    uint32_t segment_count;
    struct names symbols; // struct symbol by name
};

// Null, or what is wrong with the file and the mend.
const char *program_read(struct arena *a, const struct file *file, struct program *out);

// A copy whose bytes may be changed without changing those of the original.
struct program *program_copy(struct arena *a, const struct program *p);

const struct symbol *program_symbol(const struct program *p, const char *name);

// Is [address, address + size) inside one writable segment?
bool program_is_variable(const struct program *p, uint64_t address, uint64_t size);

// Writes to a variable, zeroed ones included; false if those lie PROGRAM_GROWTH_MAX or more behind the file's bytes.
#define PROGRAM_GROWTH_MAX                                                                         \
    0x1000000u // bytes of zeros that an image carries for a program, and for a variable
bool program_write(struct arena *a, struct program *p, uint64_t address, const void *bytes,
                   uint64_t size);

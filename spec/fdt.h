// Flattened device tree: Devicetree Specification 0.4, chapter 5. All numbers are big-endian.
#pragma once

#include <assert.h>
#include <stdint.h>

#define FDT_MAGIC_NUMBER   0xd00dfeedu
#define FDT_FORMAT_VERSION 17u

struct fdt_format_header {
    uint32_t magic;
    uint32_t total_size; // bytes, all blocks
    uint32_t structure;  // offsets from here
    uint32_t strings;
    uint32_t reserved_memory; // pairs of 64-bit address and size, ended by a pair of zeros
    uint32_t version;
    uint32_t compatible_version; // lowest version that a reader must know
    uint32_t boot_core;
    uint32_t strings_size; // bytes
    uint32_t structure_size;
};
static_assert(sizeof(struct fdt_format_header) == 40, "device tree header");

// Words of the structure block.
enum fdt_token {
    FDT_TOKEN_BEGIN = 1,    // name with its zero, padded to a word
    FDT_TOKEN_END = 2,      // of the node
    FDT_TOKEN_PROPERTY = 3, // length, name's offset in the strings, value padded to a word
    FDT_TOKEN_NOP = 4,
    FDT_TOKEN_FINISH = 9,
};

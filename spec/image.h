// The header of an arm64 kernel image: Linux, Documentation/arm64/booting.rst, "Call the kernel image". Usable in
// assembly: numbers only unless C.
#pragma once

#define IMAGE_MAGIC         0x644d5241 // "ARM\x64", little-endian
#define IMAGE_FLAG_4K_PAGES 0x2
#define IMAGE_FLAG_ANYWHERE 0x8 // may be placed anywhere in RAM, 2 MiB aligned
#define IMAGE_ALIGNMENT     0x200000

#ifndef __ASSEMBLER__
#include <assert.h>
#include <stdint.h>

struct image_header {
    uint32_t code0;
    uint32_t code1;
    uint64_t text_offset; // from the 2 MiB aligned base to where the image goes
    uint64_t image_size;  // bytes of memory it needs from there on
    uint64_t flags;
    uint64_t reserved[3];
    uint32_t magic;
    uint32_t reserved_pe;
};
static_assert(sizeof(struct image_header) == 64, "arm64 image header");
#endif

// See image.h. The header is Linux's (Documentation/arch/arm64/booting.rst).
#include "image.h"

#include <string.h>

#include <abi/syscall.h>
#include <base/bits.h>

#define IMAGE_SIZE_OFFSET  16
#define IMAGE_MAGIC_OFFSET 56
#define IMAGE_HEADER_SIZE  64

static void put_le64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

const char *image_make(struct arena *a, const struct file *kernel, struct bytes bundle,
                       struct image_parts *out)
{
    if (kernel->size < IMAGE_HEADER_SIZE ||
        memcmp(kernel->bytes + IMAGE_MAGIC_OFFSET, "ARM\x64", 4) != 0) {
        return "has no arm64 Image header, name Bulkhead's kernel.bin";
    }
    out->kernel_size = align_up(kernel->size, PAGE_SIZE);
    out->bundle_size = bundle.size;
    out->whole.size = out->kernel_size + bundle.size;
    out->whole.data = arena_alloc(a, out->whole.size);
    memcpy(out->whole.data, kernel->bytes, kernel->size);
    memcpy(out->whole.data + out->kernel_size, bundle.data, bundle.size);
    put_le64(out->whole.data + IMAGE_SIZE_OFFSET, out->whole.size);
    return NULL;
}

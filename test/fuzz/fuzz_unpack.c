// Any bytes as a guest's kernel: unpacked if they can be, and never to more than was asked for.
// sources: tool/unpack.c tool/arena.c
#include <assert.h>

#include "tool/unpack.h"

#define MOST 0x40000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {0};
    const uint8_t *copy = size == 0 ? data : (uint8_t *)arena_copy(&a, data, size);
    struct file f = {.path = "fuzz", .bytes = copy, .size = size};
    const char *wrong = unpack_kernel(&a, &f, MOST);
    if (wrong != NULL) {
        assert(f.bytes == copy && f.size == size);
    } else {
        assert(f.bytes == copy || f.size <= MOST);
        assert(unpack_memory(&f) >= f.size);
    }
    arena_free(&a);
    return 0;
}

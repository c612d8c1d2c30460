// A bootable image: the kernel, the bundle behind it, and the size of both in the arm64 Image header.
#pragma once

#include "bytes.h"
#include "files.h"

struct image_parts {
    struct bytes whole;
    size_t kernel_size; // bytes before the bundle
    size_t bundle_size;
};

// Null, or what is wrong with the kernel.
const char *image_make(struct arena *a, const struct file *kernel, struct bytes bundle,
                       struct image_parts *out);

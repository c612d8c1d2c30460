// A guest's kernel as it goes into memory. Kernels come packed as gzip, zstd, or EFI zboot (a small unpacker for
// firmware, with the packed kernel inside); what is none of those is left alone, unless it is known to be of no use.
#pragma once

#include "files.h"

// Unpacks file->bytes in place of them, to at most `most` bytes. Null, or what is wrong and the mend; then `file` is
// as it was.
const char *unpack_kernel(struct arena *a, struct file *file, size_t most);

// Bytes of memory that an unpacked kernel takes, counted from where memory starts; UINT64_MAX: more than there can be.
uint64_t unpack_memory(const struct file *kernel);

// Files: reading whole ones, finding those that a description names, writing results so that nobody ever sees half.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

#define FILES_SIZE_MAX (1ull << 30) // no program, prefill or kernel is larger

struct file {
    const char *path;
    const uint8_t *bytes; // null: it could not be read
    size_t size;
    const char *why; // it could not be read
};

struct file file_read(struct arena *a, const char *path, size_t size_max);

// Writes to a file beside `path` and renames that. Null, or why it could not be written.
const char *file_write(struct arena *a, const char *path, const void *bytes, size_t size);

bool file_exists(const char *path);

// `path` without its last part: "." if it has only one.
const char *file_folder(struct arena *a, const char *path);

// `path` with its suffix (".img") replaced.
const char *file_with_suffix(struct arena *a, const char *path, const char *suffix);

// The last part of `path` without its suffix.
const char *file_stem(struct arena *a, const char *path);

struct search {
    const char **folders;
    size_t count;
};

// The first of the folders that has `name`, joined with it; null if none has. Absolute names are found as they are.
const char *search_find(struct arena *a, const struct search *s, const char *name);

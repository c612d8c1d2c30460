// The text of a description, and where in it an offset lies.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

#define SOURCE_SIZE_MAX (1u << 20) // larger descriptions are refused

struct source {
    const char *path; // null: it is no file, and of no interest where in it something is
    const char *text;
    size_t size;
    size_t *lines; // offset of each line's first byte
    size_t line_count;
};

struct position {
    unsigned line;   // from 1
    unsigned column; // from 1, in characters
};

// Takes the text as it is (a fuzzer's, a file's), with a zero behind it; it must live as long as the source.
void source_init(struct source *s, struct arena *a, const char *path, const char *text,
                 size_t size);

struct position source_position(const struct source *s, size_t offset);
uint32_t source_line(const struct source *s, size_t offset);

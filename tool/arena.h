// Memory of one run of the tool: taken piece by piece, given back all at once.
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena {
    struct arena_piece *pieces; // newest first
};

// Zeroed memory, aligned for anything. Never null: a machine without memory ends the program with a message.
void *arena_alloc(struct arena *a, size_t size);

// A copy of `size` bytes and a zero behind them.
char *arena_copy(struct arena *a, const void *bytes, size_t size);
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_format_v(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

void arena_free(struct arena *a);

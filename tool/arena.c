// See arena.h. One malloc a piece, so that the address sanitizer sees the edges of each.
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_piece {
    struct arena_piece *next;
    max_align_t bytes[];
};

static _Noreturn void out_of_memory(void)
{
    fputs("bulkhead: this machine has no memory left\n", stderr);
    exit(1);
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_piece *piece = calloc(1, sizeof(*piece) + size);
    if (piece == NULL) {
        out_of_memory();
    }
    piece->next = a->pieces;
    a->pieces = piece;
    return piece->bytes;
}

char *arena_copy(struct arena *a, const void *bytes, size_t size)
{
    char *copy = arena_alloc(a, size + 1);
    memcpy(copy, bytes, size);
    return copy;
}

char *arena_format_v(struct arena *a, const char *format, va_list args)
{
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    if (length < 0) {
        out_of_memory();
    }
    char *copy = arena_copy(a, text, (size_t)length);
    free(text);
    return copy;
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_format_v(a, format, args);
    va_end(args);
    return text;
}

void arena_free(struct arena *a)
{
    while (a->pieces != NULL) {
        struct arena_piece *next = a->pieces->next;
        free(a->pieces);
        a->pieces = next;
    }
}

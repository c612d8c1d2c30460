// See diag.h.
#include "diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void diag_init(struct diag *d, struct arena *a, const struct source *source)
{
    *d = (struct diag){.arena = a, .source = source};
}

static void add(struct diag *d, size_t offset, const char *text)
{
    if (d->count == d->capacity) {
        uint32_t capacity = d->capacity == 0 ? 64 : 2 * d->capacity;
        struct diag_message *messages = arena_alloc(d->arena, capacity * sizeof(messages[0]));
        if (d->count > 0) {
            memcpy(messages, d->messages, d->count * sizeof(messages[0]));
        }
        d->messages = messages;
        d->capacity = capacity;
    }
    d->messages[d->count] = (struct diag_message){offset, d->count, text};
    d->count++;
}

void diag_error(struct diag *d, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(d, offset, arena_format_v(d->arena, format, args));
    va_end(args);
    d->errors++;
}

void diag_warning(struct diag *d, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_format_v(d->arena, format, args);
    va_end(args);
    add(d, offset, arena_format(d->arena, "warning: %s", text));
}

static int compare(const void *a, const void *b)
{
    const struct diag_message *x = a;
    const struct diag_message *y = b;
    if (x->offset != y->offset) {
        return x->offset < y->offset ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

static void print_line(const struct diag *d, FILE *out, size_t offset, const char *text)
{
    struct position at = source_position(d->source, offset);
    if (d->source->path == NULL) {
        fprintf(out, "bulkhead: %s\n", text);
        return;
    }
    fprintf(out, "%s:%u:%u: %s\n", d->source->path, at.line, at.column, text);
}

void diag_print(struct diag *d, FILE *out)
{
    if (d->count == 0) {
        return;
    }
    qsort(d->messages, d->count, sizeof(d->messages[0]), compare);
    uint32_t shown = d->count < DIAG_SHOWN_MAX ? d->count : DIAG_SHOWN_MAX;
    for (uint32_t i = 0; i < shown; i++) {
        print_line(d, out, d->messages[i].offset, d->messages[i].text);
    }
    if (d->count > shown) {
        print_line(d, out, d->messages[shown].offset,
                   arena_format(d->arena, "%u more mistakes from here on, mend those above first",
                                d->count - shown));
    }
}

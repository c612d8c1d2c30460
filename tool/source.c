// See source.h.
#include "source.h"

#include <stdbool.h>

static size_t count_lines(const char *text, size_t size)
{
    size_t count = 1;
    for (size_t i = 0; i < size; i++) {
        count += text[i] == '\n';
    }
    return count;
}

void source_init(struct source *s, struct arena *a, const char *path, const char *text, size_t size)
{
    *s = (struct source){.path = path, .text = text, .size = size};
    s->lines = arena_alloc(a, count_lines(text, size) * sizeof(s->lines[0]));
    s->lines[s->line_count++] = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            s->lines[s->line_count++] = i + 1;
        }
    }
}

// Index of the last line that starts at or before `offset`.
static size_t line_index(const struct source *s, size_t offset)
{
    size_t low = 0;
    size_t high = s->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->lines[middle] <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct position source_position(const struct source *s, size_t offset)
{
    size_t line = line_index(s, offset);
    unsigned column = 1;
    for (size_t i = s->lines[line]; i < offset && i < s->size; i++) {
        bool starts_character = ((unsigned char)s->text[i] & 0xc0) != 0x80;
        column += starts_character;
    }
    return (struct position){(unsigned)line + 1, column};
}

uint32_t source_line(const struct source *s, size_t offset)
{
    return (uint32_t)line_index(s, offset) + 1;
}

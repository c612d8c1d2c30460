// Lines: what a source says is collected into a line, and a line is formatted for the terminal: the source's prefix in
// front, CR LF at its end, and a break where one source's unfinished line gives way to another's. Plain data, no rings,
// no clock of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_MAX        256u // a longer line is sent in pieces
#define LINE_PREFIX_MAX 24u  // with the final zero

struct line {
    uint32_t length;
    uint64_t since; // ticks: when its first byte came
    uint8_t text[LINE_MAX];
};

// Complete: it ends with a newline, or nothing more fits.
bool line_complete(const struct line *l);

// May it be sent at `now`: complete, or started at least `patience` ticks ago?
bool line_ready(const struct line *l, uint64_t now, uint64_t patience);

// Appends a byte. The line must not be complete.
void line_add(struct line *l, uint8_t byte, uint64_t now);

#define OUTPUT_NOBODY UINT32_MAX
#define OUTPUT_MAX    (2u + LINE_PREFIX_MAX + LINE_MAX + 1u)

// What is being written to the terminal: one formatted line, and whose line the cursor stands in.
struct output {
    uint32_t
        owner; // source of the unfinished line on the terminal, OUTPUT_NOBODY: the cursor is at a line's start
    uint32_t sent; // of text
    uint32_t length;
    uint8_t last; // byte written before
    uint8_t text[OUTPUT_MAX];
};

void output_init(struct output *o);

static inline bool output_done(const struct output *o)
{
    return o->sent == o->length;
}

// Formats `l` as coming from `source` and empties it. The output must be done; `prefix` may be NULL.
void output_line(struct output *o, uint32_t source, const char *prefix, struct line *l);

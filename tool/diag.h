// The mistakes found in a description: collected while it is checked, printed in the order of their positions.
//
// A message says what is wrong, then after a comma how to mend it, and starts with a small letter:
//     hello.system:7:9: priority 255 is out of range, use 0..254
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "arena.h"
#include "source.h"

#define DIAG_SHOWN_MAX 200u // lines printed; what is beyond is counted

struct diag_message {
    size_t offset;  // in the source
    uint32_t order; // of its finding
    const char *text;
};

struct diag {
    struct arena *arena;
    const struct source *source;
    struct diag_message *messages; // arena
    uint32_t count;
    uint32_t capacity;
    uint32_t errors; // messages that are no warnings
};

void diag_init(struct diag *d, struct arena *a, const struct source *source);
void diag_error(struct diag *d, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *d, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void diag_print(struct diag *d, FILE *out);

// Watches what a running system prints for the line with which the kernel ends it: "bulkhead: off, code N".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERDICT_LINE_MAX 512u // of a line, its end is kept

struct verdict {
    char line[VERDICT_LINE_MAX]; // so far
    size_t length;
    bool found;
    int code; // of the last such line, 0..255
};

// Is this line, without its end, such a line?
bool verdict_is(const char *line);

void verdict_feed(struct verdict *v, const char *bytes, size_t size);

// No more comes: an unfinished line counts, too.
void verdict_end(struct verdict *v);

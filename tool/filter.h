// Tells a guest's output from what the system says about it. Both come over one UART; lines of the system start with
// "bulkhead: ". Those go to a function, everything else stays the guest's, to the byte. Before the guest's first byte
// kernel and init have the console: what the kernel says then is dropped, and "init: " is a mark, too.
//
// A guest may write such a mark, too: what it says then is taken for the system's, except for the line that ends the
// system, which a driver guards (abi/serial.h). The guard is taken out, and the line is the guest's.
//
// The mark may come behind a line that the guest did not finish. What could be its beginning is held back until more
// comes, or until filter_flush.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define FILTER_LINE_MAX 512u // of a line of ours, the rest is dropped
#define FILTER_HELD_MAX 16u  // longer than every mark

// A line of the system, without its end.
typedef void filter_said_fn(void *context, const char *line);

struct filter {
    filter_said_fn *said;
    void *context;
    bool guest;     // it has the console
    size_t matched; // bytes at the end of what was fed that are the beginning of a mark
    size_t held;    // of those, the last that are not in the guest's output yet
    bool ours;      // in a line of ours
    bool panic;     // the kernel gave up: all lines are ours
    char line[FILTER_LINE_MAX];
    size_t length;
};

// Puts what is the guest's into `theirs`, which has room for size + FILTER_HELD_MAX bytes, and returns how many those
// are.
size_t filter_feed(struct filter *f, const char *bytes, size_t size, char *theirs);

// Nothing came for a while: what was held back is the guest's. Likewise.
size_t filter_flush(struct filter *f, char *theirs);

// Nothing more comes. Likewise.
size_t filter_end(struct filter *f, char *theirs);

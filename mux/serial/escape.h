// The escape key: what a typed byte means. Ctrl-] makes the next byte a command of the mux; everything else is input
// for the selected client. Knows nothing of clients or rings.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ESCAPE_KEY 0x1d // Ctrl-]

enum escape_action {
    ESCAPE_NOTHING, // the escape key itself: wait for the next byte
    ESCAPE_INPUT,   // `value` goes to the selected client
    ESCAPE_SELECT,  // client number `value`, 1..9
    ESCAPE_HELP,
    ESCAPE_QUIT,
    ESCAPE_UNKNOWN, // no command: `value` is dropped
};

struct escape {
    bool armed; // the escape key came last
};

struct escape_event {
    enum escape_action action;
    uint8_t value;
};

struct escape_event escape_feed(struct escape *e, uint8_t byte);

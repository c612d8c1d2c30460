// See escape.h.
#include "escape.h"

static struct escape_event event(enum escape_action action, uint8_t value)
{
    return (struct escape_event){.action = action, .value = value};
}

static struct escape_event command(uint8_t byte)
{
    if (byte >= '1' && byte <= '9') {
        return event(ESCAPE_SELECT, (uint8_t)(byte - '0'));
    }
    switch (byte) {
    case ESCAPE_KEY:
        return event(ESCAPE_INPUT, byte);
    case '?':
        return event(ESCAPE_HELP, 0);
    case 'q':
        return event(ESCAPE_QUIT, 0);
    default:
        return event(ESCAPE_UNKNOWN, byte);
    }
}

struct escape_event escape_feed(struct escape *e, uint8_t byte)
{
    if (e->armed) {
        e->armed = false;
        return command(byte);
    }
    if (byte == ESCAPE_KEY) {
        e->armed = true;
        return event(ESCAPE_NOTHING, 0);
    }
    return event(ESCAPE_INPUT, byte);
}

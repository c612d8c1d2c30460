// See line.h.
#include "line.h"

#include <base/str.h>

bool line_complete(const struct line *l)
{
    return l->length == LINE_MAX || (l->length > 0 && l->text[l->length - 1] == '\n');
}

bool line_ready(const struct line *l, uint64_t now, uint64_t patience)
{
    return line_complete(l) || (l->length > 0 && now - l->since >= patience);
}

void line_add(struct line *l, uint8_t byte, uint64_t now)
{
    if (l->length == 0) {
        l->since = now;
    }
    l->text[l->length++] = byte;
}

void output_init(struct output *o)
{
    *o = (struct output){.owner = OUTPUT_NOBODY};
}

static void put(struct output *o, uint8_t byte)
{
    o->text[o->length++] = byte;
    o->last = byte;
}

static void put_newline(struct output *o)
{
    if (o->last != '\r') {
        put(o, '\r');
    }
    put(o, '\n');
}

void output_line(struct output *o, uint32_t source, const char *prefix, struct line *l)
{
    o->sent = 0;
    o->length = 0;

    if (o->owner != OUTPUT_NOBODY && o->owner != source) {
        put_newline(o);
        o->owner = OUTPUT_NOBODY;
    }
    if (o->owner == OUTPUT_NOBODY && prefix != NULL) {
        for (size_t i = 0; i < LINE_PREFIX_MAX && prefix[i] != '\0'; i++) {
            put(o, (uint8_t)prefix[i]);
        }
    }

    o->owner = source;
    for (uint32_t i = 0; i < l->length; i++) {
        if (l->text[i] == '\n') { // only ever the last byte: see line_complete
            put_newline(o);
            o->owner = OUTPUT_NOBODY;
        } else {
            put(o, l->text[i]);
        }
    }
    l->length = 0;
}

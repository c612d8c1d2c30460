// XML as a tree of elements and attributes, each with its offset in the source. Reads with expat; refuses document
// types (and with them entities), text outside of attributes but in <cmdline> and <prefill>, and nesting beyond
// XML_DEPTH_MAX.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

#define XML_DEPTH_MAX 100u // far beyond what 63 nested protection domains need

struct xml_attribute {
    const char *name;
    const char *value; // no control characters
    size_t offset;     // of its name
};

struct xml {
    const char *name;
    size_t offset; // of its '<'
    struct xml *parent;
    struct xml *first_child;
    struct xml *last_child;
    struct xml *next; // sibling
    struct xml_attribute *attributes;
    uint32_t attribute_count;
    bool text_refused; // text in it was reported already
    char *text;        // in it, zero-terminated; null: none
    size_t text_size;
    size_t text_room;
};

// Null if the text is not well-formed; what was wrong is in `diag`.
struct xml *xml_read(struct arena *a, const struct source *source, struct diag *diag);

const struct xml_attribute *xml_attribute(const struct xml *x, const char *name);
static inline bool xml_has(const struct xml *x, const char *name)
{
    return xml_attribute(x, name) != NULL;
}

// Where to point for attribute `name`: at it, or at the element if it isn't there.
size_t xml_at(const struct xml *x, const char *name);

// First child called `name`, or null.
const struct xml *xml_child(const struct xml *x, const char *name);

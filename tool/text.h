// A text that grows, and the ways of writing into it: plain, as JSON, as XML.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "arena.h"

struct text {
    FILE *stream;
    char *bytes;
    size_t size;
};

// Between the two, print to t->stream with fprintf.
void text_begin(struct text *t);
const char *text_end(struct text *t, struct arena *a);

// A string as JSON has it, quotes included.
void text_json_string(struct text *t, const char *s);

// A string inside XML text or attributes.
void text_xml(struct text *t, const char *s);

// "rw-" for enum map_flags.
const char *text_perms(uint64_t perms);

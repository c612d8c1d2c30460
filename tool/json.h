// Writes JSON, indented: values in the order of the calls, commas and line ends by itself.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

struct json {
    struct text text;
    unsigned depth;
    bool first; // nothing was written yet at this depth
};

// `name` is null inside arrays. `bracket` is '{' or '['; json_close takes '}' or ']'.
void json_open(struct json *j, const char *name, char bracket);
void json_close(struct json *j, char bracket);
void json_number(struct json *j, const char *name, uint64_t value);
void json_string(struct json *j, const char *name, const char *value);
void json_bool(struct json *j, const char *name, bool value);

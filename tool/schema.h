// The format as tables: which elements and attributes there are, where they may stand, what values they take and
// where in the model those go. What a table can't say (references, overlaps, ids) is check.c's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

enum value_kind {
    VALUE_TEXT,    // const char *, not empty
    VALUE_NAME,    // const char *, not empty, shorter than PROCESS_NAME_MAX
    VALUE_NUMBER,  // uint64_t: decimal or 0x, underscores anywhere
    VALUE_DECIMAL, // uint64_t: decimal digits only
    VALUE_BOOL,    // bool: true or false
    VALUE_SIZE,    // uint64_t: a number, and K, M or G
    VALUE_CHOICE,  // uint64_t: which one of `words`
    VALUE_PERMS,   // uint64_t: enum map_flags
    VALUE_TRIGGER, // uint64_t: level or edge, as enum irq_trigger
    VALUE_SWITCH,  // bool: on or off
    VALUE_REFUSED, // known elsewhere, not here: `refusal` says why
};

struct attribute_rule {
    const char *name;
    enum value_kind kind;
    bool required;
    size_t offset;       // in the element's struct
    uint64_t least;      // numbers
    uint64_t most;       // numbers
    uint64_t otherwise;  // value if absent: numbers, booleans, perms
    const char *refusal; // what is wrong with it, and the mend
    const char *words;   // blank-separated
};

struct child_rule {
    const struct element_rule *rule;
    uint32_t least;
    uint32_t most; // 0: any number
};

struct element_rule {
    const char *name;
    enum kind kind;
    size_t size;                                 // of its struct
    const struct attribute_rule *attributes;     // ends with a null name
    const struct child_rule *children;           // ends with a null rule; null: none
    const char *(*refusal)(const struct xml *x); // why it isn't supported, or null; null: it is
    bool closed; // if refused, then as a whole: what stands in it isn't looked at
    bool text;   // its struct is a `struct text_element`
};

extern const struct element_rule schema_system;

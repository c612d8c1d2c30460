// Variables of programs that the description sets: every setvar_* attribute and <setvar> element, gathered.
#pragma once

#include "model.h"

enum assignment_kind {
    ASSIGN_VALUE,        // `value`, known from the description
    ASSIGN_REGION_PADDR, // physical address of `region`
    ASSIGN_REGION_SIZE,  // size of `region`
    ASSIGN_PREFILL_SIZE, // length of the file that fills `region`
};

struct assignment {
    struct process *process; // whose variable it is
    const char *symbol;
    const struct xml *xml; // the element that sets it
    size_t offset;         // of the attribute, for messages
    enum assignment_kind kind;
    uint64_t value;
    struct region *region;
};

// Fills in m->assignments, in the order of the description; references must have been resolved.
void assign_collect(struct model *m);

// Does the tool itself set this symbol (microkit_name and the like)?
bool assign_is_reserved(const char *symbol);

// Everything that programs and files decide, before an image is made of it: programs are read, variables in them set,
// prefilled regions get their sizes, page sizes are chosen, segments and maps checked against each other. Mistakes
// go to m->diag like those of the description.
#pragma once

#include <abi/bundle.h>

#include "files.h"
#include "model.h"
#include "program.h"

// A word of a process's memory that only the machine decides: init writes it.
struct patch {
    struct node node; // of the element that asks for it
    const struct process *process;
    enum bundle_patch_kind kind;
    uint64_t vaddr;
    const struct region *region;
};

void place_system(struct model *m, const struct search *search);

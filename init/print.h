// What init says on the kernel's console: always whole lines. A line about an element of the description names it
// and the line where it stands: init: memory_region "ring" (line 12): ...
#pragma once

#include <stddef.h>

#include <abi/err.h>

#include "sys.h"

// An element of the description, for messages.
struct element {
    const char *kind; // as the description calls it: "memory_region"
    const char *name;
    uint32_t line;
};

const char *err_text(err_t err);

void say(struct kernel *k, const char *text, ...) __attribute__((format(printf, 2, 3)));
// As say, for whoever looks after VMs: a line about the system's life begins with the system's name.
void announce(struct kernel *k, const char *text, ...) __attribute__((format(printf, 2, 3)));
void refuse(struct kernel *k, struct element e, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

// The QEMU command line for a board.
#pragma once

#include "options.h"

struct command_line {
    char **words; // ends with null
    size_t count;
};

// Null, or why these options can't be had. `tree` is the zcu102's device tree.
const char *qemu_line(struct arena *a, const struct options *o, const char *image, const char *tree,
                      struct command_line *out);

// As one would type it.
const char *qemu_show(struct arena *a, const struct command_line *line);

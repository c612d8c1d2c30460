// Where the tool's own files are: in the build folder that it was built into, or where it was installed.
#pragma once

#include "files.h"

struct home {
    const char *folder; // build/, or PREFIX/share/bulkhead
    bool installed;
};

struct home home_find(struct arena *a);

const char *home_kernel(struct arena *a, const struct home *h);
const char *home_init(struct arena *a, const struct home *h);

// The system that `run` takes when none is named, and whether its guests' files, which are Debian's, have been fetched.
const char *home_default_system(struct arena *a, const struct home *h);
bool home_has_guests(struct arena *a, const struct home *h);

// The device tree of the board zcu102, for QEMU.
const char *home_zcu102_tree(struct arena *a, const struct home *h);

// Folders in which the files of `description` are looked for: those given on the command line first.
struct search home_search(struct arena *a, const struct home *h, const struct search *given,
                          const char *description);

// See home.h.
#include "home.h"

#include <stdlib.h>
#include <unistd.h>

struct home home_find(struct arena *a)
{
    char *self = realpath("/proc/self/exe", NULL);
    const char *folder = file_folder(a, self == NULL ? "build/bulkhead" : self);
    free(self);
    const char *share = arena_format(a, "%s/../share/bulkhead", folder);
    bool installed = file_exists(arena_format(a, "%s/kernel.bin", share));
    return (struct home){installed ? share : folder, installed};
}

const char *home_kernel(struct arena *a, const struct home *h)
{
    return arena_format(a, "%s/%s", h->folder, h->installed ? "kernel.bin" : "kernel/kernel.bin");
}

const char *home_init(struct arena *a, const struct home *h)
{
    return arena_format(a, "%s/%s", h->folder, h->installed ? "init.bin" : "init/init.bin");
}

const char *home_default_system(struct arena *a, const struct home *h)
{
    return arena_format(a, "%s/%s/two-guests/two-guests.system", h->folder,
                        h->installed ? "systems" : "../systems");
}

bool home_has_guests(struct arena *a, const struct home *h)
{
    return file_exists(arena_format(a, "%s/guest/vmlinuz-cloud-arm64", h->folder)) &&
           file_exists(arena_format(a, "%s/guest/initrd.cpio", h->folder));
}

const char *home_zcu102_tree(struct arena *a, const struct home *h)
{
    return arena_format(a, "%s/guest/zynqmp-zcu102-rev1.0.dtb", h->folder);
}

struct search home_search(struct arena *a, const struct home *h, const struct search *given,
                          const char *description)
{
    const char *folder = file_folder(a, description);
    const char *full = realpath(folder, NULL);
    const char *defaults[] = {
        ".",
        folder,
        arena_format(a, "%s/systems/%s", h->folder, file_stem(a, full == NULL ? folder : full)),
        arena_format(a, "%s/systems/%s", h->folder, file_stem(a, description)),
        arena_format(a, "%s/bin", h->folder),
        arena_format(a, "%s/test/kernel", h->folder),
        arena_format(a, "%s/test/bench", h->folder),
        h->folder,
    };
    free((char *)full);
    size_t count = sizeof(defaults) / sizeof(defaults[0]);
    struct search s = {.folders = arena_alloc(a, (given->count + count) * sizeof(s.folders[0]))};
    for (size_t i = 0; i < given->count; i++) {
        s.folders[s.count++] = given->folders[i];
    }
    for (size_t i = 0; i < count; i++) {
        s.folders[s.count++] = defaults[i];
    }
    return s;
}

// Opening and building the system: see build.h.
#include "build.h"

#include "make.h"
#include "plan.h"
#include "process.h"
#include "region.h"
#include "vm.h"
#include "wire.h"

// The kernel has filled init's slots from the first on, without a gap.
static handle_t first_empty(struct system *s)
{
    struct identity id;
    handle_t handle = BOOT_CSPACE;
    while (handle < BOOT_CSPACE_SLOTS && sys_identify(s->kernel, handle, &id) == OK) {
        handle++;
    }
    return handle;
}

#define FIRST_OBJECTS_BYTES                                                                        \
    (BOOT_CSPACE_SLOTS * 128u) // of init itself, at the low end of the first untyped

// The kernel has carved init out of untyped memory: a page taken from its high end shows how far.
static err_t measure_memory(struct system *s)
{
    memory_init(&s->memory, s->boot);
    s->memory.extent[0].low += FIRST_OBJECTS_BYTES;
    for (unsigned i = 0; i < s->memory.count; i++) {
        struct extent *e = &s->memory.extent[i];
        struct identity page = {.physical = e->low};
        err_t err = sys_retype(s->kernel, e->untyped, OBJ_FRAMES, PAGE_SIZE, here(s->scratch));
        if (err == OK) {
            err = sys_identify(s->kernel, s->scratch, &page);
        }
        if (err == OK) {
            err = sys_delete(s->kernel, here(s->scratch));
        }
        if (err != OK && err != ERR_NO_MEMORY) {
            return err;
        }
        e->high = page.physical > e->low ? page.physical : e->low;
    }
    return OK;
}

bool system_open(struct system *s, const void *bundle_bytes, const void *fdt)
{
    const char *wrong = bundle_open(bundle_bytes, s->boot->bundle_size, &s->bundle);
    if (wrong != NULL) {
        say(s->kernel, "the bundle is damaged: %s", wrong);
        return false;
    }
    if (!tree_check(fdt, s->boot->fdt_size)) {
        say(s->kernel, "the machine's device tree is malformed");
        return false;
    }
    s->fdt = fdt;
    s->end_at = DEADLINE_NEVER;
    s->scratch = first_empty(s);
    s->next_handle = s->scratch + 1;
    err_t err = measure_memory(s);
    if (err != OK) {
        say(s->kernel, "free memory cannot be measured: %s", err_text(err));
    }
    return err == OK;
}

static bool build_processes(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->processes.count; i++) {
        err_t err = process_build(s, i);
        if (err != OK) {
            refuse(s->kernel, process_element(s, i), "it cannot be built: %s", err_text(err));
            return false;
        }
    }
    return true;
}

bool system_build(struct system *s)
{
    return build_regions(s) && build_guests(s) && build_processes(s) && build_maps(s) &&
           build_vms(s) && build_wires(s);
}

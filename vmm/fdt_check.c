// See fdt_check.h: Devicetree Specification 0.4, chapter 5.
#include "fdt_check.h"

#include <libfdt.h>

#include <base/range.h>

#define VERSION 17u // the first that tells the length of its structure

static bool blocks_are_apart(const void *fdt)
{
    int reservations = fdt_num_mem_rsv(fdt);
    if (reservations < 0) {
        return false;
    }
    uint64_t entries = (uint64_t)reservations + 1; // and the one that ends them
    struct range blocks[] = {
        {0, sizeof(struct fdt_header)},
        {fdt_off_mem_rsvmap(fdt), entries * sizeof(struct fdt_reserve_entry)},
        {fdt_off_dt_struct(fdt), fdt_size_dt_struct(fdt)},
        {fdt_off_dt_strings(fdt), fdt_size_dt_strings(fdt)},
    };
    struct range all = {0, fdt_totalsize(fdt)};
    for (unsigned i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        if (!range_contains(all, blocks[i].base, blocks[i].size)) {
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            if (range_overlaps(blocks[i], blocks[j])) {
                return false;
            }
        }
    }
    return true;
}

// One node with all others inside, every property with a name. Each tag is longer than nothing: the loop ends.
static bool structure_is_whole(const void *fdt)
{
    int depth = 0;
    int at = 0;
    for (;;) {
        int next;
        const char *name;
        uint32_t tag = fdt_next_tag(fdt, at, &next);
        if (next < 0) {
            return false;
        }
        if (tag == FDT_END) {
            return depth == 0 && at != 0;
        }
        if (tag == FDT_PROP && fdt_getprop_by_offset(fdt, at, &name, NULL) == NULL) {
            return false;
        }
        depth += tag == FDT_BEGIN_NODE ? 1 : tag == FDT_END_NODE ? -1 : 0;
        if (depth < 0 || (depth == 0 && tag == FDT_PROP)) {
            return false;
        }
        at = next;
    }
}

bool fdt_is_sound(const void *fdt, size_t size)
{
    return size >= sizeof(struct fdt_header) && fdt_check_header(fdt) == 0 &&
           fdt_version(fdt) >= VERSION && fdt_totalsize(fdt) <= size && blocks_are_apart(fdt) &&
           structure_is_whole(fdt);
}

// Memory regions: see region.h.
#include "region.h"

#include <base/bits.h>

#include "make.h"

// ---- Fixed memory -----------------------------------------------------------------------------------------------

// Carves [r.base, e->high) off as untyped memory of its own, so that what is carved next ends at r.base.
static err_t carve_above(struct system *s, struct extent *e, struct range above)
{
    struct piece pieces[PIECES_MAX];
    unsigned count = memory_pieces(above, pieces);
    for (unsigned i = 0; i < count; i++) {
        handle_t untyped = new_handle(s);
        struct range piece = {above.base + pieces[i].offset, pieces[i].size};
        err_t err = sys_retype(s->kernel, e->untyped, OBJ_UNTYPED, piece.size, here(untyped));
        if (err != OK) {
            return err;
        }
        if (!memory_add(&s->memory, piece, untyped)) {
            return ERR_NO_MEMORY;
        }
    }
    return OK;
}

static err_t carve_fixed(struct system *s, struct region *r)
{
    struct extent *e = memory_find(&s->memory, r->where);
    if (e == NULL) {
        return ERR_NO_MEMORY;
    }
    uint64_t end = r->where.base + r->where.size;
    err_t err = carve_above(s, e, (struct range){end, e->high - end});
    r->piece_count = memory_pieces(r->where, r->pieces);
    for (unsigned i = 0; err == OK && i < r->piece_count; i++) {
        r->frames[i] = new_handle(s);
        err = sys_retype(s->kernel, e->untyped, OBJ_FRAMES, r->pieces[i].size, here(r->frames[i]));
    }
    memory_cut(e, r->where);
    return err;
}

// The kernel puts frames where our model says, or this is the wrong memory.
static err_t check_place(struct system *s, const struct region *r)
{
    for (unsigned i = 0; i < r->piece_count; i++) {
        struct identity id;
        err_t err = sys_identify(s->kernel, r->frames[i], &id);
        if (err != OK) {
            return err;
        }
        if (id.physical != r->where.base + r->pieces[i].offset) {
            return ERR_RANGE;
        }
    }
    return OK;
}

// ---- The others -------------------------------------------------------------------------------------------------

static err_t build_memory(struct system *s, struct region *r)
{
    struct identity id;
    err_t err = make_object(s, OBJ_FRAMES, r->where.size, &r->frames[0]);
    if (err == OK) {
        err = sys_identify(s->kernel, r->frames[0], &id);
    }
    if (err == OK) {
        r->piece_count = 1;
        r->pieces[0] = (struct piece){0, r->where.size};
        r->where.base = id.physical;
    }
    return err;
}

static err_t build_device(struct system *s, struct region *r)
{
    r->piece_count = 1;
    r->pieces[0] = (struct piece){0, r->where.size};
    return make_device_frames(s, r->where, &r->frames[0]);
}

static err_t build_in_place(struct system *s, struct region *r)
{
    uint64_t offset = bundle_region(&s->bundle, (uint32_t)(r - s->regions))->prefill.offset;
    struct identity id;
    err_t err = sys_identify(s->kernel, BOOT_BUNDLE, &id);
    if (err == OK) {
        r->where.base = id.physical + offset;
        r->piece_count = 1;
        r->pieces[0] = (struct piece){0, r->where.size};
        r->frames[0] = BOOT_BUNDLE;
    }
    return err;
}

static err_t prefill(struct system *s, const struct region *r, const struct bundle_blob *blob)
{
    const char *data = bundle_at(&s->bundle, blob->offset);
    for (unsigned i = 0; i < r->piece_count; i++) {
        const struct piece *piece = &r->pieces[i];
        uint64_t rest = blob->size > piece->offset ? blob->size - piece->offset : 0;
        uint64_t size = rest < piece->size ? rest : piece->size;
        err_t err =
            fill_frames(s, r->frames[i], data + piece->offset, size, align_up(size, PAGE_SIZE));
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

static const char *failure_text(const struct region *r, err_t err)
{
    if (r->is_device && err == ERR_RANGE) {
        return "the kernel keeps what is there for itself";
    }
    return err_text(err);
}

static bool built(struct system *s, const struct region *r, err_t err)
{
    uint32_t i = (uint32_t)(r - s->regions);
    if (err == OK && !r->is_in_place) {
        err = prefill(s, r, &bundle_region(&s->bundle, i)->prefill);
    }
    if (err != OK) {
        refuse(s->kernel, region_element(s, i), "at %#lx, %lu KiB: %s", r->where.base,
               r->where.size / 1024, failure_text(r, err));
    }
    return err == OK;
}

// As the plan reckoned: those that need 2 MiB boundaries first.
static bool build_sizes(struct system *s, bool large)
{
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        struct region *r = &s->regions[i];
        if (region_is_anywhere(r) && (r->where.size >= LARGE_PAGE_SIZE) == large &&
            !built(s, r, build_memory(s, r))) {
            return false;
        }
    }
    return true;
}

bool build_regions(struct system *s)
{
    for (struct region *r = next_fixed(s, UINT64_MAX); r != NULL;
         r = next_fixed(s, r->where.base)) {
        err_t err = carve_fixed(s, r);
        if (!built(s, r, err == OK ? check_place(s, r) : err)) {
            return false;
        }
    }
    if (!build_sizes(s, true) || !build_sizes(s, false)) {
        return false;
    }
    for (uint32_t i = 0; i < s->bundle.header->regions.count; i++) {
        struct region *r = &s->regions[i];
        if (r->is_device && !built(s, r, build_device(s, r))) {
            return false;
        }
        if (r->is_in_place && !built(s, r, build_in_place(s, r))) {
            return false;
        }
    }
    return true;
}

err_t map_region(struct system *s, uint32_t region, handle_t space, uint64_t address,
                 unsigned perms)
{
    const struct region *r = &s->regions[region];
    uint64_t first = r->is_in_place ? bundle_region(&s->bundle, region)->prefill.offset : 0;
    err_t err = OK;
    for (unsigned i = 0; err == OK && i < r->piece_count; i++) {
        const struct piece *piece = &r->pieces[i];
        err = map_frames(s, r->frames[i], (struct range){first, piece->size}, space,
                         address + piece->offset, perms);
    }
    return err;
}

bool build_maps(struct system *s)
{
    for (uint32_t i = 0; i < s->bundle.header->maps.count; i++) {
        const struct bundle_map *map = bundle_map(&s->bundle, i);
        err_t err =
            map_region(s, map->region, s->processes[map->process].space, map->vaddr, map->perms);
        if (err != OK) {
            refuse(s->kernel, map_element(s, map), "at %#lx in \"%s\": %s", map->vaddr,
                   bundle_process(&s->bundle, map->process)->name, err_text(err));
            return false;
        }
    }
    return true;
}

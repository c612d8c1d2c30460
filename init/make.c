// Making things: see make.h.
#include "make.h"

#include <base/bits.h>
#include <base/str.h>

handle_t new_handle(struct system *s)
{
    return s->next_handle++;
}

// Each of these asks one untyped after the other until one has room.
err_t make_object(struct system *s, enum obj_type type, uint64_t size, handle_t *out)
{
    err_t err = ERR_NO_MEMORY;
    *out = new_handle(s);
    for (unsigned i = 0; err == ERR_NO_MEMORY && i < s->memory.count; i++) {
        err = sys_retype(s->kernel, s->memory.extent[i].untyped, type, size, here(*out));
    }
    return err;
}

err_t make_device_frames(struct system *s, struct range where, handle_t *out)
{
    err_t err = ERR_NO_MEMORY;
    *out = new_handle(s);
    for (unsigned i = 0; err == ERR_NO_MEMORY && i < s->memory.count; i++) {
        err = sys_device_frames(s->kernel, s->memory.extent[i].untyped, where.base,
                                where.size / PAGE_SIZE, here(*out));
    }
    return err;
}

err_t make_irq(struct system *s, const struct interrupt *irq, handle_t *out)
{
    err_t err = ERR_NO_MEMORY;
    *out = new_handle(s);
    for (unsigned i = 0; err == ERR_NO_MEMORY && i < s->memory.count; i++) {
        err = sys_irq_create(s->kernel, s->memory.extent[i].untyped, irq->intid, irq->trigger,
                             here(*out));
    }
    return err;
}

static unsigned rights_for(unsigned flags)
{
    return ((flags & MAP_READ) != 0 ? RIGHT_READ : 0u) |
           ((flags & MAP_WRITE) != 0 ? RIGHT_WRITE : 0u) |
           ((flags & MAP_EXECUTE) != 0 ? RIGHT_EXECUTE : 0u);
}

static err_t map_with(struct system *s, handle_t mapping, handle_t frames, struct range pages,
                      handle_t space, uint64_t address, unsigned flags)
{
    uint64_t badge = FRAMES_RANGE(pages.base / PAGE_SIZE, pages.size / PAGE_SIZE);
    err_t err = sys_copy(s->kernel, here(frames), here(mapping), rights_for(flags), badge);
    return err == OK ? sys_map(s->kernel, mapping, space, address, flags) : err;
}

err_t map_frames(struct system *s, handle_t frames, struct range pages, handle_t space,
                 uint64_t address, unsigned flags)
{
    return map_with(s, new_handle(s), frames, pages, space, address, flags);
}

err_t make_pages(struct system *s, handle_t space, uint64_t address, uint64_t size, unsigned flags,
                 handle_t *frames)
{
    err_t err = make_object(s, OBJ_FRAMES, size, frames);
    return err == OK ? sys_map(s->kernel, *frames, space, address, flags) : err;
}

// ---- The window -------------------------------------------------------------------------------------------------

// Part of frames in init's own space; pages.size is at most LARGE_PAGE_SIZE.
static err_t window_open(struct system *s, handle_t frames, struct range pages)
{
    return map_with(s, s->scratch, frames, pages, BOOT_SPACE, (uintptr_t)s->window,
                    MAP_READ | MAP_WRITE);
}

static err_t window_close(struct system *s)
{
    return sys_delete(s->kernel, here(s->scratch));
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

err_t fill_frames(struct system *s, handle_t frames, const void *data, uint64_t size,
                  uint64_t total)
{
    for (uint64_t done = 0; done < total; done += LARGE_PAGE_SIZE) {
        uint64_t bytes = min(total - done, LARGE_PAGE_SIZE);
        uint64_t copied = done < size ? min(size - done, bytes) : 0;
        err_t err = window_open(s, frames, (struct range){done, bytes});
        if (err != OK) {
            return err;
        }
        memcpy(s->window, (const char *)data + done, copied);
        memset((char *)s->window + copied, 0, bytes - copied);
        err = window_close(s);
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

err_t poke_frames(struct system *s, handle_t frames, uint64_t offset, uint64_t value)
{
    uint64_t first = align_down(offset, PAGE_SIZE);
    uint64_t end = align_up(offset + sizeof(value), PAGE_SIZE);
    err_t err = window_open(s, frames, (struct range){first, end - first});
    if (err != OK) {
        return err;
    }
    memcpy((char *)s->window + (offset - first), &value, sizeof(value));
    return window_close(s);
}

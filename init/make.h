// Making things out of the kernel's: objects out of whatever memory is left, copies of capabilities, bytes in frames.
// Everything goes to init's own capability space, unless a place is given.
#pragma once

#include "system.h"

static inline struct place here(handle_t handle)
{
    return (struct place){BOOT_CSPACE, handle};
}

static inline struct place slot_of(const struct system *s, uint32_t process, uint64_t handle)
{
    return (struct place){s->processes[process].cspace, handle};
}

// A slot of init's that nothing else will use. The plan has checked that there are enough.
handle_t new_handle(struct system *s);

err_t make_object(struct system *s, enum obj_type type, uint64_t size, handle_t *out) WARN_UNUSED;
err_t make_device_frames(struct system *s, struct range where, handle_t *out) WARN_UNUSED;
err_t make_irq(struct system *s, const struct interrupt *irq, handle_t *out) WARN_UNUSED;

// Maps pages of frames into a space, with a capability made for this mapping and `flags` rights.
err_t map_frames(struct system *s, handle_t frames, struct range pages, handle_t space,
                 uint64_t address, unsigned flags) WARN_UNUSED;

// New memory, mapped into a space.
err_t make_pages(struct system *s, handle_t space, uint64_t address, uint64_t size, unsigned flags,
                 handle_t *frames) WARN_UNUSED;

// Fills the first `total` bytes of frames: with `size` bytes of data, then with zeros. total is a page multiple.
err_t fill_frames(struct system *s, handle_t frames, const void *data, uint64_t size,
                  uint64_t total) WARN_UNUSED;
// Writes the eight bytes at `offset`.
err_t poke_frames(struct system *s, handle_t frames, uint64_t offset, uint64_t value) WARN_UNUSED;

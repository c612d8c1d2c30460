// A serial link from either side: abi/serial.h over lib/ring.h. Used by clients, the mux and UART drivers. Functions
// that look at what the other side wrote return ERR_INVALID when it makes no sense, then and ever after.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/err.h>
#include <abi/serial.h>

#include <lib/ring.h>

// One side's view. Private memory.
struct serial_link {
    struct serial_region *region;
    struct ring put; // this side produces
    struct ring get; // this side consumes
    uint32_t left;   // upper side: as it was believed last
};

// Begins, or after a restart goes on, at the position where the region says that this side stood.
void serial_link_upper(struct serial_link *l, void *region);
void serial_link_lower(struct serial_link *l, void *region);

// Appends what fits of the bytes.
WARN_UNUSED err_t serial_link_put(struct serial_link *l, const void *bytes, uint32_t size,
                                  uint32_t *put);

// How many bytes fit.
WARN_UNUSED err_t serial_link_room(struct serial_link *l, uint32_t *room);

// Takes at most `max` bytes.
WARN_UNUSED err_t serial_link_get(struct serial_link *l, void *bytes, uint32_t max, uint32_t *got);

// Copies at most `max` bytes without taking them; then takes at most as many as were seen.
WARN_UNUSED err_t serial_link_peek(struct serial_link *l, void *bytes, uint32_t max,
                                   uint32_t *seen);
void serial_link_skip(struct serial_link *l, uint32_t count);

// Upper side, after putting: does the lower side want a signal? (The lower side always signals what it put.)
bool serial_link_kick(struct serial_link *l);

// Lower side, before waiting for a signal. False: there are bytes to get already, don't wait.
bool serial_link_wait(struct serial_link *l);

// Positions: how many bytes this side has put and taken so far.
uint32_t serial_link_put_position(const struct serial_link *l);
uint32_t serial_link_taken(const struct serial_link *l);

// Lower side: says that all bytes before `position` have left the wire.
void serial_link_set_left(struct serial_link *l, uint32_t position);

// Upper side: the position before which all have left, and whether that is all that was put.
WARN_UNUSED err_t serial_link_left(struct serial_link *l, uint32_t *position);
WARN_UNUSED err_t serial_link_all_left(struct serial_link *l, bool *all);

// The name that the upper side gave itself: any bytes, not necessarily ended.
void serial_link_set_name(struct serial_link *l, const char *name);
void serial_link_name(const struct serial_link *l, char name[SERIAL_NAME_MAX]);

// A serial mux on the development machine: regions on the heap, a driver and clients that are nothing but the other
// sides of the links. For tests and fuzzers of mux/serial/mux.c.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mux/serial/mux.h>

#define WORLD_TICKS 1000000u // a second

struct world {
    struct mux mux;
    uint64_t now;
    struct serial_region *wire;                 // mux and driver
    struct serial_region *regions[MUX_SOURCES]; // mux and client
    struct serial_link driver;                  // the driver's side
    struct serial_link clients[MUX_SOURCES];    // the clients' sides
    uint8_t screen[65536];                      // what the driver was given, a final zero behind it
    uint32_t screen_length;
    struct mux_wishes wishes; // of the last run
};

static inline void world_init(struct world *w, unsigned clients, const char *config)
{
    memset(w, 0, sizeof(*w));
    w->now = 1;
    w->wire = calloc(1, sizeof(*w->wire));
    mux_init(&w->mux, WORLD_TICKS, config, config == NULL ? 0 : strlen(config), w->wire);
    serial_link_lower(&w->driver, w->wire);
    for (unsigned n = 1; n <= clients; n++) {
        w->regions[n] = calloc(1, sizeof(*w->regions[n]));
        mux_add_client(&w->mux, n, w->regions[n]);
        serial_link_upper(&w->clients[n], w->regions[n]);
    }
}

static inline void world_free(struct world *w)
{
    free(w->wire);
    for (unsigned n = 1; n < MUX_SOURCES; n++) {
        free(w->regions[n]);
    }
}

static inline void world_run(struct world *w)
{
    w->wishes = mux_run(&w->mux, w->now);
}

// The driver takes up to `max` bytes and puts them on the screen. Returns how many.
static inline uint32_t world_drive(struct world *w, uint32_t max)
{
    uint32_t room = (uint32_t)sizeof(w->screen) - 1 - w->screen_length;
    uint32_t got;
    if (serial_link_get(&w->driver, w->screen + w->screen_length, max < room ? max : room, &got) !=
        OK) {
        return 0;
    }
    w->screen_length += got;
    w->screen[w->screen_length] = 0;
    return got;
}

// What the driver took has left the wire.
static inline void world_leave(struct world *w)
{
    serial_link_set_left(&w->driver, serial_link_taken(&w->driver));
}

// Runs mux and driver until neither has anything to do at this time.
static inline void world_settle(struct world *w)
{
    for (unsigned i = 0; i < 10000; i++) {
        world_run(w);
        uint32_t got = world_drive(w, UINT32_MAX);
        world_leave(w);
        if (got == 0 && w->wishes.notify == 0 && w->wishes.deadline > w->now) {
            return;
        }
    }
    abort(); // it never comes to rest
}

static inline uint32_t world_say(struct world *w, unsigned client, const char *text)
{
    uint32_t put;
    if (serial_link_put(&w->clients[client], text, (uint32_t)strlen(text), &put) != OK) {
        return 0;
    }
    return put;
}

static inline void world_type(struct world *w, const char *keys)
{
    uint32_t put;
    if (serial_link_put(&w->driver, keys, (uint32_t)strlen(keys), &put) != OK) {
        abort();
    }
}

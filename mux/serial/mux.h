// The serial mux without its process: one UART driver below, up to nine clients above. Takes lines from the clients in
// turn, sends typed bytes to the selected client, obeys the escape key, and tells clients when their output has left
// the wire. Works on rings in memory and a clock that the caller reads: it runs on the development machine as well.
//
// Neither clients nor driver are trusted. A client whose ring makes no sense is cut off: its ring is never touched
// again. Limit: what clients print goes to the terminal as it is, terminal control sequences included.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <lib/serial_link.h>

#include "config.h"
#include "credit.h"
#include "escape.h"
#include "line.h"

#define MUX_DRIVER        0u    // channel of the driver
#define MUX_SELF          0u    // as a source: what the mux itself says
#define MUX_SOURCES       10u   // itself and clients 1..9; a client's number is its channel
#define MUX_NOTES_MAX     1024u // bytes that the mux has to say and hasn't
#define MUX_OUTPUT_BUDGET 4096u // bytes to the driver in one run
#define MUX_INPUT_BUDGET  256u  // bytes from the driver in one run

enum mux_client_state {
    CLIENT_ABSENT,
    CLIENT_QUIET, // has said nothing yet: its name isn't known
    CLIENT_KNOWN,
    CLIENT_CUT, // its ring was corrupt; for good
};

struct mux_client {
    enum mux_client_state state;
    uint64_t dropped; // bytes of input that it did not take
    struct serial_link link;
    struct line line; // collected, not yet sent
    char name[SERIAL_NAME_MAX];
    char prefix[LINE_PREFIX_MAX];
};

struct mux {
    struct config config;
    uint64_t patience; // ticks that an unfinished line waits for its end
    bool driver_broken;
    struct serial_link driver;
    struct mux_client clients[MUX_SOURCES]; // [MUX_SELF]: line and prefix only
    unsigned selected;                      // client that gets input, 0: none
    unsigned turn;                          // source that spoke last
    struct escape escape;
    struct output output;
    struct credit_queue credits;
    bool quitting;
    uint64_t quit_at;     // ticks: then at the latest, if quitting
    uint32_t notes_first; // of notes, a circle
    uint32_t notes_count;
    char notes[MUX_NOTES_MAX];
};

// What the process is to do after a run.
struct mux_wishes {
    uint32_t notify;   // BIT(channel): signal the driver (channel 0) and these clients
    uint64_t deadline; // ticks: run again then at the latest; UINT64_MAX: only when notified
    bool quit;         // the user asked for the end, and everything said has left
};

// `config` is the configuration text or NULL. `driver` is the region shared with the driver.
void mux_init(struct mux *m, uint64_t ticks_per_second, const char *config, size_t config_size,
              void *driver);

// A client on channel `number`, 1..9, with its region. Before the first run.
void mux_add_client(struct mux *m, unsigned number, void *region);

// Does what there is to do, a bounded amount of it.
struct mux_wishes mux_run(struct mux *m, uint64_t now);

// Says something on the mux's own account; what doesn't fit is dropped.
void mux_say(struct mux *m, const char *text_format, ...) __attribute__((format(printf, 2, 3)));

// The serial mux against clients and a driver that write anything into the memory they share with it, at any time.
// The input is a list of steps, a byte each with its operands behind it. What must hold: no access outside the
// regions (the sanitizers see it), bounded runs, and an honest client is never cut off.
// sources: mux/serial/mux.c mux/serial/line.c mux/serial/credit.c mux/serial/config.c mux/serial/escape.c
// sources: lib/serial_link.c lib/ring.c base/format.c
// flags: -Itest/unit
#include <serial_world.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 3u
#define HONEST  3u // the client that only says what it is told to say

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t take(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

static uint32_t take_word(struct input *in)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) {
        word = word << 8 | take(in);
    }
    return word;
}

static void put(struct serial_link *l, struct input *in, uint32_t length)
{
    uint8_t bytes[64];
    uint32_t count;
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = take(in);
    }
    if (serial_link_put(l, bytes, length, &count) != OK) {
        return;
    }
}

// Any 32-bit word among the region's header, by anyone but the honest client.
static void scribble(struct world *w, struct input *in)
{
    unsigned n = take(in) % HONEST;
    struct serial_region *r = n == 0 ? w->wire : w->regions[n];
    uint32_t *words = (uint32_t *)(void *)r;
    size_t count = offsetof(struct serial_region, out_data) / sizeof(uint32_t);
    words[take(in) % count] = take_word(in);
}

static void step(struct world *w, struct input *in)
{
    uint8_t op = take(in);
    switch (op % 8) {
    case 0:
        world_run(w);
        break;
    case 1:
        put(&w->clients[1 + take(in) % CLIENTS], in, take(in) % 64);
        break;
    case 2:
        put(&w->driver, in, take(in) % 64);
        break;
    case 3:
        scribble(w, in);
        break;
    case 4:
        w->screen_length = 0;
        world_drive(w, take(in));
        break;
    case 5:
        world_leave(w);
        break;
    case 6:
        w->now += take_word(in);
        break;
    case 7:
        serial_link_upper(&w->clients[1 + op / 8 % 2], w->regions[1 + op / 8 % 2]);
        break;
    }
}

static void check(const struct world *w)
{
    if (w->mux.notes_count > MUX_NOTES_MAX || w->mux.output.length > OUTPUT_MAX ||
        w->mux.output.sent > w->mux.output.length || w->mux.credits.count > CREDIT_MAX ||
        w->mux.selected > CLIENTS || w->mux.clients[HONEST].state == CLIENT_CUT ||
        (w->wishes.notify & ~0xfu) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct input in = {data, size};
    char config[64] = "";
    uint8_t config_size = take(&in) % sizeof(config);
    for (uint8_t i = 0; i + 1 < config_size; i++) {
        config[i] = (char)take(&in);
    }
    world_init(&w, CLIENTS, config_size == 0 ? NULL : config);
    while (in.left > 0) {
        step(&w, &in);
        check(&w);
    }
    world_run(&w);
    check(&w);
    world_free(&w);
    return 0;
}

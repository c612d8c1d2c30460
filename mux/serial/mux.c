// See mux.h.
#include "mux.h"

#include <stdarg.h>

#include <base/bits.h>
#include <base/format.h>
#include <base/str.h>

#define PATIENCE_MS 20u   // for an unfinished line
#define QUIT_MAX_MS 1000u // for what is still to be said before the end

// One run's work.
struct run {
    struct mux *m;
    uint64_t now;
    uint32_t output_left; // bytes
    struct mux_wishes wishes;
};

// ---- The mux's own words ---------------------------------------------------------------------------------------------

static void say_text(struct mux *m, const char *text)
{
    size_t length = strlen(text);
    if (length > MUX_NOTES_MAX - m->notes_count) {
        return;
    }
    for (size_t i = 0; i < length; i++) {
        m->notes[(m->notes_first + m->notes_count++) % MUX_NOTES_MAX] = text[i];
    }
}

void mux_say(struct mux *m, const char *text_format, ...)
{
    char text[128];
    va_list args;
    va_start(args, text_format);
    format_v(text, sizeof(text), text_format, args);
    va_end(args);
    say_text(m, text);
}

static bool take_note(struct mux *m, uint8_t *byte)
{
    if (m->notes_count == 0) {
        return false;
    }
    *byte = (uint8_t)m->notes[m->notes_first];
    m->notes_first = (m->notes_first + 1) % MUX_NOTES_MAX;
    m->notes_count--;
    return true;
}

static void say_help(struct mux *m)
{
    say_text(m, "Ctrl-] then 1-9: input to that client, ?: this help, q: end the system, Ctrl-]: "
                "send it on\n");
    for (unsigned n = 1; n < MUX_SOURCES; n++) {
        const struct mux_client *c = &m->clients[n];
        if (c->state == CLIENT_ABSENT) {
            continue;
        }
        char dropped[40] = "";
        if (c->dropped > 0) {
            format(dropped, sizeof(dropped), ", %lu bytes dropped", (unsigned long)c->dropped);
        }
        mux_say(m, "  %u %s%s%s%s\n", n, c->name, n == m->selected ? " <- input" : "",
                c->state == CLIENT_CUT ? ", cut off" : "", dropped);
    }
}

// ---- Clients ---------------------------------------------------------------------------------------------------------

static void set_name(struct mux_client *c, const char *name)
{
    memcpy(c->name, name, SERIAL_NAME_MAX);
    format(c->prefix, sizeof(c->prefix), "%s| ", c->name);
}

static bool name_taken(const struct mux *m, const char *name, const struct mux_client *except)
{
    for (unsigned n = 1; n < MUX_SOURCES; n++) {
        const struct mux_client *c = &m->clients[n];
        if (c != except && c->state != CLIENT_ABSENT && strcmp(c->name, name) == 0) {
            return true;
        }
    }
    return strcmp(m->clients[MUX_SELF].name, name) == 0;
}

// A client's own word for its name counts once, when it speaks first, and only if it can't be taken for another's.
static void learn_name(struct mux *m, struct mux_client *c)
{
    char name[SERIAL_NAME_MAX];
    char theirs[SERIAL_NAME_MAX];

    c->state = CLIENT_KNOWN;
    serial_link_name(&c->link, theirs);
    config_name(name, theirs, sizeof(theirs));
    bool configured = m->config.names[c - m->clients][0] != '\0';
    if (!configured && name[0] != '\0' && !name_taken(m, name, c)) {
        set_name(c, name);
    }
}

static void cut_off(struct mux *m, struct mux_client *c)
{
    c->state = CLIENT_CUT;
    mux_say(m, "%s is cut off: its ring is corrupt\n", c->name);
}

static bool is_alive(const struct mux_client *c)
{
    return c->state == CLIENT_QUIET || c->state == CLIENT_KNOWN;
}

// ---- From the driver: what has left, what was typed ------------------------------------------------------------------

static void give_credits(struct run *r)
{
    struct mux *m = r->m;
    uint32_t left;
    if (serial_link_left(&m->driver, &left) != OK) {
        m->driver_broken = true;
        return;
    }
    struct credit credit;
    while (credit_take(&m->credits, left, &credit)) {
        struct mux_client *c = &m->clients[credit.source];
        if (is_alive(c)) {
            serial_link_set_left(&c->link, credit.position);
            r->wishes.notify |= (uint32_t)BIT(credit.source);
        }
    }
}

static void select_client(struct mux *m, unsigned number)
{
    const struct mux_client *c = &m->clients[number];
    if (c->state == CLIENT_ABSENT) {
        mux_say(m, "there is no client %u\n", number);
        return;
    }
    m->selected = number;
    mux_say(m, "input to %s\n", c->name);
}

static void give_input(struct run *r, uint8_t byte)
{
    struct mux *m = r->m;
    struct mux_client *c = &m->clients[m->selected];
    uint32_t given = 0;
    if (!is_alive(c)) {
        c->dropped++;
        return;
    }
    if (serial_link_put(&c->link, &byte, 1, &given) != OK) {
        cut_off(m, c);
    }
    if (given == 0) {
        c->dropped++;
        return;
    }
    r->wishes.notify |= (uint32_t)BIT(m->selected);
}

static void obey(struct run *r, struct escape_event event)
{
    struct mux *m = r->m;
    switch (event.action) {
    case ESCAPE_NOTHING:
        break;
    case ESCAPE_INPUT:
        give_input(r, event.value);
        break;
    case ESCAPE_SELECT:
        select_client(m, event.value);
        break;
    case ESCAPE_HELP:
        say_help(m);
        break;
    case ESCAPE_QUIT:
        if (!m->quitting) {
            m->quitting = true;
            m->quit_at = r->now + m->patience * (QUIT_MAX_MS / PATIENCE_MS);
            say_text(m, "end of the system, as asked\n");
        }
        break;
    case ESCAPE_UNKNOWN:
        say_text(m, "no such command, Ctrl-] ? helps\n");
        break;
    }
}

static void take_input(struct run *r)
{
    struct mux *m = r->m;
    uint8_t typed[MUX_INPUT_BUDGET];
    uint32_t count;
    if (serial_link_get(&m->driver, typed, sizeof(typed), &count) != OK) {
        m->driver_broken = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        obey(r, escape_feed(&m->escape, typed[i]));
    }
    if (count == sizeof(typed)) {
        r->wishes.deadline = r->now;
    }
}

// ---- To the driver: lines --------------------------------------------------------------------------------------------

static void collect_notes(struct mux *m, struct line *line, uint64_t now)
{
    uint8_t byte;
    while (!line_complete(line) && take_note(m, &byte)) {
        line_add(line, byte, now);
    }
}

// Takes bytes up to the end of the line, the line's room, or what the client has said.
static void collect_client(struct mux *m, struct mux_client *c, uint64_t now)
{
    while (is_alive(c) && !line_complete(&c->line)) {
        uint8_t bytes[64];
        uint32_t count;
        if (serial_link_peek(&c->link, bytes, sizeof(bytes), &count) != OK) {
            cut_off(m, c);
            return;
        }
        if (count == 0) {
            return;
        }
        if (c->state == CLIENT_QUIET) {
            learn_name(m, c);
        }
        uint32_t used = 0;
        while (used < count && !line_complete(&c->line)) {
            line_add(&c->line, bytes[used++], now);
        }
        serial_link_skip(&c->link, used);
    }
}

// Everybody's line, so that nobody's patience starts late; the mux's own last: it may have to tell of a client.
static void collect(struct run *r)
{
    struct mux *m = r->m;
    for (unsigned n = 1; n < MUX_SOURCES; n++) {
        collect_client(m, &m->clients[n], r->now);
    }
    collect_notes(m, &m->clients[MUX_SELF].line, r->now);
}

// An unfinished line waits for its end, unless it goes on where the cursor stands: a typed character's echo.
static bool is_ready(const struct run *r, unsigned source)
{
    const struct mux *m = r->m;
    const struct line *line = &m->clients[source].line;
    return line_ready(line, r->now, m->patience) || (line->length > 0 && m->output.owner == source);
}

// The next source in turn that has a line to send.
static bool next_source(const struct run *r, unsigned *out)
{
    for (unsigned i = 1; i <= MUX_SOURCES; i++) {
        unsigned source = (r->m->turn + i) % MUX_SOURCES;
        if (is_ready(r, source)) {
            *out = source;
            return true;
        }
    }
    return false;
}

// Puts the next line into the output. False: nobody has one, or too many are on their way.
static bool next_line(struct run *r)
{
    struct mux *m = r->m;
    unsigned source;
    collect(r);
    if (credit_full(&m->credits) || !next_source(r, &source)) {
        return false;
    }
    struct mux_client *c = &m->clients[source];
    output_line(&m->output, source, m->config.prefix ? c->prefix : NULL, &c->line);
    m->turn = source;
    if (source != MUX_SELF) {
        credit_add(&m->credits, (struct credit){
                                    .source = source,
                                    .position = serial_link_taken(&c->link),
                                    .end = serial_link_put_position(&m->driver) + m->output.length,
                                });
    }
    return true;
}

// Moves the output on. False: the driver's ring is full, or the run's share is used up.
static bool send(struct run *r)
{
    struct mux *m = r->m;
    struct output *o = &m->output;
    uint32_t wanted = o->length - o->sent;
    uint32_t allowed = wanted < r->output_left ? wanted : r->output_left;
    uint32_t sent = 0;
    if (serial_link_put(&m->driver, o->text + o->sent, allowed, &sent) != OK) {
        m->driver_broken = true;
        return false;
    }
    o->sent += sent;
    r->output_left -= sent;
    return output_done(o);
}

static void send_lines(struct run *r)
{
    while (send(r) && next_line(r)) {
    }
    if (serial_link_kick(&r->m->driver)) {
        r->wishes.notify |= (uint32_t)BIT(MUX_DRIVER);
    }
}

// ---- A run -----------------------------------------------------------------------------------------------------------

static void want_deadline(struct run *r, uint64_t deadline)
{
    if (deadline < r->wishes.deadline) {
        r->wishes.deadline = deadline;
    }
}

// Asks the clients for a signal, unless the driver's comes first: it signals whenever something has left.
static void want_clients(struct run *r)
{
    struct mux *m = r->m;
    if (r->output_left == 0) {
        want_deadline(r, r->now);
        return;
    }
    if (!output_done(&m->output) || credit_full(&m->credits)) {
        return;
    }
    for (unsigned n = 1; n < MUX_SOURCES; n++) {
        if (is_alive(&m->clients[n]) && !serial_link_wait(&m->clients[n].link)) {
            want_deadline(r, r->now);
        }
    }
}

// Unfinished lines want a run when their patience ends; if they can't be sent then, a notification will come.
static void want_patience(struct run *r)
{
    const struct mux *m = r->m;
    for (unsigned source = 0; source < MUX_SOURCES; source++) {
        const struct line *line = &m->clients[source].line;
        if (line->length > 0 && !is_ready(r, source)) {
            want_deadline(r, line->since + m->patience);
        }
    }
}

static void check_quit(struct run *r)
{
    struct mux *m = r->m;
    if (!m->quitting) {
        return;
    }
    bool said =
        m->notes_count == 0 && m->clients[MUX_SELF].line.length == 0 && output_done(&m->output);
    bool left = false;
    m->driver_broken |= serial_link_all_left(&m->driver, &left) != OK;
    r->wishes.quit = (said && left) || m->driver_broken || r->now >= m->quit_at;
    want_deadline(r, m->quit_at);
}

struct mux_wishes mux_run(struct mux *m, uint64_t now)
{
    struct run r = {
        .m = m,
        .now = now,
        .output_left = MUX_OUTPUT_BUDGET,
        .wishes = {.deadline = UINT64_MAX},
    };
    if (!m->driver_broken) {
        give_credits(&r);
        take_input(&r);
        send_lines(&r);
        want_clients(&r);
        want_patience(&r);
    }
    check_quit(&r);
    return r.wishes;
}

// ---- Making one ------------------------------------------------------------------------------------------------------

void mux_init(struct mux *m, uint64_t ticks_per_second, const char *config, size_t config_size,
              void *driver)
{
    memset(m, 0, sizeof(*m));
    unsigned bad = config_parse(&m->config, config, config == NULL ? 0 : config_size);
    m->patience = ticks_per_second * PATIENCE_MS / 1000;
    output_init(&m->output);
    serial_link_upper(&m->driver, driver);
    set_name(&m->clients[MUX_SELF], (const char[SERIAL_NAME_MAX]){"serial"});
    if (bad != 0) {
        mux_say(m, "line %u of the configuration makes no sense\n", bad);
    }
}

void mux_add_client(struct mux *m, unsigned number, void *region)
{
    struct mux_client *c = &m->clients[number];
    char name[SERIAL_NAME_MAX] = "client1";
    name[6] = (char)('0' + number);
    set_name(c, m->config.names[number][0] != '\0' ? m->config.names[number] : name);
    c->state = CLIENT_QUIET;
    serial_link_lower(&c->link, region);
    if (m->selected == 0) {
        m->selected = number;
    }
}

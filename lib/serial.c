// See serial.h.
#include "serial.h"

#include <base/format.h>
#include <base/str.h>

void serial_init(struct serial *s, uintptr_t region, microkit_channel channel)
{
    *s = (struct serial){.channel = channel};
    serial_link_upper(&s->link, (void *)region);
    serial_link_set_name(&s->link, microkit_name);
    if (serial_link_kick(&s->link)) { // for a predecessor that had no time to
        microkit_notify(channel);
    }
}

size_t serial_write(struct serial *s, const void *data, size_t size)
{
    uint32_t put = 0;
    uint32_t fits = size < SERIAL_OUT_SIZE ? (uint32_t)size : SERIAL_OUT_SIZE;
    if (s->broken) {
        return 0;
    }
    if (serial_link_put(&s->link, data, fits, &put) != OK) {
        s->broken = true;
        return 0;
    }
    if (serial_link_kick(&s->link)) {
        microkit_notify(s->channel);
    }
    return put;
}

static bool write_whole(struct serial *s, const char *text, size_t length)
{
    uint32_t room;
    if (s->broken || serial_link_room(&s->link, &room) != OK || room < length) {
        return false;
    }
    return serial_write(s, text, length) == length;
}

bool serial_puts(struct serial *s, const char *text)
{
    return write_whole(s, text, strlen(text));
}

bool serial_printf(struct serial *s, const char *fmt, ...)
{
    char text[SERIAL_PRINTF_MAX];
    va_list args;
    va_start(args, fmt);
    size_t length = format_v(text, sizeof(text), fmt, args);
    va_end(args);
    return length < sizeof(text) && write_whole(s, text, length);
}

size_t serial_read(struct serial *s, void *data, size_t max)
{
    uint32_t got = 0;
    uint32_t wanted = max < SERIAL_IN_SIZE ? (uint32_t)max : SERIAL_IN_SIZE;
    if (s->broken || serial_link_get(&s->link, data, wanted, &got) != OK) {
        s->broken = true;
        return 0;
    }
    return got;
}

bool serial_drained(struct serial *s)
{
    bool all = false;
    if (s->broken || serial_link_all_left(&s->link, &all) != OK) {
        s->broken = true;
        return false;
    }
    return all;
}

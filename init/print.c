// init's messages: see print.h.
#include "print.h"

#include <stdarg.h>

#include <base/format.h>

#define LINE_LENGTH_MAX 320u
#define WRITE_MAX       48u // characters that one system call takes

struct line {
    char text[LINE_LENGTH_MAX];
    size_t length;
};

static void add_v(struct line *l, const char *text, va_list args)
{
    size_t room = LINE_LENGTH_MAX - 1 - l->length; // the last place is the newline's
    size_t wanted = format_v(l->text + l->length, room, text, args);
    l->length += wanted < room ? wanted : room - 1;
}

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    add_v(l, text, args);
    va_end(args);
}

static void put(struct kernel *k, struct line *l)
{
    l->text[l->length++] = '\n';
    for (size_t done = 0; done < l->length; done += WRITE_MAX) {
        size_t left = l->length - done;
        sys_console_write(k, l->text + done, (unsigned)(left < WRITE_MAX ? left : WRITE_MAX));
    }
}

const char *err_text(err_t err)
{
    switch (err) {
#define ERR_CASE(name, value, text)                                                                \
    case name:                                                                                     \
        return text;
        ERR_LIST(ERR_CASE)
#undef ERR_CASE
    default:
        return "an unknown error";
    }
}

void say(struct kernel *k, const char *text, ...)
{
    struct line l = {.length = 0};
    va_list args;
    add(&l, "init: ");
    va_start(args, text);
    add_v(&l, text, args);
    va_end(args);
    put(k, &l);
}

void announce(struct kernel *k, const char *text, ...)
{
    struct line l = {.length = 0};
    va_list args;
    add(&l, "bulkhead: ");
    va_start(args, text);
    add_v(&l, text, args);
    va_end(args);
    put(k, &l);
}

void refuse(struct kernel *k, struct element e, const char *why, ...)
{
    struct line l = {.length = 0};
    va_list args;
    add(&l, "init: %s \"%s\" (line %u): ", e.kind, e.name, e.line);
    va_start(args, why);
    add_v(&l, why, args);
    va_end(args);
    put(k, &l);
}

// See format.h.
#include "format.h"

#include <stdbool.h>
#include <stdint.h>

#define NUMBER_MAX 64 // characters of a number, its zeros included

struct out {
    char *text;
    size_t size;
    size_t length; // that the whole text would have
};

struct spec {
    bool zero;   // pad with zeros
    bool left;   // pad behind
    bool prefix; // 0x
    unsigned width;
    unsigned longs;
};

static void put(struct out *o, char c)
{
    if (o->length + 1 < o->size) {
        o->text[o->length] = c;
    }
    o->length++;
}

static void put_padded(struct out *o, const struct spec *s, const char *text, size_t length)
{
    for (size_t i = length; !s->left && i < s->width; i++) {
        put(o, ' ');
    }
    for (size_t i = 0; i < length; i++) {
        put(o, text[i]);
    }
    for (size_t i = length; s->left && i < s->width; i++) {
        put(o, ' ');
    }
}

static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned base,
                       bool negative)
{
    char text[NUMBER_MAX]; // filled from its end
    size_t at = sizeof(text);
    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);

    size_t before = (negative ? 1u : 0u) + (s->prefix ? 2u : 0u);
    while (s->zero && !s->left && sizeof(text) - at + before < s->width && at > before) {
        text[--at] = '0';
    }
    if (s->prefix) {
        text[--at] = 'x';
        text[--at] = '0';
    }
    if (negative) {
        text[--at] = '-';
    }
    put_padded(o, s, text + at, sizeof(text) - at);
}

static size_t text_length(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0') {
        n++;
    }
    return n;
}

// Reads what stands between % and the conversion.
static const char *read_spec(const char *f, struct spec *s)
{
    *s = (struct spec){0};
    for (;; f++) {
        if (*f == '0') {
            s->zero = true;
        } else if (*f == '-') {
            s->left = true;
        } else if (*f == '#') {
            s->prefix = true;
        } else {
            break;
        }
    }
    for (; *f >= '0' && *f <= '9'; f++) {
        s->width = s->width * 10 + (unsigned)(*f - '0');
    }
    for (; *f == 'l' || *f == 'z'; f++) {
        s->longs++;
    }
    return f;
}

size_t format_v(char *out, size_t size, const char *format, va_list args)
{
    struct out o = {out, size, 0};
    for (const char *f = format; *f != '\0'; f++) {
        if (*f != '%') {
            put(&o, *f);
            continue;
        }
        struct spec s;
        f = read_spec(f + 1, &s);
        if (*f == '\0') {
            break;
        }
        switch (*f) {
        case 's': {
            const char *text = va_arg(args, const char *);
            text = text == NULL ? "(null)" : text;
            put_padded(&o, &s, text, text_length(text));
            break;
        }
        case 'c': {
            char c = (char)va_arg(args, int);
            put_padded(&o, &s, &c, 1);
            break;
        }
        case 'd': {
            int64_t value = s.longs != 0 ? va_arg(args, long) : va_arg(args, int);
            uint64_t size_of_it = value < 0 ? -(uint64_t)value : (uint64_t)value;
            put_number(&o, &s, size_of_it, 10, value < 0);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = s.longs != 0 ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            s.prefix = s.prefix && *f == 'x';
            put_number(&o, &s, value, *f == 'u' ? 10 : 16, false);
            break;
        }
        case 'p':
            s.prefix = true;
            put_number(&o, &s, (uintptr_t)va_arg(args, void *), 16, false);
            break;
        default:
            put(&o, *f); // also of "%%"
            break;
        }
    }
    if (size != 0) {
        out[o.length < size ? o.length : size - 1] = '\0';
    }
    return o.length;
}

size_t format(char *out, size_t size, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    size_t length = format_v(out, size, text, args);
    va_end(args);
    return length;
}

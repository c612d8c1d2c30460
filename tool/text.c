// See text.h.
#include "text.h"

#include <stdint.h>
#include <stdlib.h>

#include <abi/syscall.h>

void text_begin(struct text *t)
{
    *t = (struct text){0};
    t->stream = open_memstream(&t->bytes, &t->size);
    if (t->stream == NULL) {
        fputs("bulkhead: this machine has no memory left\n", stderr);
        exit(1);
    }
}

const char *text_end(struct text *t, struct arena *a)
{
    fclose(t->stream);
    const char *copy = arena_copy(a, t->bytes, t->size);
    free(t->bytes);
    return copy;
}

void text_json_string(struct text *t, const char *s)
{
    fputc('"', t->stream);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            fprintf(t->stream, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(t->stream, "\\u%04x", c);
        } else {
            fputc(c, t->stream);
        }
    }
    fputc('"', t->stream);
}

static const char *xml_entity(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\r': // which a reader would take for a line end
        return "&#13;";
    default:
        return NULL;
    }
}

void text_xml(struct text *t, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *entity = xml_entity(*s);
        if (entity != NULL) {
            fputs(entity, t->stream);
        } else {
            fputc(*s, t->stream);
        }
    }
}

const char *text_perms(uint64_t perms)
{
    static const char *const names[] = {"---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"};
    return names[perms & (MAP_READ | MAP_WRITE | MAP_EXECUTE)];
}

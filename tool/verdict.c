// See verdict.h.
#include "verdict.h"

#include <string.h>

#include "value.h"

static const char announcement[] = "bulkhead: off, code ";

bool verdict_is(const char *line)
{
    uint64_t code;
    return strncmp(line, announcement, strlen(announcement)) == 0 &&
           value_decimal(line + strlen(announcement), &code);
}

// Something may stand before the announcement, if a process was in the middle of a line; nothing may follow it.
static void judge(struct verdict *v)
{
    while (v->length > 0 && v->line[v->length - 1] == '\r') {
        v->length--;
    }
    v->line[v->length] = '\0';
    const char *at = NULL;
    for (const char *next = v->line; (next = strstr(next, announcement)) != NULL; next++) {
        at = next;
    }
    uint64_t code;
    if (at != NULL && value_decimal(at + strlen(announcement), &code)) {
        v->found = true;
        v->code = code > 255 ? 255 : (int)code;
    }
    v->length = 0;
}

void verdict_feed(struct verdict *v, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            judge(v);
            continue;
        }
        if (v->length == sizeof(v->line) - 1) {
            v->length /= 2;
            memmove(v->line, v->line + sizeof(v->line) - 1 - v->length, v->length);
        }
        v->line[v->length++] = bytes[i] == '\0' ? '?' : bytes[i];
    }
}

void verdict_end(struct verdict *v)
{
    judge(v);
}

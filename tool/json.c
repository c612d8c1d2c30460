// See json.h.
#include "json.h"

static void begin_value(struct json *j, const char *name)
{
    if (j->depth > 0) {
        fprintf(j->text.stream, "%s\n%*s", j->first ? "" : ",", (int)(2 * j->depth), "");
    }
    j->first = false;
    if (name != NULL) {
        text_json_string(&j->text, name);
        fputs(": ", j->text.stream);
    }
}

void json_open(struct json *j, const char *name, char bracket)
{
    begin_value(j, name);
    fputc(bracket, j->text.stream);
    j->depth++;
    j->first = true;
}

void json_close(struct json *j, char bracket)
{
    j->depth--;
    if (!j->first) {
        fprintf(j->text.stream, "\n%*s", (int)(2 * j->depth), "");
    }
    j->first = false;
    fputc(bracket, j->text.stream);
    if (j->depth == 0) {
        fputc('\n', j->text.stream);
    }
}

void json_number(struct json *j, const char *name, uint64_t value)
{
    begin_value(j, name);
    fprintf(j->text.stream, "%llu", (unsigned long long)value);
}

void json_string(struct json *j, const char *name, const char *value)
{
    begin_value(j, name);
    text_json_string(&j->text, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
    begin_value(j, name);
    fputs(value ? "true" : "false", j->text.stream);
}

// See guest.h.
#include "guest.h"

#include <stdlib.h>

#include "text.h"

static void put_attribute(struct text *t, const char *name, const char *value)
{
    fprintf(t->stream, " %s=\"", name);
    text_xml(t, value);
    fputc('"', t->stream);
}

// Files of the command line are those that it names, wherever else files are looked for.
static void put_file(struct text *t, const char *element, const char *path)
{
    if (path == NULL) {
        return;
    }
    char *whole = realpath(path, NULL);
    fprintf(t->stream, "<%s", element);
    put_attribute(t, "path", whole == NULL ? path : whole);
    fputs("/>\n", t->stream);
    free(whole);
}

const char *guest_describe(struct arena *a, const struct options *o)
{
    struct text t;
    text_begin(&t);
    fputs(
        "<system>\n<virtual_machine name=\"guest\" on_poweroff=\"shutdown\" on_crash=\"shutdown\"",
        t.stream);
    if (o->cpus != 0) {
        fprintf(t.stream, " cpus=\"%llu\"", (unsigned long long)o->cpus);
    }
    if (o->memory != NULL) {
        put_attribute(&t, "memory", o->memory);
    }
    fputs(">\n", t.stream);
    put_file(&t, "kernel", o->guest);
    put_file(&t, "initrd", o->initrd);
    put_file(&t, "dtb", o->dtb);
    if (o->append != NULL && *o->append != '\0') {
        fputs("<cmdline>", t.stream);
        text_xml(&t, o->append);
        fputs("</cmdline>\n", t.stream);
    }
    fputs("<console/>\n</virtual_machine>\n</system>\n", t.stream);
    return text_end(&t, a);
}

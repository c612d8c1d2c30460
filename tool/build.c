// See build.h.
#include "build.h"

#include <stdio.h>
#include <string.h>

#include <abi/bundle_check.h>

#include "check.h"
#include "graph.h"
#include "home.h"
#include "pack.h"
#include "place.h"
#include "report.h"

bool build_load(struct session *s)
{
    if (session_load(s)) {
        check_layout(&s->model);
    }
    return !session_failed(s);
}

static bool build_place(struct session *s)
{
    struct home home = home_find(&s->arena);
    struct search search = home_search(&s->arena, &home, &s->options.search,
                                       s->options.file != NULL ? s->options.file : "guest.system");
    if (session_load(s)) {
        place_system(&s->model, &search);
    }
    return !session_failed(s);
}

static bool read_part(struct session *s, const char *path, struct file *out)
{
    *out = file_read(&s->arena, path, FILES_SIZE_MAX);
    if (out->bytes == NULL) {
        fprintf(stderr, "bulkhead: %s cannot be read (%s)\n", path, out->why);
    }
    return out->bytes != NULL;
}

bool build_image(struct session *s, struct image_parts *out)
{
    const struct options *o = &s->options;
    struct home home = home_find(&s->arena);
    struct file kernel;
    struct file init;
    if ((session_described(s) && !build_place(s)) ||
        !read_part(s, o->kernel != NULL ? o->kernel : home_kernel(&s->arena, &home), &kernel) ||
        !read_part(s, o->init != NULL ? o->init : home_init(&s->arena, &home), &init)) {
        return false;
    }
    struct bytes bundle = pack_bundle(&s->arena, session_described(s) ? &s->model : NULL, &init);
    struct bundle opened;
    const char *wrong = bundle_open(bundle.data, bundle.size, &opened);
    if (wrong != NULL) {
        fprintf(stderr, "bulkhead: the bundle would be refused: %s (is %s an init image?)\n", wrong,
                init.path);
        return false;
    }
    wrong = image_make(&s->arena, &kernel, bundle, out);
    if (wrong != NULL) {
        fprintf(stderr, "bulkhead: '%s' %s\n", kernel.path, wrong);
    }
    return wrong == NULL;
}

static bool write_file(struct session *s, const char *path, const void *bytes, size_t size)
{
    const char *why = file_write(&s->arena, path, bytes, size);
    if (why != NULL) {
        fprintf(stderr, "bulkhead: %s cannot be written (%s)\n", path, why);
    }
    return why == NULL;
}

bool build_write_text(struct session *s, const char *path, const char *text)
{
    return write_file(s, path, text, strlen(text));
}

int build_write(struct session *s, const struct image_parts *parts, const char *path)
{
    struct arena *a = &s->arena;
    bool good = write_file(s, path, parts->whole.data, parts->whole.size);
    if (good && session_described(s)) {
        const char *report = s->options.report != NULL ? s->options.report
                                                       : file_with_suffix(a, path, ".report.txt");
        good = build_write_text(s, report, report_text(&s->model, parts)) &&
               build_write_text(s, file_with_suffix(a, path, ".report.json"),
                                report_json(&s->model, parts)) &&
               build_write_text(s, file_with_suffix(a, path, ".svg"), graph_svg(&s->model));
    }
    return good ? 0 : 1;
}

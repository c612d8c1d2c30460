// `bulkhead report` and `bulkhead graph`: see command.h.
#include <stdio.h>

#include "build.h"
#include "command.h"
#include "graph.h"
#include "report.h"

static bool needs_file(const struct session *s, const char *command)
{
    if (s->options.file == NULL) {
        fprintf(stderr, "bulkhead: '%s' needs a FILE.system, see bulkhead help %s\n", command,
                command);
    }
    return s->options.file == NULL;
}

int command_report(struct session *s)
{
    if (needs_file(s, "report")) {
        return 2;
    }
    if (!build_load(s)) {
        return 1;
    }
    fputs(s->options.json ? report_json(&s->model, NULL) : report_text(&s->model, NULL), stdout);
    return 0;
}

int command_graph(struct session *s)
{
    if (needs_file(s, "graph")) {
        return 2;
    }
    if (!build_load(s)) {
        return 1;
    }
    const char *picture = graph_svg(&s->model);
    if (s->options.output == NULL) {
        fputs(picture, stdout);
        return 0;
    }
    return build_write_text(s, s->options.output, picture) ? 0 : 1;
}

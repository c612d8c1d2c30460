// bulkhead: checks a system description, makes one bootable image of it, says who may touch what, runs it in QEMU.
// parse -> model -> check -> place -> image, report, graph.
#include <stdio.h>

#include "command.h"
#include "options.h"
#include "session.h"

typedef int command_fn(struct session *s);

static int help(struct session *s)
{
    if (options_help(s->options.file)) {
        return 0;
    }
    fprintf(stderr, "bulkhead: there is no command '%s', see bulkhead help\n", s->options.file);
    return 2;
}

static command_fn *const commands[COMMAND_COUNT] = {
    [COMMAND_CHECK] = command_check,   [COMMAND_BUILD] = command_build,
    [COMMAND_REPORT] = command_report, [COMMAND_GRAPH] = command_graph,
    [COMMAND_RUN] = command_run,       [COMMAND_HELP] = help,
};

int main(int argc, char **argv)
{
    struct session s = {0};
    const char *wrong = options_parse(&s.arena, argc, argv, &s.options);
    int code = 2;
    if (wrong != NULL) {
        fprintf(stderr, "bulkhead: %s\n", wrong);
    } else {
        code = commands[s.options.command](&s);
    }
    session_end(&s);
    return code;
}

// `bulkhead check`: see command.h.
#include <stdio.h>

#include "build.h"
#include "command.h"
#include "show.h"

int command_check(struct session *s)
{
    if (s->options.file == NULL) {
        fputs("bulkhead: 'check' needs a FILE.system, see bulkhead help check\n", stderr);
        return 2;
    }
    if (!build_load(s)) {
        return 1;
    }
    if (s->options.show) {
        fputs(show_xml(&s->arena, s->root), stdout);
        return 0;
    }
    printf("%s: nothing wrong with its %u protection domains and %u memory regions\n",
           s->options.file, model_table(&s->model, KIND_PROCESS)->count,
           model_table(&s->model, KIND_REGION)->count);
    return 0;
}

// `bulkhead build`: see command.h.
#include <stdio.h>

#include "build.h"
#include "command.h"
#include "show.h"

int command_build(struct session *s)
{
    struct image_parts parts;
    if (s->options.file == NULL && s->options.init == NULL) {
        fputs("bulkhead: 'build' needs a FILE.system or --init, see bulkhead help build\n", stderr);
        return 2;
    }
    const char *path = s->options.output != NULL ? s->options.output : "loader.img";
    if (!build_image(s, &parts)) {
        return 1;
    }
    if (s->options.show && session_described(s)) {
        fputs(show_xml(&s->arena, s->root), stdout);
    }
    return build_write(s, &parts, path);
}

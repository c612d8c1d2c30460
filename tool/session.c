// See session.h.
#include "session.h"

#include <string.h>

#include <abi/vm.h>

#include "check.h"
#include "guest.h"
#include "lower.h"
#include "parse.h"

// --trace is for all virtual machines.
static void trace_all(struct session *s)
{
    const struct table *t = model_table(&s->model, KIND_VM);
    for (struct vm *vm = table_first(t); vm != NULL; vm = table_next(t, vm)) {
        vm->trace |= s->options.trace != NULL ? VM_TRACE_EXITS : 0;
    }
}

bool session_load_text(struct session *s, const char *path, const char *text, size_t size)
{
    source_init(&s->source, &s->arena, path, text, size);
    diag_init(&s->diag, &s->arena, &s->source);
    s->model = (struct model){.arena = &s->arena, .diag = &s->diag};
    struct xml *root = xml_read(&s->arena, &s->source, &s->diag);
    if (root == NULL || !parse_system(&s->model, root)) {
        return false;
    }
    lower_system(&s->model, root, s->options.cores != 0 ? s->options.cores : s->options.cpus);
    s->root = root;
    check_model(&s->model, s->options.cores);
    trace_all(s);
    return true;
}

bool session_described(const struct session *s)
{
    return s->options.file != NULL || s->options.guest != NULL;
}

bool session_load(struct session *s)
{
    if (s->options.guest != NULL) {
        const char *text = guest_describe(&s->arena, &s->options);
        return session_load_text(s, NULL, text, strlen(text));
    }
    struct file file = file_read(&s->arena, s->options.file, SOURCE_SIZE_MAX);
    if (file.bytes == NULL) {
        source_init(&s->source, &s->arena, s->options.file, "", 0);
        diag_init(&s->diag, &s->arena, &s->source);
        diag_error(&s->diag, 0, "this file cannot be read (%s), name a description", file.why);
        return false;
    }
    return session_load_text(s, s->options.file, (const char *)file.bytes, file.size);
}

bool session_failed(struct session *s)
{
    diag_print(&s->diag, stderr);
    return s->diag.errors > 0;
}

void session_end(struct session *s)
{
    arena_free(&s->arena);
}

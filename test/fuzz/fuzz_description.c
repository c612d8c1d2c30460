// Any text as a description: read, checked, and if nothing was found wrong, reported and drawn, and found in order again
// as the plain description that it comes to.
// sources: tool/arena.c tool/assign.c tool/check.c tool/check_channel.c tool/check_layout.c tool/check_memory.c
// sources: tool/check_process.c tool/check_unsupported.c tool/check_vm.c tool/diag.c tool/files.c tool/graph.c
// sources: tool/guest.c tool/json.c tool/lower.c tool/memory.c tool/model.c tool/names.c tool/parse.c
// sources: tool/report_json.c tool/report_text.c tool/schema.c tool/session.c tool/show.c tool/source.c tool/span.c
// sources: tool/text.c tool/value.c tool/view.c tool/xml.c
#include <assert.h>
#include <string.h>

#include "tool/check.h"
#include "tool/graph.h"
#include "tool/report.h"
#include "tool/session.h"
#include "tool/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Every message has its mend behind a comma, and stays on its line.
static void look_at_messages(const struct diag *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        assert(strstr(d->messages[i].text, ", ") != NULL);
        assert(strchr(d->messages[i].text, '\n') == NULL);
        assert(d->messages[i].offset <= d->source->size);
    }
}

// What the tool shows, it accepts; and then there is nothing left to make plain.
static void look_at_plain(struct session *s)
{
    const char *plain = show_xml(&s->arena, s->root);
    struct session again = {.options.cores = s->options.cores};
    assert(session_load_text(&again, "plain", plain, strlen(plain)));
    check_layout(&again.model);
    assert(again.diag.errors == 0);
    assert(strcmp(show_xml(&again.arena, again.root), plain) == 0);
    session_end(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session s = {.options.cores = size % 3 == 0 ? 4 : 0};
    const char *text = arena_copy(&s.arena, data, size);
    if (session_load_text(&s, "fuzz", text, size)) {
        check_layout(&s.model);
    }
    look_at_messages(&s.diag);
    if (s.diag.errors == 0) {
        assert(strlen(report_text(&s.model, NULL)) > 0);
        assert(strlen(report_json(&s.model, NULL)) > 0);
        assert(strlen(graph_svg(&s.model)) > 0);
        look_at_plain(&s);
    }
    session_end(&s);
    return 0;
}

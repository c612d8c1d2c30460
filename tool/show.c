// See show.h.
#include "show.h"

#include "text.h"

#define INDENT 4

static void show_element(struct text *t, const struct xml *x, int depth)
{
    fprintf(t->stream, "%*s<%s", depth * INDENT, "", x->name);
    for (uint32_t i = 0; i < x->attribute_count; i++) {
        fprintf(t->stream, " %s=\"", x->attributes[i].name);
        text_xml(t, x->attributes[i].value);
        fputc('"', t->stream);
    }
    if (x->text != NULL) {
        fputc('>', t->stream);
        text_xml(t, x->text);
        fprintf(t->stream, "</%s>\n", x->name);
    } else if (x->first_child == NULL) {
        fputs("/>\n", t->stream);
    } else {
        fputs(">\n", t->stream);
        for (const struct xml *child = x->first_child; child != NULL; child = child->next) {
            show_element(t, child, depth + 1); // at most XML_DEPTH_MAX deep
        }
        fprintf(t->stream, "%*s</%s>\n", depth * INDENT, "", x->name);
    }
}

const char *show_xml(struct arena *a, const struct xml *root)
{
    struct text t;
    text_begin(&t);
    show_element(&t, root, 0);
    return text_end(&t, a);
}

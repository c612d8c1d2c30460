// See xml.h.
#include "xml.h"

#include <expat.h>
#include <string.h>

struct reader {
    XML_Parser parser;
    struct arena *arena;
    const struct source *source;
    struct diag *diag;
    struct xml *root;
    struct xml *current; // innermost open element
    uint32_t depth;
    bool stopped; // the reason is in diag
};

static void stop(struct reader *r)
{
    r->stopped = true;
    XML_StopParser(r->parser, XML_FALSE);
}

static size_t current_offset(const struct reader *r)
{
    XML_Index index = XML_GetCurrentByteIndex(r->parser);
    return index < 0 ? 0 : (size_t)index;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Offset of the attribute behind the one whose text starts at `offset`, or behind the element's name. Expat has
// accepted the tag, so it reads: name, then name = "value" with blanks between.
static size_t skip_name(const struct source *s, size_t offset)
{
    while (offset < s->size && !is_space(s->text[offset]) &&
           strchr("=/>", s->text[offset]) == NULL) {
        offset++;
    }
    return offset;
}

static size_t skip_space(const struct source *s, size_t offset)
{
    while (offset < s->size && is_space(s->text[offset])) {
        offset++;
    }
    return offset;
}

static size_t skip_value(const struct source *s, size_t offset)
{
    offset = skip_space(s, skip_space(s, offset) + 1); // '='
    if (offset >= s->size) {
        return s->size;
    }
    const char *end = memchr(s->text + offset + 1, s->text[offset], s->size - offset - 1);
    return end == NULL ? s->size : (size_t)(end - s->text) + 1;
}

// Messages and reports repeat values: each stays on one line.
static bool replace_control_characters(char *value)
{
    bool found = false;
    for (; *value != '\0'; value++) {
        if ((unsigned char)*value < 0x20 || *value == 0x7f) {
            *value = '?';
            found = true;
        }
    }
    return found;
}

static void read_attributes(struct reader *r, struct xml *x, const char **pairs)
{
    while (pairs[2 * x->attribute_count] != NULL) {
        x->attribute_count++;
    }
    x->attributes = arena_alloc(r->arena, x->attribute_count * sizeof(x->attributes[0]));

    size_t offset = skip_name(r->source, x->offset + 1);
    for (uint32_t i = 0; i < x->attribute_count; i++) {
        offset = skip_space(r->source, offset);
        char *value = arena_copy(r->arena, pairs[2 * i + 1], strlen(pairs[2 * i + 1]));
        if (replace_control_characters(value)) {
            diag_error(r->diag, offset, "attribute '%.64s' contains a control character, remove it",
                       pairs[2 * i]);
        }
        x->attributes[i] = (struct xml_attribute){
            arena_copy(r->arena, pairs[2 * i], strlen(pairs[2 * i])), value, offset};
        offset = skip_value(r->source, skip_name(r->source, offset));
    }
}

static void append(struct xml *parent, struct xml *child)
{
    child->parent = parent;
    if (parent->last_child == NULL) {
        parent->first_child = child;
    } else {
        parent->last_child->next = child;
    }
    parent->last_child = child;
}

static void XMLCALL on_start(void *context, const char *name, const char **pairs)
{
    struct reader *r = context;
    struct xml *x = arena_alloc(r->arena, sizeof(*x));
    x->name = arena_copy(r->arena, name, strlen(name));
    x->offset = current_offset(r);
    read_attributes(r, x, pairs);
    if (r->current == NULL) {
        r->root = x;
    } else {
        append(r->current, x);
    }
    r->current = x;
    if (++r->depth > XML_DEPTH_MAX) {
        diag_error(r->diag, x->offset, "elements are nested more than %u deep, flatten them",
                   XML_DEPTH_MAX);
        stop(r);
    }
}

static void XMLCALL on_end(void *context, const char *name)
{
    (void)name;
    struct reader *r = context;
    r->current = r->current->parent;
    r->depth--;
}

static bool takes_text(const struct xml *x)
{
    return strcmp(x->name, "cmdline") == 0 || strcmp(x->name, "prefill") == 0;
}

static void append_text(struct arena *a, struct xml *x, const char *text, size_t size)
{
    if (x->text_size + size >= x->text_room) {
        x->text_room = 2 * (x->text_size + size) + 1;
        char *larger = arena_alloc(a, x->text_room);
        if (x->text_size > 0) {
            memcpy(larger, x->text, x->text_size);
        }
        x->text = larger;
    }
    memcpy(x->text + x->text_size, text, size);
    x->text_size += size;
}

static void XMLCALL on_text(void *context, const char *text, int length)
{
    struct reader *r = context;
    if (r->current == NULL || r->current->text_refused) {
        return;
    }
    if (takes_text(r->current)) {
        append_text(r->arena, r->current, text, (size_t)length);
        return;
    }
    for (int i = 0; i < length; i++) {
        if (!is_space(text[i])) {
            diag_error(r->diag, current_offset(r) + (size_t)i,
                       "there is text inside <%.64s>, remove it or make it a comment",
                       r->current->name);
            r->current->text_refused = true;
            return;
        }
    }
}

// Expat tells of a document type once it has seen its name; this is where it starts.
static size_t doctype_offset(const struct reader *r)
{
    static const char start[] = "<!DOCTYPE";
    size_t offset = current_offset(r);
    while (offset > 0 && strncmp(r->source->text + offset, start, strlen(start)) != 0) {
        offset--;
    }
    return offset;
}

static void XMLCALL on_doctype(void *context, const char *name, const char *system_id,
                               const char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    struct reader *r = context;
    diag_error(r->diag, doctype_offset(r),
               "a document type is not allowed here, remove <!DOCTYPE>");
    stop(r);
}

static void report_malformed(struct reader *r)
{
    diag_error(r->diag, current_offset(r), "this is no XML: %s, correct it here",
               XML_ErrorString(XML_GetErrorCode(r->parser)));
}

struct xml *xml_read(struct arena *a, const struct source *source, struct diag *diag)
{
    struct reader r = {.arena = a, .source = source, .diag = diag};
    const char *zero = memchr(source->text, '\0', source->size);
    if (zero != NULL) {
        diag_error(diag, (size_t)(zero - source->text), "this is no text, save it as UTF-8");
        return NULL;
    }
    r.parser = XML_ParserCreate("UTF-8"); // whatever the document says of itself
    if (r.parser == NULL) {
        diag_error(diag, 0, "there is no memory to read it, close other programs");
        return NULL;
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);

    bool good = XML_Parse(r.parser, source->text, (int)source->size, XML_TRUE) == XML_STATUS_OK;
    if (!good && !r.stopped) {
        report_malformed(&r);
    }
    XML_ParserFree(r.parser);
    return good ? r.root : NULL;
}

const struct xml_attribute *xml_attribute(const struct xml *x, const char *name)
{
    for (uint32_t i = 0; i < x->attribute_count; i++) {
        if (strcmp(x->attributes[i].name, name) == 0) {
            return &x->attributes[i];
        }
    }
    return NULL;
}

size_t xml_at(const struct xml *x, const char *name)
{
    const struct xml_attribute *attribute = xml_attribute(x, name);
    return attribute == NULL ? x->offset : attribute->offset;
}

const struct xml *xml_child(const struct xml *x, const char *name)
{
    for (const struct xml *child = x->first_child; child != NULL; child = child->next) {
        if (strcmp(child->name, name) == 0) {
            return child;
        }
    }
    return NULL;
}

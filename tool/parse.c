// See parse.h. One element after another: its attributes by the element's rules, then its children by theirs.
#include "parse.h"

#include <string.h>

#include <abi/process.h>
#include <base/bits.h>

#include "schema.h"
#include "value.h"

#define SHOWN "%.64s" // how much of a text from the description a message repeats

// Values. A reader leaves *out alone when it refuses.

typedef void reader_fn(struct model *m, const struct attribute_rule *rule,
                       const struct xml_attribute *given, void *out);

static void read_text(struct model *m, const struct attribute_rule *rule,
                      const struct xml_attribute *given, void *out)
{
    if (*given->value == '\0') {
        diag_error(m->diag, given->offset, "%s is empty, write a text there", rule->name);
    } else {
        *(const char **)out = given->value;
    }
}

static void read_name(struct model *m, const struct attribute_rule *rule,
                      const struct xml_attribute *given, void *out)
{
    if (strlen(given->value) >= PROCESS_NAME_MAX) {
        diag_error(m->diag, given->offset, "%s '" SHOWN "...' is too long, use at most %u bytes",
                   rule->name, given->value, PROCESS_NAME_MAX - 1);
    } else {
        read_text(m, rule, given, out);
    }
}

static void refuse_range(struct model *m, const struct attribute_rule *rule,
                         const struct xml_attribute *given)
{
    const char *format = is_aligned(rule->most, 0x1000)
                             ? "%s " SHOWN " is out of range, use 0x%llx..0x%llx"
                             : "%s " SHOWN " is out of range, use %llu..%llu";
    char text[200];
    snprintf(text, sizeof(text), format, rule->name, given->value, (unsigned long long)rule->least,
             (unsigned long long)rule->most);
    diag_error(m->diag, given->offset, "%s", text);
}

static void read_number(struct model *m, const struct attribute_rule *rule,
                        const struct xml_attribute *given, void *out)
{
    uint64_t value;
    if (!value_number(given->value, &value)) {
        diag_error(m->diag, given->offset,
                   "%s '" SHOWN
                   "' is not a number, write digits, or 0x and hexadecimal digits (64 bits)",
                   rule->name, given->value);
    } else if (value < rule->least || value > rule->most) {
        refuse_range(m, rule, given);
    } else {
        *(uint64_t *)out = value;
    }
}

static void read_size(struct model *m, const struct attribute_rule *rule,
                      const struct xml_attribute *given, void *out)
{
    uint64_t value;
    if (!value_size(given->value, &value)) {
        diag_error(m->diag, given->offset,
                   "%s '" SHOWN "' is not a size, write a number of bytes, or one with K, M or G",
                   rule->name, given->value);
    } else if (value < rule->least || value > rule->most) {
        diag_error(m->diag, given->offset, "%s " SHOWN " is out of range, use %lluM..%lluM",
                   rule->name, given->value, (unsigned long long)rule->least >> 20,
                   (unsigned long long)rule->most >> 20);
    } else {
        *(uint64_t *)out = value;
    }
}

static void read_decimal(struct model *m, const struct attribute_rule *rule,
                         const struct xml_attribute *given, void *out)
{
    uint64_t value;
    if (!value_decimal(given->value, &value)) {
        diag_error(m->diag, given->offset,
                   "%s '" SHOWN "' is not a decimal number, write digits only (64 bits)",
                   rule->name, given->value);
    } else if (value < rule->least || value > rule->most) {
        refuse_range(m, rule, given);
    } else {
        *(uint64_t *)out = value;
    }
}

static void read_perms(struct model *m, const struct attribute_rule *rule,
                       const struct xml_attribute *given, void *out)
{
    if (!value_perms(given->value, out)) {
        diag_error(m->diag, given->offset,
                   "%s '" SHOWN "' is not understood, use the letters r, w and x", rule->name,
                   given->value);
    }
}

static bool read_word(struct model *m, const char *words, const char *mend,
                      const struct xml_attribute *given, uint64_t *index)
{
    if (value_choice(given->value, words, index)) {
        return true;
    }
    diag_error(m->diag, given->offset, "%.64s '" SHOWN "' is not understood, write %s", given->name,
               given->value, mend);
    return false;
}

static void read_bool(struct model *m, const struct attribute_rule *rule,
                      const struct xml_attribute *given, void *out)
{
    (void)rule;
    uint64_t index;
    if (read_word(m, "false true", "true or false", given, &index)) {
        *(bool *)out = index == 1;
    }
}

static void read_switch(struct model *m, const struct attribute_rule *rule,
                        const struct xml_attribute *given, void *out)
{
    (void)rule;
    uint64_t index;
    if (read_word(m, "off on", "on or off", given, &index)) {
        *(bool *)out = index == 1;
    }
}

static void read_trigger(struct model *m, const struct attribute_rule *rule,
                         const struct xml_attribute *given, void *out)
{
    (void)rule;
    uint64_t index; // in the order of enum irq_trigger
    if (read_word(m, "level edge", "level or edge", given, &index)) {
        *(uint64_t *)out = index;
    }
}

static void read_choice(struct model *m, const struct attribute_rule *rule,
                        const struct xml_attribute *given, void *out)
{
    uint64_t index;
    if (read_word(m, rule->words, arena_format(m->arena, "one of: %s", rule->words), given,
                  &index)) {
        *(uint64_t *)out = index;
    }
}

static void read_refused(struct model *m, const struct attribute_rule *rule,
                         const struct xml_attribute *given, void *out)
{
    (void)out;
    diag_error(m->diag, given->offset, "attribute '%s' %s", rule->name, rule->refusal);
}

static reader_fn *const readers[] = {
    [VALUE_TEXT] = read_text,       [VALUE_NAME] = read_name,       [VALUE_NUMBER] = read_number,
    [VALUE_DECIMAL] = read_decimal, [VALUE_PERMS] = read_perms,     [VALUE_BOOL] = read_bool,
    [VALUE_SWITCH] = read_switch,   [VALUE_TRIGGER] = read_trigger, [VALUE_REFUSED] = read_refused,
    [VALUE_SIZE] = read_size,       [VALUE_CHOICE] = read_choice,
};

// Attributes.

// A text that must be there reads as empty when it isn't, so that nobody after us meets a null pointer.
static void set_default(const struct attribute_rule *rule, void *out)
{
    switch (rule->kind) {
    case VALUE_TEXT:
    case VALUE_NAME:
        *(const char **)out = rule->required ? "" : NULL;
        break;
    case VALUE_BOOL:
    case VALUE_SWITCH:
        *(bool *)out = rule->otherwise != 0;
        break;
    case VALUE_REFUSED:
        break;
    default:
        *(uint64_t *)out = rule->otherwise;
    }
}

static const char *attribute_list(struct model *m, const struct element_rule *rule)
{
    const char *list = "";
    for (const struct attribute_rule *a = rule->attributes; a->name != NULL; a++) {
        if (a->kind != VALUE_REFUSED) {
            list = arena_format(m->arena, "%s%s%s", list, *list == '\0' ? "" : " ", a->name);
        }
    }
    return list;
}

static bool knows_attribute(const struct element_rule *rule, const char *name)
{
    for (const struct attribute_rule *a = rule->attributes; a->name != NULL; a++) {
        if (strcmp(a->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void refuse_unknown_attributes(struct model *m, const struct element_rule *rule,
                                      const struct xml *x)
{
    for (uint32_t i = 0; i < x->attribute_count; i++) {
        const struct xml_attribute *given = &x->attributes[i];
        if (!knows_attribute(rule, given->name)) {
            const char *list = attribute_list(m, rule);
            diag_error(m->diag, given->offset, "<%s> has no attribute '" SHOWN "', %s%s",
                       rule->name, given->name, *list == '\0' ? "remove it" : "it takes ", list);
        }
    }
}

static void parse_attributes(struct model *m, const struct element_rule *rule, struct node *node)
{
    const struct xml *x = node->xml;
    for (const struct attribute_rule *a = rule->attributes; a->name != NULL; a++) {
        const struct xml_attribute *given = xml_attribute(x, a->name);
        void *out = (char *)node + a->offset;
        set_default(a, out);
        if (given != NULL) {
            readers[a->kind](m, a, given, out);
        } else if (a->required) {
            diag_error(m->diag, x->offset, "<%s> lacks the attribute '%s', add %s=\"...\"",
                       rule->name, a->name, a->name);
        }
    }
    refuse_unknown_attributes(m, rule, x);
}

// Elements.

static const struct child_rule *find_child(const struct element_rule *rule, const char *name)
{
    for (const struct child_rule *c = rule->children; c != NULL && c->rule != NULL; c++) {
        if (strcmp(c->rule->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static void refuse_unknown_element(struct model *m, const struct element_rule *rule,
                                   const struct xml *x)
{
    const char *list = "";
    for (const struct child_rule *c = rule->children; c != NULL && c->rule != NULL; c++) {
        list = arena_format(m->arena, "%s <%s>", list, c->rule->name);
    }
    diag_error(m->diag, x->offset, "<" SHOWN "> is not known in <%s>, %s%s", x->name, rule->name,
               *list == '\0' ? "remove it" : "use some of", list);
}

static void check_count(struct model *m, const struct xml *x, const struct child_rule *c)
{
    uint32_t count = 0;
    const struct xml *at = x; // or the first child that is too many
    for (const struct xml *child = x->first_child; child != NULL; child = child->next) {
        if (strcmp(child->name, c->rule->name) == 0 && count++ == c->most) {
            at = child;
        }
    }
    const char *bound = c->least == c->most ? "exactly" : count < c->least ? "at least" : "at most";
    if (count < c->least || (c->most != 0 && count > c->most)) {
        const char *number = count == 0 ? "no" : arena_format(m->arena, "%u", count);
        diag_error(m->diag, at->offset, "<%s> has %s <%s>, give it %s %u", x->name, number,
                   c->rule->name, bound, count < c->least ? c->least : c->most);
    }
}

static void parse_text(struct model *m, struct text_element *e)
{
    const struct xml *x = e->node.xml;
    e->text = x->text == NULL ? "" : x->text;
    if (e->text[strspn(e->text, " \t\r\n")] == '\0') {
        diag_error(m->diag, x->offset, "<%s> is empty, write a text there or remove it", x->name);
    }
}

static void parse_element(struct model *m, const struct element_rule *rule, const struct xml *x,
                          struct node *parent)
{
    uint32_t errors = m->diag->errors;
    const char *refusal = rule->refusal == NULL ? NULL : rule->refusal(x);
    if (refusal != NULL) {
        diag_error(m->diag, x->offset, "<%s> %s", rule->name, refusal);
        if (rule->closed) {
            return;
        }
    }
    struct node *node = model_add(m, rule->kind, rule->size, x, parent);
    parse_attributes(m, rule, node);
    if (rule->text) {
        parse_text(m, (struct text_element *)node);
    }
    for (const struct xml *child = x->first_child; child != NULL; child = child->next) {
        const struct child_rule *c = find_child(rule, child->name);
        if (c == NULL) {
            refuse_unknown_element(m, rule, child);
        } else {
            parse_element(m, c->rule, child, node); // at most XML_DEPTH_MAX deep
        }
    }
    for (const struct child_rule *c = rule->children; c != NULL && c->rule != NULL; c++) {
        check_count(m, x, c);
    }
    node->broken = m->diag->errors > errors;
}

bool parse_system(struct model *m, const struct xml *root)
{
    if (strcmp(root->name, schema_system.name) != 0) {
        diag_error(m->diag, root->offset, "the root element is <" SHOWN ">, make it <%s>",
                   root->name, schema_system.name);
        return false;
    }
    parse_element(m, &schema_system, root, NULL);
    return true;
}

void parse_more(struct model *m, const struct xml *x)
{
    parse_element(m, find_child(&schema_system, x->name)->rule, x,
                  table_first(model_table(m, KIND_SYSTEM)));
}

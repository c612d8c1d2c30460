// See config.h.
#include "config.h"

#include <base/str.h>

struct text {
    const char *at;
    size_t left;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

void config_name(char to[SERIAL_NAME_MAX], const char *from, size_t size)
{
    size_t n = 0;
    while (n < size && n < SERIAL_NAME_MAX - 1 && is_name(from[n])) {
        to[n] = from[n];
        n++;
    }
    memset(to + n, 0, SERIAL_NAME_MAX - n);
}

// Cuts the first line off the text; a zero ends a line too.
static struct text take_line(struct text *text)
{
    struct text line = {text->at, 0};
    while (line.left < text->left && text->at[line.left] != '\n' && text->at[line.left] != '\0') {
        line.left++;
    }
    size_t cut = line.left < text->left ? line.left + 1 : line.left;
    text->at += cut;
    text->left -= cut;
    return line;
}

static struct text take_word(struct text *line)
{
    while (line->left > 0 && is_blank(*line->at)) {
        line->at++;
        line->left--;
    }
    struct text word = {line->at, 0};
    while (word.left < line->left && !is_blank(line->at[word.left])) {
        word.left++;
    }
    line->at += word.left;
    line->left -= word.left;
    return word;
}

static bool word_is(struct text word, const char *text)
{
    return word.left == strlen(text) && memcmp(word.at, text, word.left) == 0;
}

static bool parse_prefix(struct config *out, struct text *line)
{
    struct text word = take_word(line);
    if (!word_is(word, "on") && !word_is(word, "off")) {
        return false;
    }
    out->prefix = word_is(word, "on");
    return true;
}

static bool parse_name(struct config *out, struct text *line)
{
    struct text number = take_word(line);
    struct text name = take_word(line);
    if (number.left != 1 || *number.at < '1' || *number.at > '9') {
        return false;
    }
    char fit[SERIAL_NAME_MAX];
    config_name(fit, name.at, name.left);
    if (name.left == 0 || strlen(fit) != name.left) {
        return false;
    }
    memcpy(out->names[*number.at - '0'], fit, sizeof(fit));
    return true;
}

static bool parse_line(struct config *out, struct text line)
{
    struct text word = take_word(&line);
    if (word.left == 0 || *word.at == '#') {
        return true;
    }
    struct config changed = *out;
    bool known = (word_is(word, "prefix") && parse_prefix(&changed, &line)) ||
                 (word_is(word, "name") && parse_name(&changed, &line));
    if (!known || take_word(&line).left != 0) {
        return false;
    }
    *out = changed;
    return true;
}

unsigned config_parse(struct config *out, const char *text, size_t size)
{
    *out = (struct config){.prefix = true};

    struct text rest = {text, size};
    unsigned bad = 0;
    for (unsigned number = 1; rest.left > 0; number++) {
        if (!parse_line(out, take_line(&rest)) && bad == 0) {
            bad = number;
        }
    }
    return bad;
}

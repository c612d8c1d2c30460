// See options.h.
#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <abi/syscall.h>
#include <base/bits.h>

#include "value.h"

struct command_rule {
    const char *name;
    const char *operands;
    const char *help;
};

static const struct command_rule commands[COMMAND_COUNT] = {
    [COMMAND_CHECK] = {"check", "FILE.system", "says what is wrong with a description"},
    [COMMAND_BUILD] = {"build", "[FILE.system] -o IMAGE",
                       "makes one bootable image of a description; beside it report.txt, "
                       "report.json and svg"},
    [COMMAND_REPORT] = {"report", "FILE.system", "prints who may touch what"},
    [COMMAND_GRAPH] = {"graph", "FILE.system", "draws the system as SVG"},
    [COMMAND_RUN] = {"run", "[FILE.system | --kernel FILE]",
                     "builds a system, or one around a guest, and runs it in QEMU; ends with the "
                     "system's exit code. Of neither: two Linux guests"},
    [COMMAND_HELP] = {"help", "[COMMAND]", "prints this"},
};

enum option_kind {
    OPTION_FLAG,   // bool
    OPTION_TEXT,   // const char *
    OPTION_NUMBER, // uint64_t
    OPTION_CHOICE, // const char *, one of `words`
    OPTION_LIST,   // struct search: every value up to the next option
};

#define CHECK  BIT(COMMAND_CHECK)
#define BUILD  BIT(COMMAND_BUILD)
#define REPORT BIT(COMMAND_REPORT)
#define GRAPH  BIT(COMMAND_GRAPH)
#define RUN    BIT(COMMAND_RUN)

struct option_rule {
    const char *name;
    const char *letter; // short form, or null
    enum option_kind kind;
    uint64_t commands; // that take it
    size_t offset;     // in struct options
    uint64_t least;
    uint64_t most;
    const char *words;
    const char *argument; // as help shows it
    const char *help;
};

#define AT(field) .offset = offsetof(struct options, field)

// clang-format off
static const struct option_rule rules[] = {
    {"--output", "-o", OPTION_TEXT, BUILD | GRAPH, AT(output), .argument = "FILE",
     .help = "what to write"},
    {"--report", "-r", OPTION_TEXT, BUILD, AT(report), .argument = "FILE",
     .help = "where the report goes, instead of beside the image"},
    {"--search-path", NULL, OPTION_LIST, BUILD | RUN, AT(search),
     .argument = "FOLDER...", .help = "where programs and files are looked for first"},
    {"--cores", NULL, OPTION_NUMBER, CHECK | BUILD | REPORT | GRAPH, AT(cores), 1, CORES_MAX,
     .argument = "N", .help = "how many cores the machine has"},
    {"--kernel", NULL, OPTION_TEXT, BUILD, AT(kernel), .argument = "FILE",
     .help = "another kernel.bin"},
    {"--kernel", NULL, OPTION_TEXT, RUN, AT(guest), .argument = "FILE",
     .help = "run this guest in a virtual machine of its own: Image, gzip, zstd, EFI zboot, raw"},
    {"--initrd", NULL, OPTION_TEXT, RUN, AT(initrd), .argument = "FILE",
     .help = "the guest's initial RAM disk"},
    {"--append", NULL, OPTION_TEXT, RUN, AT(append), .argument = "TEXT",
     .help = "the guest's command line"},
    {"--dtb", NULL, OPTION_TEXT, RUN, AT(dtb), .argument = "FILE",
     .help = "a device tree for the guest, instead of one that is made for it"},
    {"--trace", NULL, OPTION_CHOICE, RUN, AT(trace), .words = "exits", .argument = "exits",
     .help = "count what brought guests out of themselves, print it when they end"},
    {"--init", NULL, OPTION_TEXT, BUILD | RUN, AT(init), .argument = "FILE",
     .help = "another first process; without FILE.system it is all there is"},
    {"--config", NULL, OPTION_TEXT, BUILD, AT(config), .argument = "NAME",
     .help = "accepted and not needed: there is one kernel"},
    {"--image-type", NULL, OPTION_CHOICE, BUILD, AT(image_type), .words = "binary",
     .argument = "binary", .help = "accepted: there is one type"},
    {"--json", NULL, OPTION_FLAG, REPORT, AT(json), .help = "as JSON"},
    {"--board", NULL, OPTION_TEXT, BUILD | RUN, AT(board), .argument = "NAME",
     .help = "run: virt (default) or zcu102; build: accepted, an image boots on every board"},
    {"--image", NULL, OPTION_TEXT, RUN, AT(image), .argument = "FILE",
     .help = "run an image that exists"},
    {"--cpus", NULL, OPTION_NUMBER, RUN, AT(cpus), 1, CORES_MAX, .argument = "N",
     .help = "cores, default 4; with --kernel the guest's, default 1"},
    {"--memory", NULL, OPTION_TEXT, RUN, AT(memory), .argument = "SIZE",
     .help = "as QEMU takes it, default 1G; with --kernel the guest's, default 256M"},
    {"--gic", NULL, OPTION_NUMBER, RUN, AT(gic), 2, 3, .argument = "2|3",
     .help = "version of the interrupt controller, default 3"},
    {"--cpu", NULL, OPTION_TEXT, RUN, AT(cpu), .argument = "MODEL",
     .help = "as QEMU names it, default cortex-a53"},
    {"--icount", NULL, OPTION_FLAG, RUN, AT(icount),
     .help = "one nanosecond an instruction, the same every time"},
    {"--timeout", NULL, OPTION_NUMBER, RUN, AT(timeout), 1, 1000000, .argument = "SECONDS",
     .help = "end QEMU then, with exit code 124"},
    {"--show", NULL, OPTION_FLAG, RUN, AT(show),
     .help = "print the QEMU command line first, and the plain description of virtual machines"},
    {"--show", NULL, OPTION_FLAG, CHECK | BUILD, AT(show),
     .help = "print the plain description that virtual machines at the root come to"},
};
// clang-format on

static const struct option_rule *find_rule(enum command command, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const struct option_rule *r = &rules[i];
        bool named = strcmp(name, r->name) == 0 || (r->letter && strcmp(name, r->letter) == 0);
        if (named && (r->commands & BIT(command))) {
            return r;
        }
    }
    return NULL;
}

static bool find_command(const char *name, enum command *out)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            *out = (enum command)i;
            return true;
        }
    }
    return false;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

// Takes one value of an option. Null, or what is wrong with it.
static const char *take_value(struct arena *a, const struct option_rule *r, const char *value,
                              void *out)
{
    uint64_t number;
    if (r->kind == OPTION_NUMBER) {
        if (!value_number(value, &number) || number < r->least || number > r->most) {
            return arena_format(a, "%s takes a number %llu..%llu, not '%s'", r->name,
                                (unsigned long long)r->least, (unsigned long long)r->most, value);
        }
        *(uint64_t *)out = number;
        return NULL;
    }
    if (r->kind == OPTION_CHOICE && !value_choice(value, r->words, &number)) {
        return arena_format(a, "%s takes one of: %s, not '%s'", r->name, r->words, value);
    }
    *(const char **)out = value;
    return NULL;
}

// Takes the values of a list from argv[0] on and returns how many there are.
static int take_list(struct arena *a, char **argv, struct search *out)
{
    int count = 0;
    while (argv[count] != NULL && !is_option(argv[count])) {
        count++;
    }
    const char **folders = arena_alloc(a, (out->count + (size_t)count) * sizeof(folders[0]));
    for (size_t i = 0; i < out->count; i++) {
        folders[i] = out->folders[i];
    }
    for (int i = 0; i < count; i++) {
        folders[out->count++] = argv[i];
    }
    out->folders = folders;
    return count;
}

// Takes the option argv[0] and returns how many words that were, or 0 and *why.
static int take_option(struct arena *a, char **argv, struct options *out, const char **why)
{
    const char *name = commands[out->command].name;
    const struct option_rule *r = find_rule(out->command, argv[0]);
    if (r == NULL) {
        *why = arena_format(a, "'%s' has no option %s, see bulkhead help %s", name, argv[0], name);
        return 0;
    }
    void *field = (char *)out + r->offset;
    if (r->kind == OPTION_FLAG) {
        *(bool *)field = true;
        return 1;
    }
    if (argv[1] == NULL) {
        *why = arena_format(a, "%s needs a value, see bulkhead help %s", argv[0], name);
        return 0;
    }
    if (r->kind == OPTION_LIST) {
        return 1 + take_list(a, argv + 1, field);
    }
    *why = take_value(a, r, argv[1], field);
    return *why == NULL ? 2 : 0;
}

const char *options_parse(struct arena *a, int argc, char **argv, struct options *out)
{
    static const char *const spellings[] = {"-h", "--help"};
    *out = (struct options){.command = COMMAND_HELP};
    if (argc < 2 || strcmp(argv[1], spellings[0]) == 0 || strcmp(argv[1], spellings[1]) == 0) {
        return NULL;
    }
    if (!find_command(argv[1], &out->command)) {
        return arena_format(a, "there is no command '%s', see bulkhead help", argv[1]);
    }
    for (int i = 2; i < argc;) {
        if (is_option(argv[i])) {
            const char *why = NULL;
            int words = take_option(a, argv + i, out, &why);
            if (words == 0) {
                return why;
            }
            i += words;
        } else if (out->file == NULL) {
            out->file = argv[i++];
        } else {
            return arena_format(a, "'%s' is one operand too many, see bulkhead help %s", argv[i],
                                argv[1]);
        }
    }
    return NULL;
}

static void print_option(const struct option_rule *r)
{
    char left[64];
    snprintf(left, sizeof(left), "%s%s%s %s", r->letter != NULL ? r->letter : "",
             r->letter != NULL ? ", " : "", r->name, r->argument != NULL ? r->argument : "");
    printf("    %-28s %s\n", left, r->help);
}

static void print_command(enum command command)
{
    const struct command_rule *c = &commands[command];
    printf("bulkhead %s %s\n    %s\n", c->name, c->operands, c->help);
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].commands & BIT(command)) {
            print_option(&rules[i]);
        }
    }
}

bool options_help(const char *about)
{
    enum command command;
    if (about == NULL) {
        for (size_t i = 0; i < COMMAND_COUNT; i++) {
            print_command((enum command)i);
        }
        return true;
    }
    if (!find_command(about, &command)) {
        return false;
    }
    print_command(command);
    return true;
}

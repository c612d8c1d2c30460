// See qemu.h.
#include "qemu.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64u

typedef unsigned long long ull;

static void add(struct command_line *line, const char *word)
{
    line->words[line->count++] = (char *)(uintptr_t)word;
}

static void add_pair(struct command_line *line, const char *name, const char *value)
{
    add(line, name);
    add(line, value);
}

static const char *add_virt(struct arena *a, const struct options *o, const char *tree,
                            struct command_line *line)
{
    (void)tree;
    add_pair(line, "-M",
             arena_format(a, "virt,virtualization=on,gic-version=%llu,dtb-randomness=off",
                          o->gic == 0 ? 3 : (ull)o->gic));
    add_pair(line, "-cpu", o->cpu == NULL ? "cortex-a53" : o->cpu);
    add_pair(line, "-m", o->memory == NULL ? "1G" : o->memory);
    return NULL;
}

// As QEMU reads it: a number of MiB, or with a suffix. What it would not take, it says itself.
static bool is_more_than_2g(const char *memory)
{
    char *end;
    unsigned long long value = strtoull(memory, &end, 10);
    bool gigabytes = *end == 'G' || *end == 'g';
    bool larger = *end == 'T' || *end == 't';
    return value > (gigabytes ? 2 : larger ? 0 : 2048);
}

static const char *add_zcu102(struct arena *a, const struct options *o, const char *tree,
                              struct command_line *line)
{
    if (o->gic == 3 || o->cpu != NULL) {
        return "the board zcu102 has a GICv2 and Cortex-A53, leave out --gic and --cpu";
    }
    // The board has more at another address, but QEMU's device tree promises it in one piece, over its devices.
    if (o->memory != NULL && is_more_than_2g(o->memory)) {
        return "the board zcu102 has at most 2G in QEMU, give --memory 2G or less";
    }
    if (!file_exists(tree)) {
        return arena_format(a, "the board's device tree %s is missing, run: make guest", tree);
    }
    add_pair(line, "-M", "xlnx-zcu102,virtualization=on");
    add_pair(line, "-m", o->memory == NULL ? "2G" : o->memory);
    add_pair(line, "-dtb", tree);
    return NULL;
}

struct board {
    const char *name;
    const char *(*add)(struct arena *a, const struct options *o, const char *tree,
                       struct command_line *line);
};

static const struct board boards[] = {{"virt", add_virt}, {"zcu102", add_zcu102}, {0}};

static const struct board *find_board(const char *name)
{
    for (const struct board *b = boards; b->name != NULL; b++) {
        if (strcmp(b->name, name) == 0) {
            return b;
        }
    }
    return NULL;
}

const char *qemu_line(struct arena *a, const struct options *o, const char *image, const char *tree,
                      struct command_line *out)
{
    const struct board *board = find_board(o->board == NULL ? "virt" : o->board);
    if (board == NULL) {
        return arena_format(a, "there is no board '%s', use virt or zcu102", o->board);
    }
    *out = (struct command_line){.words = arena_alloc(a, WORDS_MAX * sizeof(out->words[0]))};
    add(out, "qemu-system-aarch64");
    const char *wrong = board->add(a, o, tree, out);
    add_pair(out, "-smp", arena_format(a, "%llu", o->cpus == 0 ? 4 : (ull)o->cpus));
    if (o->icount) {
        add_pair(out, "-icount", "shift=0,sleep=off");
    }
    add(out, "-nographic");
    add_pair(out, "-chardev", "stdio,id=console,signal=off");
    add_pair(out, "-serial", "chardev:console");
    add_pair(out, "-monitor", "none");
    add_pair(out, "-nic", "none");
    add_pair(out, "-kernel", image);
    return wrong;
}

static bool is_plain(const char *word)
{
    return strpbrk(word, " \t\n'\"\\$&;|<>()*?[]{}~`!#") == NULL;
}

const char *qemu_show(struct arena *a, const struct command_line *line)
{
    const char *text = "";
    for (size_t i = 0; i < line->count; i++) {
        const char *quote = is_plain(line->words[i]) ? "" : "'";
        text = arena_format(a, "%s%s%s%s%s", text, i == 0 ? "" : " ", quote, line->words[i], quote);
    }
    return text;
}

// The command line: commands and options as tables, from which the help is printed, too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "files.h"

enum command {
    COMMAND_CHECK,
    COMMAND_BUILD,
    COMMAND_REPORT,
    COMMAND_GRAPH,
    COMMAND_RUN,
    COMMAND_HELP,
    COMMAND_COUNT
};

struct options {
    enum command command;
    const char *file; // FILE.system, or the command that help is about; null: none
    const char *output;
    const char *report;
    struct search search; // --search-path
    uint64_t cores;       // 0: unknown
    const char *kernel;   // Bulkhead's own
    const char *guest;    // a guest's kernel
    const char *initrd;   // for the guest
    const char *dtb;
    const char *append;
    const char *trace;
    const char *init;
    const char *config;
    const char *image_type;
    bool json;
    const char *board;
    const char *image;
    uint64_t cpus;
    const char *memory;
    uint64_t gic;
    const char *cpu;
    bool icount;
    uint64_t timeout; // seconds, 0: none
    bool show;
};

// Null, or a line that says what is wrong.
const char *options_parse(struct arena *a, int argc, char **argv, struct options *out);

// Help for one command, or for all if `about` is null. False: there is no such command.
bool options_help(const char *about);

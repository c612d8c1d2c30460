// One run of the tool over one description: what every command starts with.
#pragma once

#include "model.h"
#include "options.h"

struct session {
    struct arena arena;
    struct options options;
    struct source source;
    struct diag diag;
    struct model model;
    const struct xml *root; // of the plain description
};

// Is there a description, a file or one that is made around a guest?
bool session_described(const struct session *s);

// Reads, parses and checks it; what is wrong is in s->diag. False if there is nothing to go on with.
bool session_load(struct session *s);

// The same of a text in memory: what the fuzzer calls.
bool session_load_text(struct session *s, const char *path, const char *text, size_t size);

// Prints what was found wrong and says whether any of it was an error.
bool session_failed(struct session *s);

void session_end(struct session *s);

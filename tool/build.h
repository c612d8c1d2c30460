// Building: from a loaded description, or from an init image alone, to the bytes of an image.
#pragma once

#include "image.h"
#include "session.h"

// False: what was wrong has been printed. Without a description: init alone.
bool build_image(struct session *s, struct image_parts *out);

// Loads the description and checks what needs no files: enough for a report. False: what was wrong has been printed.
bool build_load(struct session *s);

// Writes a text file. False: what was wrong has been printed.
bool build_write_text(struct session *s, const char *path, const char *text);

// Writes the image and, for a described system, report and picture beside it. The exit code.
int build_write(struct session *s, const struct image_parts *parts, const char *path);

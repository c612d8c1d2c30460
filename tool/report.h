// Who may touch what: every process with its rights, every region with who may read, write and execute it, every
// channel, every interrupt. As text for people and as JSON for programs.
#pragma once

#include "image.h"
#include "model.h"

// `parts` may be null: then sizes of the image are left out.
const char *report_text(const struct model *m, const struct image_parts *parts);
const char *report_json(const struct model *m, const struct image_parts *parts);

// A picture of a system: processes, what they share, and who may notify, call and interrupt whom. SVG.
#pragma once

#include "model.h"

const char *graph_svg(const struct model *m);

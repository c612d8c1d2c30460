// A tree of elements as text again, one element a line.
#pragma once

#include "xml.h"

const char *show_xml(struct arena *a, const struct xml *root);

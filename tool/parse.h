// From XML to the model, along schema.c's tables: reports everything that the tables know to be wrong.
#pragma once

#include "model.h"

// False if nothing useful was found (the root isn't <system>); otherwise the model is complete as far as the
// description is, and wrong values stand at their defaults.
bool parse_system(struct model *m, const struct xml *root);

// Adds an element of <system> that wasn't in the description.
void parse_more(struct model *m, const struct xml *x);

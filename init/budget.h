// The plan's part about memory: carves a copy of the model (memory.h) as the builder will carve the real thing.
#pragma once

#include <stdbool.h>

#include "system.h"

// False: it has said what doesn't fit. Needs the plan of everything else.
bool budget_memory(struct system *s) WARN_UNUSED;

// What processes know of each other and of interrupts: capabilities into the spaces of those that the description
// connects.
#pragma once

#include "system.h"

// All channels, interrupts, children and shared capabilities; all processes must have been built. False: it has said
// which failed.
bool build_wires(struct system *s) WARN_UNUSED;

// Building memory regions and mapping them, after the plan.
#pragma once

#include "system.h"

// All regions, fixed ones first: nothing else may have carved memory yet. False: it has said which failed.
bool build_regions(struct system *s) WARN_UNUSED;

// Everything of a region into a space, with a capability made for this mapping.
err_t map_region(struct system *s, uint32_t region, handle_t space, uint64_t address,
                 unsigned perms) WARN_UNUSED;

// All maps; the processes must have been built.
bool build_maps(struct system *s) WARN_UNUSED;

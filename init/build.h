// From a bundle and a machine to processes that are ready to run, in init's order of things.
#pragma once

#include "system.h"

// Reads what the kernel handed over. `bundle_bytes` and `fdt` are not trusted. False: it has said what is wrong.
bool system_open(struct system *s, const void *bundle_bytes, const void *fdt) WARN_UNUSED;

// After system_open and plan_system. False: it has said what failed; nothing has been started.
bool system_build(struct system *s) WARN_UNUSED;

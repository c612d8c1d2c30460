// What a test image is told by whoever starts the machine: words NAME=VALUE of the boot arguments.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The number given for a name, or what to take if none is.
uint64_t option_number(const char *name, uint64_t otherwise);

// Is this the value, or is none given?
bool option_allows(const char *name, const char *value);

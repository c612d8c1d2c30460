// Is a device tree that was given whole? libfdt's reading functions check what they touch; those that change a tree rely
// on blocks that don't overlap and on a structure that ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Of an image of `size` bytes.
bool fdt_is_sound(const void *fdt, size_t size);

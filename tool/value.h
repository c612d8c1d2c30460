// The values that attributes take, read from their text.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Decimal or 0x and hexadecimal, underscores ignored. False: no number, or larger than 64 bits.
bool value_number(const char *text, uint64_t *out);

// Decimal digits only.
bool value_decimal(const char *text, uint64_t *out);

// A number of bytes: like value_number, and K, M or G may stand behind it.
bool value_size(const char *text, uint64_t *out);

// Letters r, w, x as enum map_flags. False: another letter, or none at all.
bool value_perms(const char *text, uint64_t *out);

// Index of `text` among the blank-separated `words`. False: it is none of them.
bool value_choice(const char *text, const char *words, uint64_t *out);

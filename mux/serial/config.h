// The mux's optional configuration: a text of a few lines that the description prefills a region with.
//
//   # a comment
//   prefix off        lines go out without the client's name in front (default: on)
//   name 2 web        client 2 is called web, whatever it says itself
//
// The text comes from who wrote the description; it is read with care all the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <abi/serial.h>

#define CONFIG_CLIENTS 10u // indexed by client number, 1..9

struct config {
    bool prefix;
    char names[CONFIG_CLIENTS][SERIAL_NAME_MAX]; // empty: the client's own word
};

// Fills `out` from the text; an empty text gives the defaults. Returns the number of the first line that makes no
// sense, which changes nothing, or 0.
unsigned config_parse(struct config *out, const char *text, size_t size);

// Copies what is fit for a name out of `from` (at most SERIAL_NAME_MAX bytes, not necessarily ended): letters, digits
// and ". _ -", up to the first other character.
void config_name(char to[SERIAL_NAME_MAX], const char *from, size_t size);

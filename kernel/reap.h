// Taking dead objects apart. An object whose last capability went is dead: nothing new can reach it. What it still
// holds (threads in a queue, capabilities in its slots, page tables) is let go in bounded steps; then its memory
// counts as free in the untyped it came from. Build lock held throughout.
#pragma once

#include "object.h"
#include "work.h"

void reap_add(struct obj *o);

// Takes apart what is dead. False: the work is up, call again.
bool reap_all(struct work *work);

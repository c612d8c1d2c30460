// The short form of a virtual machine, a <virtual_machine> with a <kernel> at the root, turned into plain elements: a
// protection domain that runs the default VMM with the virtual machine in it, the regions that it needs, and, as soon as
// one has a console, the UART driver, shared through the serial mux if several have one. What comes of it is what one
// could have written oneself: `--show` prints it.
#pragma once

#include "model.h"

// `cores`: of the machine, 0 if that isn't known. New elements point to what they come from, for messages.
void lower_system(struct model *m, struct xml *root, uint64_t cores);

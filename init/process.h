// Processes: their objects, their memory, and starting them.
#pragma once

#include "system.h"

// Everything that is the process's own: objects, authorities, program, stack, config and message page. Its parent
// must have been built. Its program is loaded (process_load), but it doesn't run.
err_t process_build(struct system *s, uint32_t process) WARN_UNUSED;

// Puts its data back as the bundle has it, with the words that only this machine decides, and its registers to the
// beginning. It must not run.
err_t process_load(struct system *s, uint32_t process) WARN_UNUSED;

// A VMM with all its threads.
err_t process_start(struct system *s, uint32_t process) WARN_UNUSED;

// Starts all of them: the highest priority first, but no parent before its children, so that what a parent does to
// a child is done to one that has been started. False: it has said which could not be.
bool processes_start(struct system *s) WARN_UNUSED;

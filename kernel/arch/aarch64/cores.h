// Bringing up the cores: cores.c
#pragma once

#include <stdint.h>

// Boot core: gives every core that is to run its stacks, itself included, and starts the others. They wait.
void cores_prepare_boot(void);
void cores_start_others(void);

// Boot core, when there is something to run.
void cores_release(void);

// On each core, before it may run threads.
void cores_init_this(void);

// On each core: never comes back.
_Noreturn void enter_threads(uint64_t stack_top);

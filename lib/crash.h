// How the library gives up: prints why, then faults on purpose, so that the parent hears of it.
// Private to lib.
#pragma once

#include <abi/err.h>
#include <microkit.h>

seL4_Error bulkhead_sel4_error(err_t err);

// "<process> <what>", and a crash at the address that is the error.
void bulkhead_crash(const char *what, err_t err);

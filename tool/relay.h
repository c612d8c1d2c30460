// Runs a program with its console on ours: keys go in, output comes out, and its lines are watched for the verdict.
// What it says on standard error is shown only if there was none. Of a guest's console, only what the guest says goes
// to our output; what the system says about it goes to our errors, but for the verdict.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "verdict.h"

enum relay_end {
    RELAY_EXITED,  // the program ended by itself
    RELAY_TIMEOUT, // it was ended because its time was up
    RELAY_INTERRUPTED, // it was ended because of a signal, of the leave key, or because nobody reads its output
    RELAY_FAILED, // it could not be started
};

struct relay_result {
    enum relay_end end;
    int status; // as waitpid has it
    struct verdict verdict;
    bool said; // the system said something else about the guest
};

struct relay_options {
    uint64_t seconds; // 0: as long as it takes
    bool guest;       // it is a guest's console
    bool
        keys; // nobody else looks after the leave key: Ctrl-] q ends the program, Ctrl-] Ctrl-] sends one on
};

// Pressed this often in a row, Ctrl-] ends the program; less often it is the system's.
#define RELAY_LEAVE_KEY   0x1d
#define RELAY_LEAVE_COUNT 3

struct relay_result relay_run(char *const argv[], const struct relay_options *options);

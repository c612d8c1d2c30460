// What the server, its clients, the hog and the judge agree on.
#pragma once

#include <stdint.h>

#define PHASE_MS 300u // how long a client calls, and how long the hog keeps its core busy

#define ASK_WORK    1u    // call of the server: label; word 0 is the amount
#define ANSWER_BUSY 2u    // it was inside a call already
#define WORK        2000u // loops a call

struct report {
    uint64_t calls; // answered
    uint64_t wrong; // answers that were not right
    uint64_t ticks; // how long it took
};

// Notification: a word of pending signals, and the one thread that it wakes. Signalled from any core, in any
// context; takes no lock.
//
//   word    bound thread waits   meaning
//   0       no                   idle
//   bits    no                   signalled: its next receive takes the whole word and returns at once
//   0       yes                  the next signal claims the thread and wakes it
//   bits    yes                  a signal and a receive are crossing: whoever claims the thread takes the word
#pragma once

#include <stdatomic.h>

#include "object.h"

struct thread;

struct notification {
    struct obj obj;
    _Atomic uint64_t word;        // pending bits
    struct thread *_Atomic bound; // who receives; changed under the build lock
};

void notification_init(struct notification *n, struct untyped *from);
void notification_signal(struct notification *n, uint64_t bits);

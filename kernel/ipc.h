// Calls, replies, receiving and faults: how messages and control move between threads.
//
// A caller that finds its server waiting claims it and hands the message over; a passive server then runs on the
// caller's core and time until it waits again. A server answers one caller at a time; that caller waits in
// WAIT_REPLY with `server` pointing back, so that either side's end is noticed by the other.
#pragma once

#include <stdint.h>

#include "thread.h"

// Longest chain of passive servers that run on one caller's time; further ones use their own.
#define DONATION_DEPTH 8u

// The system calls. `words` is where arguments are and results go. Like everything that ends an entry into the kernel,
// they return the thread to go on with.
struct thread *ipc_call(struct thread *self, uint64_t *words);
struct thread *ipc_receive(struct thread *self, uint64_t *words);

// A fault of `self`, as a call to its fault endpoint. False: nobody handles its faults; it is unchanged.
bool ipc_fault(struct thread *self, enum fault_label label, const uint64_t words[4]);

// Result registers of a thread that was just claimed in receive.
void ipc_deliver_bits(struct thread *t, uint64_t bits);
void ipc_deliver_timeout(struct thread *t);

// Result of a caller that was just claimed and will get no answer: ERR_GONE (a faulted one stays as it is).
void ipc_fail_call(struct thread *caller);

// The caller stops, ends or has moved: whoever runs on its time goes on with his own. On the core where the caller is,
// or was.
void ipc_take_back_time(struct thread *caller);

// Wins a thread back that waits for a reply: it gets none, and its server notices. False: the reply was faster.
bool ipc_cancel_reply(struct thread *caller);

// The server ends: its present caller gets ERR_GONE.
void ipc_drop_caller(struct thread *server);

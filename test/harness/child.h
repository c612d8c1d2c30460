// Children: threads that the first process makes, in spaces of their own or in its own. A child runs a function of the
// test image, whose text is mapped into every child's space where the first process has it; its data is not. What
// both use lies in shared memory, at the same address in both.
//
// A child's function gets one argument. When it returns, the child signals the first process (child_done) and waits
// for ever. Its faults come to the first process as messages.
#pragma once

#include "world.h"

// Handles in every child's capability space; tests add others from CHILD_OWN on with child_give.
enum child_handle {
    CHILD_DONE = 1,     // notification of the first process: this child's bit
    CHILD_PARENT,       // endpoint of the first process, badge: CHILD_CALL | number
    CHILD_SELF,         // its own thread
    CHILD_NOTIFICATION, // the one it waits on, all rights
    CHILD_SPACE,        // its space
    CHILD_OWN = 8,
};
#define CHILD_SLOTS 64u

// Badges, with the number, of what it sends to the first process.
#define CHILD_CALL  0x100u
#define CHILD_FAULT 0x200u

enum child_kind {
    CHILD_PROCESS, // a space of its own
    CHILD_THREAD,  // in the first process's space
};

struct child_options {
    enum child_kind kind;
    const struct child *beside; // a process: shares this child's space instead of having its own
    uint64_t priority;          // 0: CHILD_PRIORITY
    uint64_t core;
    uint64_t budget_us; // 0: a slice of CHILD_SLICE_US
    uint64_t period_us;
    uint64_t slots;  // of its capability space, 0: CHILD_SLOTS
    unsigned flags;  // enum thread_flags
    bool serves;     // has an endpoint
    bool no_message; // has no message page
    bool no_handler; // nobody handles its faults
};
#define CHILD_PRIORITY 100u
#define CHILD_SLICE_US 1000u

struct child {
    unsigned number; // from 0, in order of making within a case: its bit
    handle_t thread;
    handle_t space;
    handle_t cspace;
    handle_t notification;
    handle_t endpoint; // 0: none
    handle_t message;  // frames of its message page, 0: none
    uint64_t stack_top;
};

typedef void child_fn(void *argument);

// Everything but the start.
struct child child_new(child_fn *run, void *argument, const struct child_options *options);

// With default options for a process; started.
struct child child_run(child_fn *run, void *argument);

void child_start(const struct child *c);
void child_stop(const struct child *c);

// Sets a stopped child to the beginning of a function.
void child_aim(const struct child *c, child_fn *run, void *argument);

// Copies a capability of the first process to the child's handle `to`.
void child_give(const struct child *c, handle_t source, uint64_t to, unsigned rights,
                uint64_t badge);

// Maps shared frames into the child's space, where the first process has them.
void child_map(const struct child *c, handle_t frames, const void *at, unsigned flags);

// Has it returned? Waits for it.
bool child_done(const struct child *c, uint64_t ms);

// Waits for its fault. False: something else happened, or nothing.
bool child_fault(const struct child *c, struct message *out, uint64_t ms);

enum thread_state child_state(const struct child *c);
uint64_t child_core(const struct child *c);
uint64_t child_used(const struct child *c); // ticks
void child_set_time(const struct child *c, uint64_t priority, uint64_t core);

// Waits until the child's state is this one. False: it never was.
bool child_reaches(const struct child *c, enum thread_state state);

// Waits until *word is at least `value`. False: it never was.
bool word_reaches(const volatile uint64_t *word, uint64_t value);

// ---- In a child ---------------------------------------------------------------------------------------------

// Its message page, in its own space: from its stack's address.
uint64_t *child_message_page(void);

// Waits without end.
_Noreturn void child_wait_for_ever(void);

// Waits for a call, having answered the one before if `reply`. A wake-up may carry nothing: then nobody is there to be
// answered, and it waits again. Returns the badge of the caller's capability.
uint64_t child_next_call(bool reply, uint64_t *info, uint64_t words[MESSAGE_REGISTER_WORDS]);

// Waits for its notification.
uint64_t child_await_bits(void);

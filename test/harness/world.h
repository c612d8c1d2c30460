// The world of a test image: it is the first process (abi/boot.h) and holds everything. Each case gets untyped memory
// and handles that are taken back at its end, whatever the case did with them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/boot.h>
#include <abi/err.h>
#include <abi/syscall.h>
#include <base/bits.h>
#include <base/str.h>

typedef uint64_t handle_t; // index into the first process's capability space

static inline const struct boot_info *boot_info(void)
{
    return (const struct boot_info *)BOOT_INFO_ADDRESS;
}

// An error that does not matter here.
static inline void ignore(err_t err)
{
    (void)err;
}

// ---- Cases --------------------------------------------------------------------------------------------------

#define CASE_MEMORY (32u << 20) // bytes of untyped memory that a case gets

void case_begin(void);
bool case_end(void); // false: some of its memory did not come back

// The present case's untyped.
handle_t memory(void);

// Children of a case are numbered from 0.
unsigned child_number_new(void);

// Can all of an untyped be carved anew?
bool untyped_whole(handle_t untyped);

// ---- Handles and objects: what fails ends the image --------------------------------------------------------

handle_t handle_new(void); // an empty slot
handle_t handles_new(unsigned count);
handle_t make(enum obj_type type, uint64_t size);
handle_t make_from(handle_t untyped, enum obj_type type, uint64_t size);
handle_t copy_of(handle_t source, unsigned rights, uint64_t badge);

static inline handle_t copy_all(handle_t source)
{
    return copy_of(source, RIGHT_ALL, 0);
}

struct identified {
    enum obj_type type;
    unsigned rights;
    uint64_t size;
    uint64_t badge;
    uint64_t physical;
};

err_t identify(handle_t handle, struct identified *out) WARN_UNUSED;
bool is_empty(handle_t handle);

// ---- Memory of the first process ----------------------------------------------------------------------------

// Fresh frames mapped at a fresh address; *frames (if not NULL) is their handle.
void *map_new(uint64_t bytes, handle_t *frames);

// A fresh address range that nothing is mapped at, aligned to 2 MiB.
uint64_t address_new(uint64_t bytes);

// ---- Time ---------------------------------------------------------------------------------------------------

uint64_t now(void); // ticks
uint64_t ticks_of_us(uint64_t us);

static inline uint64_t ticks_of_ms(uint64_t ms)
{
    return ticks_of_us(ms * 1000);
}

// Something that surely happens is waited for this long: only a bug takes longer, however busy the machine is.
#define SURELY_MS 20000u
// Something that must not happen gets this much time to happen.
#define HARDLY_MS 20u

// Lets others run. By having hardly any budget, not by receiving: whoever waits for an answer goes on waiting.
void pause_ms(uint64_t ms);

// Leaves the core alone, the emulator's, too. Whatever arrives meanwhile ends it early and is lost.
void sleep_us(uint64_t us);

// ---- What arrives -------------------------------------------------------------------------------------------
// At the boot thread: its notification's bits are collected, messages come one by one. Waiting for the next of either
// leaves the sender of the last message without an answer: answer first.

struct message {
    uint64_t badge;
    uint64_t info;
    uint64_t w[MESSAGE_REGISTER_WORDS];
};

// Waits for bits, all of `bits`, and takes them. False: they did not come in time. Messages are not received meanwhile
// unless the bits fail to come.
bool await_bits(uint64_t bits, uint64_t ms);

// Are bits there, without waiting? Takes them.
uint64_t take_bits(uint64_t bits);

// Waits for a message. False: none came in time.
bool await_message(struct message *out, uint64_t ms);

// Answers the present caller and waits.
void answer(uint64_t info, const uint64_t w[MESSAGE_REGISTER_WORDS]);

// Lets a faulted thread go on.
static inline void resume(void)
{
    answer(INFO(0, 0), (const uint64_t[MESSAGE_REGISTER_WORDS]){0});
}

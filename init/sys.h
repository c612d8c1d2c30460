// The kernel as init sees it: the system calls that it makes, one function each, in abi/syscall.h's order of
// arguments. sys.c is the real one; unit tests bring a kernel of their own that remembers what it was asked.
#pragma once

#include <stdint.h>

#include <abi/err.h>
#include <abi/syscall.h>
#include <abi/vcpu.h>

typedef uint64_t handle_t; // index into init's capability space

// What is counted on the way. The tests' kernel keeps its state around it.
struct kernel {
    uint64_t calls;
    uint64_t objects; // made so far
};

// A slot of some capability space.
struct place {
    handle_t cspace;
    uint64_t index;
};

struct identity {
    enum obj_type type;
    uint64_t size;
    uint64_t badge;
    uint64_t physical; // frames, untyped: address of the first byte
};

struct message {
    uint64_t badge; // of the capability it came through, or bits if INFO_NOTIFICATION
    uint64_t info;
    uint64_t word[MESSAGE_REGISTER_WORDS];
};

// RECEIVE_REPLY in `flags` answers the present caller first with a message of `label` alone. ERR_TIMEOUT: the deadline
// (ticks) passed.
err_t sys_receive(struct kernel *k, unsigned flags, uint64_t label, uint64_t deadline,
                  struct message *out) WARN_UNUSED;
uint64_t sys_clock(struct kernel *k); // ticks

err_t sys_retype(struct kernel *k, handle_t untyped, enum obj_type type, uint64_t size,
                 struct place to) WARN_UNUSED;
err_t sys_copy(struct kernel *k, struct place from, struct place to, unsigned rights,
               uint64_t badge) WARN_UNUSED;
err_t sys_delete(struct kernel *k, struct place at) WARN_UNUSED;
err_t sys_identify(struct kernel *k, handle_t handle, struct identity *out) WARN_UNUSED;

err_t sys_map(struct kernel *k, handle_t frames, handle_t space, uint64_t address,
              unsigned flags) WARN_UNUSED;
err_t sys_device_frames(struct kernel *k, handle_t untyped, uint64_t physical, uint64_t pages,
                        struct place to) WARN_UNUSED;

err_t sys_thread_bind(struct kernel *k, handle_t thread, enum thread_slot slot,
                      handle_t what) WARN_UNUSED;
err_t sys_thread_start(struct kernel *k, handle_t thread) WARN_UNUSED;
err_t sys_thread_stop(struct kernel *k, handle_t thread) WARN_UNUSED;
err_t sys_thread_write(struct kernel *k, handle_t thread, enum thread_register first,
                       unsigned count, const uint64_t *values) WARN_UNUSED;
err_t sys_thread_time(struct kernel *k, handle_t thread, unsigned priority, unsigned core,
                      uint64_t budget, uint64_t period) WARN_UNUSED;
err_t sys_thread_flags(struct kernel *k, handle_t thread, unsigned flags) WARN_UNUSED;

err_t sys_irq_create(struct kernel *k, handle_t untyped, uint32_t intid, enum irq_trigger trigger,
                     struct place to) WARN_UNUSED;
err_t sys_irq_bind(struct kernel *k, handle_t irq, handle_t notification) WARN_UNUSED;

err_t sys_vcpu_bind(struct kernel *k, handle_t vcpu, enum vcpu_slot slot,
                    handle_t what) WARN_UNUSED;
err_t sys_vcpu_reset(struct kernel *k, handle_t vcpu) WARN_UNUSED;

// These have nothing to report that init could act on.
void sys_console_write(struct kernel *k, const char *text, unsigned length); // length <= 48
void sys_console_mode(struct kernel *k, enum console_mode mode);
_Noreturn void sys_system_off(struct kernel *k, unsigned code);

// System calls: see sys.h. One `svc` each; the kernel keeps every register that is not a result. This is init's
// only inline assembly: init includes nothing of lib/, so it has its own.
#include "sys.h"

#include <abi/boot.h>
#include <base/str.h>

// All eight registers, in and out.
static inline __attribute__((always_inline)) err_t svc(struct kernel *k, unsigned number,
                                                       uint64_t x[8])
{
    register uint64_t x0 __asm__("x0") = x[0];
    register uint64_t x1 __asm__("x1") = x[1];
    register uint64_t x2 __asm__("x2") = x[2];
    register uint64_t x3 __asm__("x3") = x[3];
    register uint64_t x4 __asm__("x4") = x[4];
    register uint64_t x5 __asm__("x5") = x[5];
    register uint64_t x6 __asm__("x6") = x[6];
    register uint64_t x7 __asm__("x7") = x[7];
    __asm__ volatile("svc %[number]"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6),
                       "+r"(x7)
                     : [number] "i"(number)
                     : "memory");
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    x[4] = x4;
    x[5] = x5;
    x[6] = x6;
    x[7] = x7;
    k->calls++;
    return (err_t)x0;
}

// As svc, for calls without results.
#define SVC(k, number, ...) svc((k), (number), (uint64_t[8]){__VA_ARGS__})

// Counts an object if one came of it.
static err_t made(struct kernel *k, err_t err)
{
    k->objects += err == OK;
    return err;
}

err_t sys_receive(struct kernel *k, unsigned flags, uint64_t label, uint64_t deadline,
                  struct message *out)
{
    uint64_t x[8] = {flags, deadline, INFO(label, 0)};
    err_t err = svc(k, SYS_receive, x);
    *out = (struct message){.badge = x[1], .info = x[2], .word = {x[3], x[4], x[5], x[6]}};
    return err;
}

uint64_t sys_clock(struct kernel *k)
{
    uint64_t x[8] = {0};
    (void)svc(k, SYS_clock, x);
    return x[1];
}

err_t sys_retype(struct kernel *k, handle_t untyped, enum obj_type type, uint64_t size,
                 struct place to)
{
    return made(k, SVC(k, SYS_retype, untyped, type, size, to.cspace, to.index));
}

err_t sys_copy(struct kernel *k, struct place from, struct place to, unsigned rights,
               uint64_t badge)
{
    return SVC(k, SYS_copy, from.cspace, from.index, to.cspace, to.index, rights, badge);
}

err_t sys_delete(struct kernel *k, struct place at)
{
    return SVC(k, SYS_delete, at.cspace, at.index);
}

err_t sys_identify(struct kernel *k, handle_t handle, struct identity *out)
{
    uint64_t x[8] = {handle};
    err_t err = svc(k, SYS_identify, x);
    *out = (struct identity){(enum obj_type)(x[1] & 0xff), x[2], x[3], x[4]};
    return err;
}

err_t sys_map(struct kernel *k, handle_t frames, handle_t space, uint64_t address, unsigned flags)
{
    return SVC(k, SYS_map, frames, space, address, flags);
}

err_t sys_device_frames(struct kernel *k, handle_t untyped, uint64_t physical, uint64_t pages,
                        struct place to)
{
    return made(k, SVC(k, SYS_device_frames, BOOT_DEVICE_MEMORY, untyped, physical, pages,
                       to.cspace, to.index));
}

err_t sys_thread_bind(struct kernel *k, handle_t thread, enum thread_slot slot, handle_t what)
{
    return SVC(k, SYS_thread_bind, thread, slot, what);
}

err_t sys_thread_start(struct kernel *k, handle_t thread)
{
    return SVC(k, SYS_thread_start, thread);
}

err_t sys_thread_stop(struct kernel *k, handle_t thread)
{
    return SVC(k, SYS_thread_stop, thread);
}

err_t sys_thread_write(struct kernel *k, handle_t thread, enum thread_register first,
                       unsigned count, const uint64_t *values)
{
    uint64_t x[8] = {thread, first, count};
    for (unsigned i = 0; i < count; i++) {
        x[3 + i] = values[i];
    }
    return svc(k, SYS_thread_write, x);
}

err_t sys_thread_time(struct kernel *k, handle_t thread, unsigned priority, unsigned core,
                      uint64_t budget, uint64_t period)
{
    return SVC(k, SYS_thread_time, thread, BOOT_TIME, priority, core, budget, period);
}

err_t sys_thread_flags(struct kernel *k, handle_t thread, unsigned flags)
{
    return SVC(k, SYS_thread_flags, thread, flags);
}

err_t sys_irq_create(struct kernel *k, handle_t untyped, uint32_t intid, enum irq_trigger trigger,
                     struct place to)
{
    return made(
        k, SVC(k, SYS_irq_create, BOOT_IRQ_CONTROL, untyped, intid, trigger, to.cspace, to.index));
}

err_t sys_irq_bind(struct kernel *k, handle_t irq, handle_t notification)
{
    return SVC(k, SYS_irq_bind, irq, notification);
}

err_t sys_vcpu_bind(struct kernel *k, handle_t vcpu, enum vcpu_slot slot, handle_t what)
{
    return SVC(k, SYS_vcpu_bind, vcpu, slot, what);
}

err_t sys_vcpu_reset(struct kernel *k, handle_t vcpu)
{
    return SVC(k, SYS_vcpu_reset, vcpu);
}

void sys_console_write(struct kernel *k, const char *text, unsigned length)
{
    uint64_t x[8] = {BOOT_CONSOLE, length};
    memcpy(&x[2], text, length);
    (void)svc(k, SYS_console_write, x);
}

void sys_console_mode(struct kernel *k, enum console_mode mode)
{
    (void)SVC(k, SYS_console_mode, BOOT_CONSOLE, mode);
}

_Noreturn void sys_system_off(struct kernel *k, unsigned code)
{
    for (;;) {
        (void)SVC(k, SYS_system_off, BOOT_POWER, code);
    }
}

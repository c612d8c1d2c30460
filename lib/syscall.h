// The system calls of abi/syscall.h as C functions: one `svc` each, no more. Names, argument order
// and meaning are those of the list in abi/syscall.h; results come through the last parameters.
//
// For code in processes.
#pragma once

#include <stdint.h>

#include <abi/err.h>
#include <abi/syscall.h>
#include <bulkhead/svc.h>

// ---- Communication ------------------------------------------------------------------------------

// `words` holds the message's first four words and gets those of the answer: usually the message
// page itself.
SVC_INLINE err_t sys_call(uint64_t endpoint, uint64_t *info, uint64_t *words)
{
    uint64_t unused = 0;
    return svc_message(SYS_call, endpoint, &unused, info, words);
}

// *badge: the badge of the caller's capability, or, with INFO_NOTIFICATION in *info, the
// notification's bits.
SVC_INLINE err_t sys_receive(uint64_t flags, uint64_t deadline, uint64_t *info, uint64_t *words,
                             uint64_t *badge)
{
    *badge = deadline;
    return svc_message(SYS_receive, flags, badge, info, words);
}

SVC_INLINE err_t sys_signal(uint64_t notification)
{
    return svc1(SYS_signal, notification);
}

SVC_INLINE err_t sys_irq_ack(uint64_t irq)
{
    return svc1(SYS_irq_ack, irq);
}

SVC_INLINE err_t sys_yield(void)
{
    return svc1(SYS_yield, 0);
}

// Ticks since boot. Cannot fail.
static inline uint64_t sys_clock(void)
{
    return svc_value(SYS_clock);
}

// ---- Capabilities -------------------------------------------------------------------------------

SVC_INLINE err_t sys_retype(uint64_t untyped, uint64_t type, uint64_t size, uint64_t cspace,
                            uint64_t index)
{
    return svc6(SYS_retype, untyped, type, size, cspace, index, 0);
}

SVC_INLINE err_t sys_copy(uint64_t from_cspace, uint64_t from, uint64_t to_cspace, uint64_t to,
                          uint64_t rights, uint64_t badge)
{
    return svc6(SYS_copy, from_cspace, from, to_cspace, to, rights, badge);
}

SVC_INLINE err_t sys_move(uint64_t from_cspace, uint64_t from, uint64_t to_cspace, uint64_t to)
{
    return svc6(SYS_move, from_cspace, from, to_cspace, to, 0, 0);
}

SVC_INLINE err_t sys_delete(uint64_t cspace, uint64_t index)
{
    return svc3(SYS_delete, cspace, index, 0);
}

SVC_INLINE err_t sys_revoke(uint64_t cspace, uint64_t index)
{
    return svc3(SYS_revoke, cspace, index, 0);
}

struct identity {
    uint64_t type_rights; // enum obj_type | enum rights << 8
    uint64_t size;
    uint64_t badge;
    uint64_t address; // physical
};

SVC_INLINE err_t sys_identify(uint64_t handle, struct identity *out)
{
    uint64_t x[8] = {handle};
    err_t err = svc_all(SYS_identify, x);
    *out = (struct identity){x[1], x[2], x[3], x[4]};
    return err;
}

// ---- Memory -------------------------------------------------------------------------------------

SVC_INLINE err_t sys_map(uint64_t frames, uint64_t space, uint64_t address, uint64_t flags)
{
    return svc6(SYS_map, frames, space, address, flags, 0, 0);
}

SVC_INLINE err_t sys_unmap(uint64_t frames)
{
    return svc1(SYS_unmap, frames);
}

SVC_INLINE err_t sys_device_frames(uint64_t device_memory, uint64_t untyped, uint64_t physical,
                                   uint64_t pages, uint64_t cspace, uint64_t index)
{
    return svc6(SYS_device_frames, device_memory, untyped, physical, pages, cspace, index);
}

// ---- Threads ------------------------------------------------------------------------------------

SVC_INLINE err_t sys_thread_bind(uint64_t thread, uint64_t slot, uint64_t handle)
{
    return svc3(SYS_thread_bind, thread, slot, handle);
}

SVC_INLINE err_t sys_thread_start(uint64_t thread)
{
    return svc1(SYS_thread_start, thread);
}

SVC_INLINE err_t sys_thread_stop(uint64_t thread)
{
    return svc1(SYS_thread_stop, thread);
}

// count <= 6; on failure the values mean nothing.
SVC_INLINE err_t sys_thread_read(uint64_t thread, uint64_t first, uint64_t count,
                                 uint64_t values[6])
{
    uint64_t x[8] = {thread, first, count};
    err_t err = svc_all(SYS_thread_read, x);
    for (unsigned i = 0; i < 6; i++) {
        values[i] = x[1 + i];
    }
    return err;
}

// count <= 5, but five values are read.
SVC_INLINE err_t sys_thread_write(uint64_t thread, uint64_t first, uint64_t count,
                                  const uint64_t values[5])
{
    uint64_t x[8] = {thread, first, count, values[0], values[1], values[2], values[3], values[4]};
    return svc_all(SYS_thread_write, x);
}

SVC_INLINE err_t sys_thread_time(uint64_t thread, uint64_t time, uint64_t priority, uint64_t core,
                                 uint64_t budget, uint64_t period)
{
    return svc6(SYS_thread_time, thread, time, priority, core, budget, period);
}

SVC_INLINE err_t sys_thread_flags(uint64_t thread, uint64_t flags)
{
    return svc3(SYS_thread_flags, thread, flags, 0);
}

struct thread_info {
    uint64_t state; // enum thread_state
    uint64_t core;
    uint64_t used; // ticks of its own time
};

SVC_INLINE err_t sys_thread_info(uint64_t thread, struct thread_info *out)
{
    uint64_t x[8] = {thread};
    err_t err = svc_all(SYS_thread_info, x);
    *out = (struct thread_info){x[1], x[2], x[3]};
    return err;
}

// ---- Interrupts ---------------------------------------------------------------------------------

SVC_INLINE err_t sys_irq_create(uint64_t control, uint64_t untyped, uint64_t intid,
                                uint64_t trigger, uint64_t cspace, uint64_t index)
{
    return svc6(SYS_irq_create, control, untyped, intid, trigger, cspace, index);
}

SVC_INLINE err_t sys_irq_bind(uint64_t irq, uint64_t notification)
{
    return svc3(SYS_irq_bind, irq, notification, 0);
}

// The interrupt goes straight to the guest, as what `source` of the vcpu's page says (abi/vcpu.h).
SVC_INLINE err_t sys_irq_link(uint64_t irq, uint64_t vcpu, uint64_t source)
{
    return svc3(SYS_irq_bind, irq, vcpu, source);
}

// ---- Virtual cores (abi/vcpu.h; lib/vcpu.h enters them) ---------------------------------------------

SVC_INLINE err_t sys_vcpu_bind(uint64_t vcpu, uint64_t slot, uint64_t handle)
{
    return svc3(SYS_vcpu_bind, vcpu, slot, handle);
}

SVC_INLINE err_t sys_vcpu_reset(uint64_t vcpu)
{
    return svc1(SYS_vcpu_reset, vcpu);
}

// count <= 6; on failure the values mean nothing.
SVC_INLINE err_t sys_vcpu_read(uint64_t vcpu, uint64_t first, uint64_t count, uint64_t values[6])
{
    uint64_t x[8] = {vcpu, first, count};
    err_t err = svc_all(SYS_vcpu_read, x);
    for (unsigned i = 0; i < 6; i++) {
        values[i] = x[1 + i];
    }
    return err;
}

// count <= 5, but five values are read.
SVC_INLINE err_t sys_vcpu_write(uint64_t vcpu, uint64_t first, uint64_t count,
                                const uint64_t values[5])
{
    uint64_t x[8] = {vcpu, first, count, values[0], values[1], values[2], values[3], values[4]};
    return svc_all(SYS_vcpu_write, x);
}

SVC_INLINE err_t sys_vcpu_sync(uint64_t vcpu)
{
    return svc1(SYS_vcpu_sync, vcpu);
}

SVC_INLINE err_t sys_vcpu_kick(uint64_t vcpu)
{
    return svc1(SYS_vcpu_kick, vcpu);
}

// *ipa: what the guest's own translation makes of the address.
SVC_INLINE err_t sys_vcpu_translate(uint64_t vcpu, uint64_t address, uint64_t el0, uint64_t *ipa)
{
    uint64_t x[8] = {vcpu, address, el0};
    err_t err = svc_all(SYS_vcpu_translate, x);
    *ipa = x[1];
    return err;
}

// ---- The machine --------------------------------------------------------------------------------

// count <= 48 bytes of text, packed little-endian.
SVC_INLINE err_t sys_console_write(uint64_t console, uint64_t count, const uint64_t text[6])
{
    uint64_t x[8] = {console, count, text[0], text[1], text[2], text[3], text[4], text[5]};
    return svc_all(SYS_console_write, x);
}

SVC_INLINE err_t sys_console_mode(uint64_t console, uint64_t mode)
{
    return svc3(SYS_console_mode, console, mode, 0);
}

SVC_INLINE err_t sys_system_off(uint64_t power, uint64_t code, uint64_t how)
{
    return svc3(SYS_system_off, power, code, how);
}

SVC_INLINE err_t sys_smc(uint64_t smc, const uint64_t args[7], uint64_t results[4])
{
    uint64_t x[8] = {smc, args[0], args[1], args[2], args[3], args[4], args[5], args[6]};
    err_t err = svc_all(SYS_smc, x);
    for (unsigned i = 0; i < 4; i++) {
        results[i] = x[1 + i];
    }
    return err;
}

// A scripted kernel for unit tests of lib/: see fake_kernel.h.
#include "fake_kernel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bulkhead/svc.h>
#include <microkit.h>

struct fake fake;

// What the description would have set.
char microkit_name[MICROKIT_PD_NAME_LENGTH] = "tester";
seL4_Word microkit_irqs = 1u << 4 | 1u << 5;
seL4_Word microkit_notifications = 1u << 1;
seL4_Word microkit_pps = 1u << 2;

void fake_reset(void)
{
    memset(&fake, 0, sizeof(fake));
    __sel4_ipc_buffer = (seL4_IPCBuffer *)fake.page;
}

void fake_arrive(struct fake_arrival a)
{
    fake.arrivals[fake.arrival_count++] = a;
}

void fake_note(const char *fmt, ...)
{
    size_t used = strlen(fake.transcript);
    va_list args;
    va_start(args, fmt);
    vsnprintf(fake.transcript + used, sizeof(fake.transcript) - used, fmt, args);
    va_end(args);
    strcat(fake.transcript, "\n");
}

void microkit_internal_crash(seL4_Error err)
{
    fake.crash_error = (int)err;
    longjmp(fake.crash, 1);
}

// ---- Messages -----------------------------------------------------------------------------------

static err_t call(uint64_t endpoint, uint64_t *info, uint64_t *words)
{
    fake_note("call %" PRIu64 " info %#" PRIx64 " words %" PRIu64 " %" PRIu64, endpoint, *info,
              words[0], words[3]);
    *info = INFO(9, 2);
    words[0] = 90;
    words[1] = 91;
    return fake.err;
}

static err_t receive(uint64_t flags, uint64_t *x1, uint64_t *info, uint64_t *words)
{
    if ((flags & RECEIVE_REPLY) != 0) {
        fake_note("reply info %#" PRIx64 " words %" PRIu64 " %" PRIu64, *info, words[0], words[3]);
    }
    if (*x1 != DEADLINE_NEVER) {
        fake_note("receive until %" PRIu64, *x1);
    } else {
        fake_note("receive");
    }
    struct fake_arrival a = fake.arrivals[fake.arrival_next++];
    *x1 = a.badge;
    *info = a.info;
    if (a.err == OK && (a.info & INFO_NOTIFICATION) == 0) {
        memcpy(words, a.words, sizeof(a.words));
    }
    return a.err;
}

err_t svc_message(unsigned number, uint64_t a0, uint64_t *a1, uint64_t *info, uint64_t *words)
{
    return number == SYS_call ? call(a0, info, words) : receive(a0, a1, info, words);
}

uint64_t svc_value(unsigned number)
{
    return number == SYS_clock ? fake.now : 0;
}

// ---- The rest -----------------------------------------------------------------------------------

static void read_registers(uint64_t x[8])
{
    uint64_t first = x[1];
    uint64_t count = x[2];
    for (uint64_t i = 0; i < 6; i++) {
        x[1 + i] = i < count && first + i < REG_COUNT ? fake.registers[first + i] : 0xbad;
    }
}

static void write_registers(const uint64_t x[8])
{
    for (uint64_t i = 0; i < x[2] && i < 5 && x[1] + i < REG_COUNT; i++) {
        fake.registers[x[1] + i] = x[3 + i];
    }
}

static const char *const names[SYSCALL_COUNT] = {
#define NAME(name, number) [number] = #name,
    SYSCALL_LIST(NAME)};

// The numbers of the transcript are the arguments that the call has.
err_t svc_all(unsigned number, uint64_t x[8])
{
    switch (number) {
    case SYS_thread_read:
        read_registers(x);
        break;
    case SYS_thread_write:
        fake_note("thread_write %" PRIu64 " first %" PRIu64 " count %" PRIu64, x[0], x[1], x[2]);
        write_registers(x);
        break;
    case SYS_console_write:
        fake_note("console_write %" PRIu64 " count %" PRIu64, x[0], x[1]);
        if (fake.err == OK) {
            strncat(fake.console, (const char *)&x[2], x[1]);
        }
        break;
    case SYS_smc:
        fake_note("smc %" PRIu64 " %#" PRIx64 " %" PRIu64, x[0], x[1], x[7]);
        for (unsigned i = 0; i < 4; i++) {
            x[1 + i] = 100 + i;
        }
        break;
    default:
        fake_note("%s %" PRIu64, names[number], x[0]);
        for (unsigned i = 1; i < 8; i++) {
            x[i] = 10 * i;
        }
        break;
    }
    return fake.err;
}

err_t svc1(unsigned number, uint64_t a0)
{
    fake_note("%s %" PRIu64, names[number], a0);
    return fake.err;
}

err_t svc3(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2)
{
    fake_note("%s %" PRIu64 " %" PRIu64 " %" PRIu64, names[number], a0, a1, a2);
    return fake.err;
}

err_t svc6(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
           uint64_t a5)
{
    fake_note("%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
              names[number], a0, a1, a2, a3, a4, a5);
    return fake.err;
}

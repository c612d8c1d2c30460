// Exceptions: see exception.h.
#include "exception.h"

#include <stddef.h>

#include "cpu.h"
#include "report.h"

static void unexpected_interrupt(void)
{
    say("FAIL: an interrupt that nobody expects");
    power_off();
}

void (*irq_handler)(void) = unexpected_interrupt;
void (*fiq_handler)(void) = unexpected_interrupt;
void (*caught_hook)(struct frame *frame);

static struct core_catch {
    bool on;
    struct caught caught;
} catches[CPUS_MAX];

struct caught *catch_begin(void)
{
    struct core_catch *mine = &catches[cpu_number()];
    *mine = (struct core_catch){.on = true};
    __asm__ volatile("" : : : "memory");
    return &mine->caught;
}

const struct caught *catch_end(void)
{
    __asm__ volatile("" : : : "memory");
    struct core_catch *mine = &catches[cpu_number()];
    mine->on = false;
    return &mine->caught;
}

void exception(struct frame *frame, uint64_t vector)
{
    struct core_catch *mine = &catches[cpu_number()];
    if (!mine->on) {
        say("FAIL: exception %u on core %u: esr 0x%lx elr 0x%lx far 0x%lx", (unsigned)vector,
            cpu_number(), (unsigned long)frame->esr, (unsigned long)frame->elr,
            (unsigned long)frame->far);
        power_off();
    }
    mine->caught.count++;
    mine->caught.vector = (unsigned)vector;
    mine->caught.esr = frame->esr;
    mine->caught.far = frame->far;
    mine->caught.elr = frame->elr;
    if (caught_hook != NULL) {
        caught_hook(frame);
    } else {
        frame->elr += 4;
    }
}

// Every kind of instruction that a process may not execute, in a running kernel: each is a fault of that process and
// nothing else, on every core, and what a process may execute works. The list: test/harness/asm.S.
#include "../harness/asm.h"
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define RW (MAP_READ | MAP_WRITE)

struct trial {
    const struct probe *probe;
    volatile uint64_t done;
    volatile uint64_t beats; // of the witness
    _Alignas(64) uint64_t memory[8];
};

static void try_probe(void *argument)
{
    struct trial *t = argument;
    t->probe->run(t->memory);
    t->done = 1;
}

static void beat(void *argument)
{
    struct trial *t = argument;
    for (;;) {
        t->beats++;
    }
}

// A process that tries, on `core`, and one that goes on all the time.
struct laboratory {
    struct trial *trial;
    struct child subject;
    struct child witness;
};

static struct laboratory laboratory_new(uint64_t core)
{
    handle_t frames;
    struct laboratory l = {.trial = map_new(PAGE_SIZE, &frames)};
    l.subject = child_new(try_probe, l.trial, &(struct child_options){.core = core});
    l.witness = child_new(beat, l.trial, &(struct child_options){.core = core, .priority = 10});
    child_map(&l.subject, frames, l.trial, RW);
    child_map(&l.witness, frames, l.trial, RW);
    child_start(&l.witness);
    return l;
}

static void begin(const struct laboratory *l, const struct probe *probe)
{
    child_stop(&l->subject);
    l->trial->probe = probe;
    l->trial->done = 0;
    child_aim(&l->subject, try_probe, l->trial);
    child_start(&l->subject);
}

// Does it fault at its first instruction, and does it return when the handler moves it on?
static bool is_forbidden(const struct laboratory *l, const struct probe *probe)
{
    struct message m;
    begin(l, probe);
    if (!child_fault(&l->subject, &m, SURELY_MS) || INFO_LABEL(m.info) != FAULT_USER ||
        m.w[0] != (uint64_t)probe->run) {
        return false;
    }
    const uint64_t next[5] = {m.w[0] + 4};
    MUST(sys_thread_write(l->subject.thread, REG_PC, 1, next));
    resume();
    return child_done(&l->subject, SURELY_MS) && l->trial->done == 1;
}

static void test_forbidden(void)
{
    for (uint64_t core = 0; core < boot_info()->cores; core++) {
        struct laboratory l = laboratory_new(core);
        bool all = true;
        for (uint64_t i = 0; i < forbidden_probe_count; i++) {
            bool forbidden = is_forbidden(&l, &forbidden_probes[i]);
            if (!forbidden) {
                report(false, "a process may not execute: %s", forbidden_probes[i].name);
            }
            all = all && forbidden;
        }
        report(all,
               "on core %lu, %lu instructions that a process may not execute are its own fault",
               core, forbidden_probe_count);
        report(word_reaches(&l.trial->beats, l.trial->beats + 1000), "the other process goes on");
    }
}

static void test_allowed(void)
{
    struct laboratory l = laboratory_new(boot_info()->cores - 1);
    for (uint64_t i = 0; i < allowed_probe_count; i++) {
        begin(&l, &allowed_probes[i]);
        report(child_done(&l.subject, SURELY_MS) && l.trial->done == 1, "a process may execute: %s",
               allowed_probes[i].name);
    }
}

// What a process did to the registers that it may write does not meet the next one.
static void look_around(void *argument)
{
    uint64_t *out = argument;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(out[0]));
    __asm__ volatile("mrs %0, tpidrro_el0" : "=r"(out[1]));
    __asm__ volatile("mrs %0, nzcv" : "=r"(out[2]));
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(out[3]));
}

static void leave_traces(void *argument)
{
    (void)argument;
    __asm__ volatile("msr tpidr_el0, %0\n\tmsr nzcv, %0" : : "r"(~0ull));
}

static void test_no_traces(void)
{
    handle_t frames;
    uint64_t *out = map_new(PAGE_SIZE, &frames);
    struct child first = child_run(leave_traces, NULL);
    report(child_done(&first, SURELY_MS), "a process leaves traces");
    struct child next = child_new(look_around, out, &(struct child_options){0});
    child_map(&next, frames, out, RW);
    child_start(&next);
    report(child_done(&next, SURELY_MS) && out[0] == 0 && out[1] == 0 && out[2] == 0,
           "the next one finds none");
    report(out[3] != 0, "and reads what it may");
}

static void sleep_for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("wfi");
    }
}

static void test_waiting_for_interrupts(void)
{
    struct laboratory l = laboratory_new(boot_info()->cores - 1);
    struct child sleeper =
        child_new(sleep_for_ever, NULL, &(struct child_options){.core = boot_info()->cores - 1});
    child_start(&sleeper);
    child_set_time(&l.witness, CHILD_PRIORITY, boot_info()->cores - 1);
    report(word_reaches(&l.trial->beats, l.trial->beats + 1000),
           "a process that sleeps by WFI keeps its core no longer than its slice");
    child_stop(&sleeper);
    report(child_state(&sleeper) == THREAD_STOPPED, "and is stopped as any other");
}

// System calls with a stack pointer that points nowhere: the kernel does not use it.
static void call_without_stack(void *argument)
{
    uint64_t turns = 0;
    __asm__ volatile("mov x9, sp\n\t"
                     "mov sp, %[nowhere]\n\t"
                     "1: svc %[clock]\n\t"
                     "add %[turns], %[turns], #1\n\t"
                     "cmp %[turns], #100\n\t"
                     "b.ne 1b\n\t"
                     "mov sp, x9"
                     : [turns] "+r"(turns)
                     : [clock] "i"(SYS_clock), [nowhere] "r"(~0xfull)
                     : "x0", "x1", "x2", "x9", "cc", "memory");
    *(volatile uint64_t *)argument = turns;
}

static void test_calls_without_a_stack(void)
{
    handle_t frames;
    volatile uint64_t *out = map_new(PAGE_SIZE, &frames);
    struct child c = child_new(call_without_stack, (void *)out, &(struct child_options){0});
    child_map(&c, frames, (const void *)out, RW);
    child_start(&c);
    report(child_done(&c, SURELY_MS) && *out == 100, "the kernel never uses a process's stack");
}

static const struct test_case cases[] = {
    {"forbidden instructions", test_forbidden},
    {"allowed instructions", test_allowed},
    {"no traces", test_no_traces},
    {"waiting for interrupts", test_waiting_for_interrupts},
    {"calls without a stack", test_calls_without_a_stack},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

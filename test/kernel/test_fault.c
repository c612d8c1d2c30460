// Faults of processes in a running kernel: they reach whoever handles them with all that is needed to go on, or end in
// a stop. Instructions that a process may not use: test_instruction.c.
#include "../harness/asm.h"
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define RW (MAP_READ | MAP_WRITE)

static uint64_t last_core(void)
{
    return boot_info()->cores - 1;
}

// ---- Going on -----------------------------------------------------------------------------------------------

struct work {
    uint64_t address;
    volatile uint64_t value;
    volatile uint64_t turns;
};

// With values in every register around it, the load is done again after the fault.
static void load_among_registers(void *argument)
{
    struct work *w = argument;
    uint64_t sum;
    __asm__ volatile("mov x1, #1\n\t"
                     "mov x9, #9\n\t"
                     "mov x15, #15\n\t"
                     "mov x19, #19\n\t"
                     "mov x28, #28\n\t"
                     "cmp x1, #1\n\t"
                     "ldr x2, [%1]\n\t"
                     "cset x3, eq\n\t"
                     "add x2, x2, x3\n\t"
                     "add x2, x2, x1\n\t"
                     "add x2, x2, x9\n\t"
                     "add x2, x2, x15\n\t"
                     "add x2, x2, x19\n\t"
                     "add %0, x2, x28"
                     : "=r"(sum)
                     : "r"(w->address)
                     : "x1", "x2", "x3", "x9", "x15", "x19", "x28", "cc", "memory");
    w->value = sum;
}

static struct child worker(child_fn *run, struct work **w, const struct child_options *o)
{
    handle_t frames;
    *w = map_new(PAGE_SIZE, &frames);
    struct child c = child_new(run, *w, o);
    child_map(&c, frames, *w, RW);
    return c;
}

static void test_missing_page_is_supplied(void)
{
    struct message m;
    struct work *w;
    struct child c = worker(load_among_registers, &w, &(struct child_options){.core = last_core()});
    handle_t page;
    uint64_t *mine = map_new(PAGE_SIZE, &page);
    uint64_t at = address_new(PAGE_SIZE);
    mine[1] = 1000;
    w->address = at + 8;
    child_start(&c);
    bool fault = child_fault(&c, &m, SURELY_MS);
    report(fault && INFO_LABEL(m.info) == FAULT_VM && INFO_COUNT(m.info) == 4,
           "a read where nothing is mapped is reported");
    report(m.w[1] == at + 8 && m.w[3] == 0, "with its address");
    uint64_t from = (uint64_t)load_among_registers;
    report(m.w[0] >= from && m.w[0] < from + 128 && *(const uint32_t *)m.w[0] >> 22 == 0x3e5,
           "and the instruction's");
    report(m.w[2] >> 26 == 0x24, "and its syndrome");
    report(child_state(&c) == THREAD_FAULTED, "meanwhile the thread waits");
    child_map(&c, page, (const void *)at, MAP_READ);
    resume();
    report(child_done(&c, SURELY_MS) && w->value == 1073,
           "the page supplied, it goes on with all its registers (%lu)", w->value);
}

static void fault_often(void *argument)
{
    struct work *w = argument;
    for (;;) {
        __asm__ volatile("brk #7");
        w->turns++;
    }
}

static void test_many_faults(void)
{
    enum { CHILDREN = 4, FAULTS = 100 };
    struct work *w[CHILDREN];
    struct child c[CHILDREN];
    for (unsigned i = 0; i < CHILDREN; i++) {
        c[i] = worker(fault_often, &w[i], &(struct child_options){.core = i % boot_info()->cores});
        child_start(&c[i]);
    }
    unsigned seen[CHILDREN] = {0};
    unsigned ready = 0; // children that have had their faults; whoever is faster has more
    bool right = true;
    while (right && ready < CHILDREN) {
        struct message m;
        right = await_message(&m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_USER;
        unsigned number = (unsigned)(m.badge - CHILD_FAULT - c[0].number);
        right = right && number < CHILDREN && w[number]->turns == seen[number];
        if (right) {
            const uint64_t pc[5] = {m.w[0] + 4};
            seen[number]++;
            ready += seen[number] == FAULTS;
            MUST(sys_thread_write(c[number].thread, REG_PC, 1, pc));
            resume();
        }
    }
    report(right, "%u threads on all cores have %u faults each, their handler moves them on",
           CHILDREN, FAULTS);
}

// ---- Unknown calls ------------------------------------------------------------------------------------------

struct unknown {
    uint64_t number;
    uint64_t words[8];
};

static void call_by_number(void *argument)
{
    struct unknown *u = argument;
    (void)svc_number(u->words, u->number);
}

static void test_unknown_calls(void)
{
    handle_t frames;
    struct unknown *u = map_new(PAGE_SIZE, &frames);
    struct child c = child_new(call_by_number, u, &(struct child_options){0});
    child_map(&c, frames, u, RW);
    bool all = true;
    for (uint64_t number = SYSCALL_COUNT; number < SVC_NUMBERS; number++) {
        struct message m;
        *u = (struct unknown){.number = number, .words = {1, 2, 3, 4, 5, 6, 7, 8}};
        child_aim(&c, call_by_number, u);
        child_start(&c);
        all = all && child_fault(&c, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_SYSCALL &&
              m.w[1] == number;
        const uint64_t result[5] = {number * 7};
        MUST(sys_thread_write(c.thread, REG_X0, 1, result));
        resume();
        all = all && child_done(&c, SURELY_MS) && u->words[0] == number * 7 && u->words[1] == 2 &&
              u->words[7] == 8;
        child_stop(&c);
    }
    report(all, "system calls that do not exist are answered by the handler, as it likes");
}

static void call_0xffff(void *argument)
{
    struct work *w = argument;
    register uint64_t x0 __asm__("x0") = 5;
    __asm__ volatile("svc #0xffff" : "+r"(x0) : : "memory");
    w->value = x0;
}

static void test_last_call_number(void)
{
    struct message m;
    struct work *w;
    struct child c = worker(call_0xffff, &w, &(struct child_options){0});
    child_start(&c);
    report(child_fault(&c, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_SYSCALL &&
               m.w[1] == 0xffff,
           "the last number of all is one of them");
    resume();
    report(child_done(&c, SURELY_MS) && w->value == 5, "a resume changes no register");
}

// ---- Not going on -------------------------------------------------------------------------------------------

static void jump_to_zero(void *argument)
{
    (void)argument;
    __asm__ volatile("mov x9, #0\n\tblr x9" : : : "x9", "x30", "memory");
}

static void count_for_ever(void *argument)
{
    struct work *w = argument;
    for (;;) {
        w->turns++;
    }
}

static void test_no_handler(void)
{
    struct work *w;
    struct child witness =
        worker(count_for_ever, &w, &(struct child_options){.core = last_core(), .priority = 10});
    child_start(&witness);
    for (uint64_t core = 0; core < boot_info()->cores; core++) {
        struct child c = child_new(jump_to_zero, NULL,
                                   &(struct child_options){.core = core, .no_handler = true});
        child_start(&c);
        report(child_reaches(&c, THREAD_STOPPED),
               "a thread on core %lu faults, nobody handles it: stopped", core);
        uint64_t pc[6];
        MUST(sys_thread_read(c.thread, REG_PC, 1, pc));
        report(pc[0] == 0, "its registers show where");
    }
    report(word_reaches(&w->turns, w->turns + 1000), "everybody else runs on");
}

static void test_restart_after_a_fault(void)
{
    struct message m;
    struct work *w;
    struct child c = worker(fault_often, &w, &(struct child_options){.core = last_core()});
    child_start(&c);
    report(child_fault(&c, &m, SURELY_MS), "a thread faults");
    child_stop(&c);
    report(child_state(&c) == THREAD_STOPPED, "its handler stops it");
    child_aim(&c, count_for_ever, w);
    child_start(&c);
    report(word_reaches(&w->turns, 1000), "and starts it somewhere else");
    resume();
    report(word_reaches(&w->turns, w->turns + 1000), "a late answer to the fault changes nothing");
    child_stop(&c);
    child_aim(&c, fault_often, w);
    child_start(&c);
    report(child_fault(&c, &m, SURELY_MS), "it faults again");
    MUST(sys_thread_start(c.thread));
    report(child_fault(&c, &m, SURELY_MS), "started without a change, it faults at the same place");
}

static void test_end_of_the_handlers_endpoint(void)
{
    struct work *w;
    struct child c =
        worker(fault_often, &w, &(struct child_options){.no_handler = true, .core = last_core()});
    handle_t e = make(OBJ_ENDPOINT, 0);
    MUST(sys_thread_bind(c.thread, THREAD_FAULT, e));
    child_start(&c);
    report(child_reaches(&c, THREAD_FAULTED), "a fault waits for a handler that is busy");
    MUST(sys_revoke(BOOT_CSPACE, e));
    MUST(sys_delete(BOOT_CSPACE, e));
    report(child_reaches(&c, THREAD_STOPPED), "the handler's endpoint gone, the thread is stopped");
    report(w->turns == 0, "it did not get beyond its fault");
}

// A handler that faults itself is its own handler's business.
static void test_handler_faults(void)
{
    struct message m;
    struct work *w;
    struct child handler = worker(fault_often, &w, &(struct child_options){.serves = true});
    struct child c = worker(fault_often, &w, &(struct child_options){.no_handler = true});
    MUST(sys_thread_bind(c.thread, THREAD_FAULT, copy_of(handler.endpoint, RIGHT_WRITE, 5)));
    child_start(&c);
    report(child_reaches(&c, THREAD_FAULTED), "a thread waits for its handler");
    child_start(&handler);
    report(child_fault(&handler, &m, SURELY_MS),
           "which faults, too: that goes to the handler's handler");
    MUST(sys_delete(handler.cspace, CHILD_SELF));
    MUST(sys_delete(BOOT_CSPACE, handler.thread));
    report(child_state(&c) == THREAD_FAULTED, "without it the thread waits on");
}

static const struct test_case cases[] = {
    {"a missing page is supplied", test_missing_page_is_supplied},
    {"many faults", test_many_faults},
    {"unknown calls", test_unknown_calls},
    {"the last call number", test_last_call_number},
    {"no handler", test_no_handler},
    {"restart after a fault", test_restart_after_a_fault},
    {"end of the handler's endpoint", test_end_of_the_handlers_endpoint},
    {"the handler faults", test_handler_faults},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

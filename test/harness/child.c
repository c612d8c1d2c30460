// Making children: see child.h.
#include "child.h"

#include <abi/bundle.h>
#include <lib/syscall.h>

#include "report.h"

// Each child's stack and message page have addresses of their own, so that children may share a space.
#define STACKS       0x20000000u
#define STACK_SIZE   0x2000u
#define STACK_STRIDE 0x10000u // its message page is at the stack's top
#define CHILD_TABLES 64u

// ---- What a child executes when its function returns --------------------------------------------------------

_Noreturn void child_wait_for_ever(void)
{
    for (;;) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        uint64_t badge;
        ignore(sys_receive(0, DEADLINE_NEVER, &info, words, &badge));
    }
}

static _Noreturn void child_end(void)
{
    ignore(sys_signal(CHILD_DONE));
    child_wait_for_ever();
}

uint64_t child_await_bits(void)
{
    for (;;) {
        uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
        uint64_t info = 0;
        uint64_t bits = 0;
        err_t err = sys_receive(0, DEADLINE_NEVER, &info, words, &bits);
        if (err == OK && info == INFO_NOTIFICATION && bits != 0) {
            return bits;
        }
    }
}

uint64_t child_next_call(bool reply, uint64_t *info, uint64_t words[MESSAGE_REGISTER_WORDS])
{
    uint64_t badge = 0;
    uint64_t flags = reply ? RECEIVE_REPLY : 0;
    do {
        ignore(sys_receive(flags, DEADLINE_NEVER, info, words, &badge));
        flags = 0;
    } while (*info == INFO_NOTIFICATION);
    return badge;
}

uint64_t *child_message_page(void)
{
    return (uint64_t *)align_up((uint64_t)__builtin_frame_address(0), STACK_STRIDE);
}

// ---- Making -------------------------------------------------------------------------------------------------

// The text and constants of the test image, and where they lie in the bundle.
static void map_image(handle_t space)
{
    const struct bundle_header *b = (const struct bundle_header *)boot_info()->bundle_address;
    const struct init_header *h = (const struct init_header *)((const char *)b + b->init.offset);
    handle_t text = copy_of(BOOT_BUNDLE, RIGHT_READ | RIGHT_EXECUTE,
                            FRAMES_RANGE(b->init.offset / PAGE_SIZE, h->text_size / PAGE_SIZE));
    MUST(sys_map(text, space, BOOT_IMAGE_ADDRESS, MAP_READ | MAP_EXECUTE));
}

static void map_stack(struct child *c)
{
    uint64_t top = STACKS + (uint64_t)(c->number + 1) * STACK_STRIDE;
    MUST(sys_map(make(OBJ_FRAMES, STACK_SIZE), c->space, top - STACK_SIZE, MAP_READ | MAP_WRITE));
    c->stack_top = top;
}

static void make_message(struct child *c)
{
    c->message = make(OBJ_FRAMES, PAGE_SIZE);
    MUST(sys_map(c->message, c->space, c->stack_top, MAP_READ | MAP_WRITE));
    MUST(sys_thread_bind(c->thread, THREAD_MESSAGE, c->message));
}

static void make_space(struct child *c, const struct child_options *o)
{
    if (o->kind == CHILD_THREAD) {
        c->space = BOOT_SPACE;
    } else if (o->beside != NULL) {
        c->space = o->beside->space;
    } else {
        c->space = make(OBJ_SPACE, CHILD_TABLES);
        map_image(c->space);
    }
}

static void give_handles(const struct child *c)
{
    child_give(c, BOOT_NOTIFICATION, CHILD_DONE, RIGHT_WRITE, BIT(c->number));
    child_give(c, BOOT_ENDPOINT, CHILD_PARENT, RIGHT_WRITE, CHILD_CALL | c->number);
    child_give(c, c->thread, CHILD_SELF, RIGHT_ALL, 0);
    child_give(c, c->notification, CHILD_NOTIFICATION, RIGHT_ALL, 0);
    child_give(c, c->space, CHILD_SPACE, RIGHT_ALL, 0);
}

static void bind(const struct child *c, const struct child_options *o)
{
    MUST(sys_thread_bind(c->thread, THREAD_CSPACE, c->cspace));
    MUST(sys_thread_bind(c->thread, THREAD_SPACE, c->space));
    MUST(sys_thread_bind(c->thread, THREAD_NOTIFICATION, c->notification));
    if (c->endpoint != 0) {
        MUST(sys_thread_bind(c->thread, THREAD_ENDPOINT, c->endpoint));
    }
    if (!o->no_handler) {
        handle_t faults = copy_of(BOOT_ENDPOINT, RIGHT_WRITE, CHILD_FAULT | c->number);
        MUST(sys_thread_bind(c->thread, THREAD_FAULT, faults));
    }
}

static void set_time(const struct child *c, const struct child_options *o)
{
    uint64_t budget = ticks_of_us(o->budget_us != 0 ? o->budget_us : CHILD_SLICE_US);
    uint64_t period = o->budget_us != 0 ? ticks_of_us(o->period_us) : budget;
    uint64_t priority = o->priority != 0 ? o->priority : CHILD_PRIORITY;
    MUST(sys_thread_time(c->thread, BOOT_TIME, priority, o->core, budget, period));
}

struct child child_new(child_fn *run, void *argument, const struct child_options *o)
{
    struct child c = {.number = child_number_new(), .thread = make(OBJ_THREAD, 0)};
    c.cspace = make(OBJ_CSPACE, o->slots != 0 ? o->slots : CHILD_SLOTS);
    c.notification = make(OBJ_NOTIFICATION, 0);
    c.endpoint = o->serves ? make(OBJ_ENDPOINT, 0) : 0;
    make_space(&c, o);
    map_stack(&c);
    if (!o->no_message) {
        make_message(&c);
    }
    give_handles(&c);
    bind(&c, o);
    MUST(sys_thread_flags(c.thread, o->flags));
    set_time(&c, o);
    child_aim(&c, run, argument);
    return c;
}

void child_aim(const struct child *c, child_fn *run, void *argument)
{
    const uint64_t x0[5] = {(uint64_t)argument};
    const uint64_t x29[5] = {0, (uint64_t)child_end, c->stack_top, (uint64_t)run};
    MUST(sys_thread_write(c->thread, REG_X0, 1, x0));
    MUST(sys_thread_write(c->thread, 29, 4, x29));
}

struct child child_run(child_fn *run, void *argument)
{
    struct child c = child_new(run, argument, &(struct child_options){0});
    child_start(&c);
    return c;
}

// ---- Using --------------------------------------------------------------------------------------------------

void child_start(const struct child *c)
{
    MUST(sys_thread_start(c->thread));
}

void child_stop(const struct child *c)
{
    MUST(sys_thread_stop(c->thread));
}

void child_give(const struct child *c, handle_t source, uint64_t to, unsigned rights,
                uint64_t badge)
{
    struct identified id;
    MUST(identify(source, &id));
    MUST(sys_copy(BOOT_CSPACE, source, c->cspace, to, id.rights & rights, badge));
}

void child_map(const struct child *c, handle_t frames, const void *at, unsigned flags)
{
    MUST(sys_map(copy_all(frames), c->space, (uint64_t)at, flags));
}

bool child_done(const struct child *c, uint64_t ms)
{
    return await_bits(BIT(c->number), ms);
}

bool child_fault(const struct child *c, struct message *out, uint64_t ms)
{
    return await_message(out, ms) && out->badge == (CHILD_FAULT | c->number);
}

static struct thread_info info_of(const struct child *c)
{
    struct thread_info info;
    MUST(sys_thread_info(c->thread, &info));
    return info;
}

enum thread_state child_state(const struct child *c)
{
    return (enum thread_state)info_of(c).state;
}

uint64_t child_core(const struct child *c)
{
    return info_of(c).core;
}

uint64_t child_used(const struct child *c)
{
    return info_of(c).used;
}

void child_set_time(const struct child *c, uint64_t priority, uint64_t core)
{
    uint64_t slice = ticks_of_us(CHILD_SLICE_US);
    MUST(sys_thread_time(c->thread, BOOT_TIME, priority, core, slice, slice));
}

bool child_reaches(const struct child *c, enum thread_state state)
{
    uint64_t end = now() + ticks_of_ms(SURELY_MS);
    while (child_state(c) != state) {
        if (now() > end) {
            return false;
        }
        pause_ms(1);
    }
    return true;
}

bool word_reaches(const volatile uint64_t *word, uint64_t value)
{
    // Pauses are counted, not time: while the machine does not get to run, nobody gets on.
    for (unsigned pauses = 0; *word < value; pauses++) {
        if (pauses == SURELY_MS) {
            return false;
        }
        pause_ms(1);
    }
    return true;
}

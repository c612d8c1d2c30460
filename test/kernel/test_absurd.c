// Absurd system calls in a running kernel: a process that holds a capability of nearly every kind makes every call
// with every argument wrong in every way, first by a table, then at random. Whatever it does to itself, a bystander on
// its core runs on, its memory stays as it is, and all the memory that the process had comes back.
//
// Boot arguments: seed=N, calls=N (random ones).
#include "../harness/asm.h"
#include "../harness/child.h"
#include "../harness/options.h"
#include "../harness/random.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define RW        (MAP_READ | MAP_WRITE)
#define ARGUMENTS 8u
#define PATIENCE_MS                                                                                \
    4u // without a call, after which the process is started again behind the one that it made last
#define RANDOM_CALLS    30000u
#define CALLS_OF_A_LIFE 250u // by then it has lost much of what it had

// What the process holds, at handles of its own.
enum own_handle {
    OWN_UNTYPED = CHILD_OWN,
    OWN_CSPACE, // that it lives on
    OWN_OTHER_CSPACE,
    OWN_OTHER_THREAD,
    OWN_OTHER_SPACE,
    OWN_FRAMES,
    OWN_MORE_FRAMES,
    OWN_ENDPOINT,
    OWN_IRQ_CONTROL,
    OWN_DEVICE_MEMORY,
    OWN_TIME,
    OWN_IRQ,
    OWN_END,
};
#define EMPTY_SLOT 40u // and those behind it

struct attack {
    volatile uint64_t made;      // calls begun: the next one to make, too
    uint64_t end;                // calls to make
    uint64_t seed;               // 0: by the table
    volatile uint64_t beats;     // of the bystander
    volatile uint64_t disturbed; // its memory was not what it wrote
};

// ---- The calls, by number -----------------------------------------------------------------------------------

// Good arguments for each call: what is wrong comes one by one on top.
static const uint64_t good[SYSCALL_COUNT][ARGUMENTS] = {
    [SYS_call] = {OWN_ENDPOINT, 0, INFO(1, 4), 1, 2, 3, 4},
    [SYS_receive] = {RECEIVE_POLL, DEADLINE_NEVER, INFO(1, 4)},
    [SYS_signal] = {CHILD_NOTIFICATION},
    [SYS_irq_ack] = {OWN_IRQ},
    [SYS_retype] = {OWN_UNTYPED, OBJ_FRAMES, PAGE_SIZE, OWN_CSPACE, EMPTY_SLOT},
    [SYS_copy] = {OWN_CSPACE, OWN_FRAMES, OWN_CSPACE, EMPTY_SLOT, RIGHT_READ, 0},
    [SYS_move] = {OWN_CSPACE, EMPTY_SLOT, OWN_OTHER_CSPACE, 1},
    [SYS_delete] = {OWN_CSPACE, EMPTY_SLOT},
    [SYS_revoke] = {OWN_CSPACE, OWN_UNTYPED},
    [SYS_identify] = {OWN_FRAMES},
    [SYS_map] = {OWN_FRAMES, OWN_OTHER_SPACE, 0x100000, MAP_READ},
    [SYS_unmap] = {OWN_FRAMES},
    [SYS_device_frames] = {OWN_DEVICE_MEMORY, OWN_UNTYPED, 0x9010000, 1, OWN_CSPACE, EMPTY_SLOT},
    [SYS_thread_bind] = {OWN_OTHER_THREAD, THREAD_SPACE, OWN_OTHER_SPACE},
    [SYS_thread_start] = {OWN_OTHER_THREAD},
    [SYS_thread_stop] = {OWN_OTHER_THREAD},
    [SYS_thread_read] = {OWN_OTHER_THREAD, REG_X0, 6},
    [SYS_thread_write] = {OWN_OTHER_THREAD, REG_X0, 5, 1, 2, 3, 4, 5},
    [SYS_thread_time] = {OWN_OTHER_THREAD, OWN_TIME, 1, 0, 1000, 1000},
    [SYS_thread_flags] = {OWN_OTHER_THREAD, THREAD_FP},
    [SYS_thread_info] = {OWN_OTHER_THREAD},
    [SYS_irq_create] = {OWN_IRQ_CONTROL, OWN_UNTYPED, 50, IRQ_EDGE, OWN_CSPACE, EMPTY_SLOT},
    [SYS_irq_bind] = {OWN_IRQ, CHILD_NOTIFICATION},
    [SYS_console_write] = {0, 48},
    [SYS_console_mode] = {0, CONSOLE_OFF},
    [SYS_system_off] = {0, 1, SYSTEM_OFF},
    [SYS_smc] = {0, 0x84000000},
};

// clang-format off
static const uint64_t absurd[] = {
    0, 1, 2, 3, 4, 5, 6, 7,
    OWN_UNTYPED, OWN_CSPACE, OWN_OTHER_CSPACE, OWN_OTHER_THREAD, OWN_OTHER_SPACE, OWN_FRAMES, OWN_MORE_FRAMES,
    OWN_ENDPOINT, OWN_IRQ_CONTROL, OWN_DEVICE_MEMORY, OWN_TIME, OWN_IRQ, EMPTY_SLOT,
    CHILD_SLOTS - 1, CHILD_SLOTS, CHILD_SLOTS + 1, 127, 128, 254, 255, 256,
    PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 0xffff, CSPACE_MAX, CSPACE_MAX + 1, LARGE_PAGE_SIZE,
    0x8000000, 0x9000000, 0x40000000, 0x40080000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff,
    1ull << 32, (1ull << 32) + OWN_FRAMES, FRAMES_RANGE(1, 1), FRAMES_RANGE(0, 0xffffffff),
    FRAMES_RANGE(0xffffffff, 0xffffffff), (1ull << 40) - PAGE_SIZE, 1ull << 40, 1ull << 48,
    0x0000800000000000, 0xffff000040000000, 1ull << 52, 1ull << 56, (1ull << 56) + 1,
    (1ull << 63) - 1, 1ull << 63, 0xfffffffffffff000, ~1ull, ~0ull,
};
// clang-format on
#define BY_TABLE (SYSCALL_COUNT * ARGUMENTS * ARRAY_SIZE(absurd))

static uint64_t pick_by_table(uint64_t n, uint64_t words[ARGUMENTS])
{
    uint64_t number = n / (ARGUMENTS * ARRAY_SIZE(absurd));
    for (unsigned i = 0; i < ARGUMENTS; i++) {
        words[i] = good[number][i];
    }
    words[n / ARRAY_SIZE(absurd) % ARGUMENTS] = absurd[n % ARRAY_SIZE(absurd)];
    return number;
}

// Each argument is good, or another call's good one, or absurd, or anything.
static uint64_t pick_at_random(uint64_t seed, uint64_t words[ARGUMENTS])
{
    struct random r = random_begin(seed);
    uint64_t number = random_below(&r, 100) == 0 ? random_below(&r, SVC_NUMBERS)
                                                 : random_below(&r, SYSCALL_COUNT);
    for (unsigned i = 0; i < ARGUMENTS; i++) {
        uint64_t kind = random_below(&r, 16);
        words[i] = number < SYSCALL_COUNT ? good[number][i] : 0;
        if (kind == 0) {
            words[i] = random_next(&r) >> random_below(&r, 64);
        } else if (kind < 4) {
            words[i] = absurd[random_below(&r, ARRAY_SIZE(absurd))];
        } else if (kind < 7) {
            words[i] = random_below(&r, CHILD_SLOTS);
        }
    }
    return number;
}

// ---- Processes ----------------------------------------------------------------------------------------------

static void attack(void *argument)
{
    struct attack *a = argument;
    while (a->made < a->end) {
        uint64_t words[ARGUMENTS];
        uint64_t n = a->made++;
        uint64_t number =
            a->seed == 0 ? pick_by_table(n, words) : pick_at_random(a->seed + n, words);
        (void)svc_number(words, number);
    }
}

static void stand_by(void *argument)
{
    struct attack *a = argument;
    uint64_t *page = child_message_page();
    for (uint64_t i = 0;; i = (i + 1) % 512) {
        a->disturbed += page[i] != 0 && page[i] != ~i;
        page[i] = ~i;
        a->beats++;
    }
}

struct scene {
    struct attack *attack;
    struct child attacker;
    struct child bystander;
};

static void give(const struct scene *s, enum obj_type type, uint64_t size, enum own_handle to)
{
    child_give(&s->attacker, make(type, size), to, RIGHT_ALL, 0);
}

static void give_everything(const struct scene *s)
{
    handle_t untyped = make(OBJ_UNTYPED, 0x40000);
    MUST(sys_move(BOOT_CSPACE, untyped, s->attacker.cspace, OWN_UNTYPED));
    child_give(&s->attacker, s->attacker.cspace, OWN_CSPACE, RIGHT_ALL, 0);
    give(s, OBJ_CSPACE, 16, OWN_OTHER_CSPACE);
    give(s, OBJ_THREAD, 0, OWN_OTHER_THREAD);
    give(s, OBJ_SPACE, 8, OWN_OTHER_SPACE);
    give(s, OBJ_FRAMES, 4 * PAGE_SIZE, OWN_FRAMES);
    give(s, OBJ_FRAMES, PAGE_SIZE, OWN_MORE_FRAMES);
    give(s, OBJ_ENDPOINT, 0, OWN_ENDPOINT);
    child_give(&s->attacker, BOOT_IRQ_CONTROL, OWN_IRQ_CONTROL, RIGHT_ALL, 0);
    child_give(&s->attacker, BOOT_DEVICE_MEMORY, OWN_DEVICE_MEMORY, RIGHT_ALL, 0);
    child_give(&s->attacker, BOOT_TIME, OWN_TIME, RIGHT_ALL,
               TIME_BADGE(CHILD_PRIORITY, BIT(CORES_MAX) - 1));
    handle_t irq = handle_new();
    MUST(sys_irq_create(BOOT_IRQ_CONTROL, memory(), boot_info()->console_irq, IRQ_LEVEL,
                        BOOT_CSPACE, irq));
    child_give(&s->attacker, irq, OWN_IRQ, RIGHT_ALL, 0);
}

static struct scene scene_new(uint64_t core)
{
    handle_t frames;
    struct scene s = {.attack = map_new(PAGE_SIZE, &frames)};
    s.attacker = child_new(attack, s.attack, &(struct child_options){.core = core, .serves = true});
    s.bystander = child_new(stand_by, s.attack, &(struct child_options){.core = core});
    child_map(&s.attacker, frames, s.attack, RW);
    child_map(&s.bystander, frames, s.attack, RW);
    give_everything(&s);
    return s;
}

// Starts the process again at its next call. False: it has made itself unusable.
static bool set_going(const struct scene *s)
{
    const uint64_t registers[5] = {(uint64_t)s->attack};
    const uint64_t more[5] = {0, 0, s->attacker.stack_top, (uint64_t)attack};
    handle_t t = s->attacker.thread;
    uint64_t slice = ticks_of_us(CHILD_SLICE_US);
    return sys_thread_stop(t) == OK && sys_thread_write(t, REG_X0, 1, registers) == OK &&
           sys_thread_write(t, 29, 4, more) == OK &&
           sys_thread_time(t, BOOT_TIME, CHILD_PRIORITY, 0, slice, slice) == OK &&
           sys_thread_start(t) == OK;
}

// Lets it attack until all calls are made, or it cannot go on. Returns how many it made.
static uint64_t watch(const struct scene *s)
{
    uint64_t seen = s->attack->made;
    bool able = set_going(s);
    unsigned restarts = 0;
    while (able && s->attack->made < s->attack->end && restarts < 3) {
        uint64_t end = now() + ticks_of_ms(PATIENCE_MS);
        while (s->attack->made == seen && now() < end) {
            pause_ms(1);
        }
        // Restarted and still not moving, it has lost something that it needs.
        restarts = s->attack->made == seen ? restarts + 1 : 0;
        if (s->attack->made == seen) {
            able = set_going(s);
        }
        seen = s->attack->made;
    }
    return s->attack->made;
}

// One life of the process. It begins at call *next; what it lost meanwhile stays lost until its end.
static bool live(uint64_t seed, uint64_t *next, uint64_t end)
{
    case_begin();
    struct scene s = scene_new(0);
    s.attack->made = *next;
    s.attack->end = end - *next < CALLS_OF_A_LIFE ? end : *next + CALLS_OF_A_LIFE;
    s.attack->seed = seed;
    child_start(&s.bystander);
    *next = watch(&s);
    uint64_t beats = s.attack->beats;
    bool undisturbed = word_reaches(&s.attack->beats, beats + 1000) && s.attack->disturbed == 0;
    return case_end() && undisturbed;
}

static void attack_all(const char *name, uint64_t seed, uint64_t end)
{
    uint64_t next = 0;
    unsigned lives = 0;
    bool good_all_along = true;
    while (good_all_along && next < end) {
        uint64_t before = next;
        good_all_along = live(seed, &next, end);
        next += next == before; // a call that is the end of it at once
        lives++;
    }
    report(good_all_along,
           "%s: %lu calls in %u lives, nobody else was disturbed and all memory came back", name,
           next, lives);
}

_Noreturn void init_main(void)
{
    uint64_t seed = option_number("seed", now() | 1);
    uint64_t calls = option_number("calls", RANDOM_CALLS);
    say("seed %lu", seed);
    attack_all("by the table", 0, BY_TABLE);
    attack_all("at random", seed << 24, calls);
    summary();
}

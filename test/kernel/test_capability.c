// Capabilities in a running kernel: making, copying, moving, deleting and revoking them, what is refused, and that
// nothing is left behind. Each case ends with a check that all of its memory came back (report.h).
#include "../harness/child.h"
#include "../harness/report.h"

#include <lib/syscall.h>

#define SLOTS 16u

static err_t retype(handle_t untyped, uint64_t type, uint64_t size, handle_t to)
{
    return sys_retype(untyped, type, size, BOOT_CSPACE, to);
}

static err_t copy(handle_t from, handle_t to, uint64_t rights, uint64_t badge)
{
    return sys_copy(BOOT_CSPACE, from, BOOT_CSPACE, to, rights, badge);
}

static err_t move(handle_t from, handle_t to)
{
    return sys_move(BOOT_CSPACE, from, BOOT_CSPACE, to);
}

static err_t delete (handle_t h)
{
    return sys_delete(BOOT_CSPACE, h);
}

static err_t revoke(handle_t h)
{
    return sys_revoke(BOOT_CSPACE, h);
}

// ---- Making -------------------------------------------------------------------------------------------------

static const struct {
    const char *name;
    enum obj_type type;
    uint64_t size;
    uint64_t identified; // size that identify gives
} kinds[] = {
    {"untyped", OBJ_UNTYPED, 0x10000, 0x10000},
    {"untyped of 2 MiB", OBJ_UNTYPED, LARGE_PAGE_SIZE, LARGE_PAGE_SIZE},
    {"cspace", OBJ_CSPACE, 32, 32},
    {"smallest cspace", OBJ_CSPACE, 2, 2},
    {"thread", OBJ_THREAD, 0, 0},
    {"space", OBJ_SPACE, 8, 0},
    {"space without tables", OBJ_SPACE, 0, 0},
    {"frames", OBJ_FRAMES, 3 * PAGE_SIZE, 3 * PAGE_SIZE},
    {"frames of 4 MiB", OBJ_FRAMES, 2 * LARGE_PAGE_SIZE, 2 * LARGE_PAGE_SIZE},
    {"notification", OBJ_NOTIFICATION, 0, 0},
    {"endpoint", OBJ_ENDPOINT, 0, 0},
};

static void test_every_type_is_made(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct identified id = {0};
        handle_t h = handle_new();
        err_t err = retype(memory(), kinds[i].type, kinds[i].size, h);
        if (!report_err(err, OK, "retype makes: %s", kinds[i].name)) {
            continue;
        }
        MUST(identify(h, &id));
        bool aligned =
            id.physical % (kinds[i].size >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE) == 0;
        report(id.type == kinds[i].type && id.rights == RIGHT_ALL &&
                   id.size == kinds[i].identified && aligned,
               "identify knows: %s", kinds[i].name);
    }
}

static void test_wrong_sizes_are_refused(void)
{
    static const struct {
        uint64_t type;
        uint64_t size;
        err_t err;
    } wrong[] = {
        {OBJ_NONE, 0, ERR_INVALID},
        {OBJ_UNTYPED, 0, ERR_INVALID},
        {OBJ_UNTYPED, PAGE_SIZE + 1, ERR_ALIGN},
        {OBJ_UNTYPED, CASE_MEMORY, ERR_NO_MEMORY},
        {OBJ_UNTYPED, CASE_MEMORY * 1024ull, ERR_NO_MEMORY},
        {OBJ_UNTYPED, ~0ull & ~(PAGE_SIZE - 1ull), ERR_INVALID},
        {OBJ_CSPACE, 0, ERR_INVALID},
        {OBJ_CSPACE, 1, ERR_INVALID},
        {OBJ_CSPACE, CSPACE_MAX + 1ull, ERR_INVALID},
        {OBJ_CSPACE, ~0ull, ERR_INVALID},
        {OBJ_THREAD, 1, ERR_INVALID},
        {OBJ_SPACE, SPACE_TABLES_MAX + 1ull, ERR_INVALID},
        {OBJ_SPACE, ~0ull, ERR_INVALID},
        {OBJ_FRAMES, 0, ERR_INVALID},
        {OBJ_FRAMES, 1, ERR_ALIGN},
        {OBJ_FRAMES, CASE_MEMORY, ERR_NO_MEMORY},
        {OBJ_FRAMES, 1ull << 63, ERR_INVALID},
        {OBJ_NOTIFICATION, 8, ERR_INVALID},
        {OBJ_ENDPOINT, PAGE_SIZE, ERR_INVALID},
        {OBJ_IRQ, 0, ERR_INVALID},
        {OBJ_IRQ_CONTROL, 0, ERR_INVALID},
        {OBJ_DEVICE_MEMORY, 0, ERR_INVALID},
        {OBJ_TIME, 0, ERR_INVALID},
        {OBJ_CONSOLE, 0, ERR_INVALID},
        {OBJ_POWER, 0, ERR_INVALID},
        {OBJ_SMC, 0, ERR_INVALID},
        {OBJ_TYPE_COUNT, 0, ERR_INVALID},
        {~0ull, 0, ERR_INVALID},
        {OBJ_THREAD | 1ull << 32, 0, ERR_INVALID},
    };
    handle_t h = handle_new();
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        err_t err = retype(memory(), wrong[i].type, wrong[i].size, h);
        report(err == wrong[i].err && is_empty(h),
               "retype refuses type %lx of size %lx (error %ld)", wrong[i].type, wrong[i].size,
               (long)err);
    }
    report(untyped_whole(memory()), "nothing was carved by what was refused");
}

static void test_wrong_places_are_refused(void)
{
    handle_t frames = make(OBJ_FRAMES, PAGE_SIZE);
    handle_t taken = make(OBJ_NOTIFICATION, 0);
    handle_t weak = copy_of(BOOT_CSPACE, RIGHT_READ, 0);
    handle_t h = handle_new();
    report_err(retype(memory(), OBJ_ENDPOINT, 0, taken), ERR_OCCUPIED,
               "retype into a used slot is refused");
    report_err(retype(memory(), OBJ_ENDPOINT, 0, 0), ERR_RANGE, "retype into slot 0 is refused");
    report_err(retype(memory(), OBJ_ENDPOINT, 0, BOOT_CSPACE_SLOTS), ERR_RANGE,
               "retype behind the last slot is refused");
    report_err(retype(memory(), OBJ_ENDPOINT, 0, ~0ull), ERR_RANGE,
               "retype into slot -1 is refused");
    report_err(sys_retype(memory(), OBJ_ENDPOINT, 0, frames, 1), ERR_TYPE,
               "frames are no place for a capability");
    report_err(sys_retype(memory(), OBJ_ENDPOINT, 0, 0, 1), ERR_NO_CAP,
               "handle 0 is no place for a capability");
    report_err(sys_retype(memory(), OBJ_ENDPOINT, 0, weak, h), ERR_RIGHTS,
               "a read-only cspace takes nothing");
    report_err(retype(frames, OBJ_ENDPOINT, 0, h), ERR_TYPE, "frames are not retyped");
    report_err(retype(h, OBJ_ENDPOINT, 0, h), ERR_NO_CAP, "an empty slot is not retyped");
    report(is_empty(h), "nothing came of it");
}

// ---- Copying ------------------------------------------------------------------------------------------------

static void test_rights_only_shrink(void)
{
    struct identified id;
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t h = handles_new(4);
    report_err(copy(n, h, RIGHT_WRITE | RIGHT_COPY, 0), OK, "a copy with fewer rights is made");
    MUST(identify(h, &id));
    report(id.rights == (RIGHT_WRITE | RIGHT_COPY), "it has these rights and no others");
    report_err(copy(h, h + 1, RIGHT_READ | RIGHT_WRITE, 0), ERR_RIGHTS,
               "a copy never has more rights than its source");
    report_err(copy(n, h + 1, RIGHT_ALL | 32, 0), ERR_RIGHTS,
               "there are no rights beyond those that there are");
    report_err(copy(n, h + 1, ~0ull, 0), ERR_RIGHTS, "nor in the upper half of the word");
    report_err(copy(h, h + 1, RIGHT_WRITE, 0), OK, "a copy without the copy right is made");
    report_err(copy(h + 1, h + 2, RIGHT_WRITE, 0), ERR_RIGHTS, "it is not copied any further");
    report_err(copy(h + 2, h + 3, 0, 0), ERR_NO_CAP, "an empty slot is not copied");
    report_err(copy(n, h, RIGHT_ALL, 0), ERR_OCCUPIED, "nor is a used one overwritten");
    report_err(copy(memory(), h + 3, RIGHT_READ, 0), ERR_INVALID, "untyped memory is not copied");
    report_err(copy(n, h + 3, 0, 0), OK, "a copy without any right is made");
    report_err(sys_signal(h + 3), ERR_RIGHTS, "and good for nothing");
}

static void test_badges(void)
{
    struct identified id;
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t e = make(OBJ_ENDPOINT, 0);
    handle_t t = make(OBJ_THREAD, 0);
    handle_t h = handles_new(6);
    report_err(copy(n, h, RIGHT_ALL, 0x8000000000000001), OK, "a notification is given a badge");
    MUST(identify(h, &id));
    report(id.badge == 0x8000000000000001, "the badge is kept whole");
    report_err(copy(h, h + 1, RIGHT_ALL, 2), ERR_INVALID,
               "a badged capability gets no other badge");
    report_err(copy(h, h + 1, RIGHT_ALL, 0), OK, "copied without one");
    MUST(identify(h + 1, &id));
    report(id.badge == 0x8000000000000001, "it keeps its own");
    report_err(copy(e, h + 2, RIGHT_WRITE, 7), OK, "an endpoint is given a badge");
    report_err(copy(t, h + 3, RIGHT_ALL, 1), ERR_INVALID, "a thread is not");
    report_err(copy(BOOT_CONSOLE, h + 3, RIGHT_WRITE, 1), ERR_INVALID, "nor is the console");
}

static void test_frames_shrink(void)
{
    struct identified all;
    struct identified id;
    handle_t f = make(OBJ_FRAMES, 8 * PAGE_SIZE);
    handle_t h = handles_new(3);
    MUST(identify(f, &all));
    report_err(copy(f, h, RIGHT_ALL, FRAMES_RANGE(2, 4)), OK, "a part of frames is copied");
    MUST(identify(h, &id));
    report(id.size == 4 * PAGE_SIZE && id.physical == all.physical + 2 * PAGE_SIZE,
           "it is the part that was asked for");
    report_err(copy(h, h + 1, RIGHT_ALL, FRAMES_RANGE(1, 3)), OK, "a part of the part");
    MUST(identify(h + 1, &id));
    report(id.size == 3 * PAGE_SIZE && id.physical == all.physical + 3 * PAGE_SIZE,
           "counts from where the part begins");
    static const uint64_t outside[] = {
        FRAMES_RANGE(0, 5),
        FRAMES_RANGE(1, 4),
        FRAMES_RANGE(4, 1),
        FRAMES_RANGE(5, 0xffffffff),
        FRAMES_RANGE(1, 0),
        FRAMES_RANGE(0xffffffff, 1),
        FRAMES_RANGE(0xffffffff, 0xffffffff),
    };
    for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
        report_err(copy(h, h + 2, RIGHT_ALL, outside[i]), ERR_INVALID, "range %lx is outside of it",
                   outside[i]);
    }
}

static void test_time_shrinks(void)
{
    handle_t t = make(OBJ_THREAD, 0);
    handle_t h = handles_new(2);
    report_err(copy(BOOT_TIME, h, RIGHT_WRITE | RIGHT_COPY, TIME_BADGE(50, 1)), OK,
               "time is limited to a priority and a core");
    report_err(copy(h, h + 1, RIGHT_WRITE, TIME_BADGE(51, 1)), ERR_INVALID,
               "the priority does not grow back");
    report_err(copy(h, h + 1, RIGHT_WRITE, TIME_BADGE(50, 3)), ERR_INVALID, "nor do the cores");
    report_err(sys_thread_time(t, h, 50, 0, 10, 10), OK,
               "a thread gets the priority that is allowed");
    report_err(sys_thread_time(t, h, 51, 0, 10, 10), ERR_RIGHTS, "but no higher one");
    if (boot_info()->cores > 1) {
        report_err(sys_thread_time(t, h, 50, 1, 10, 10), ERR_RIGHTS, "nor another core");
    } else {
        report_err(sys_thread_time(t, h, 50, 1, 10, 10), ERR_INVALID,
                   "nor a core that is not there");
    }
}

// ---- Moving, deleting, revoking -----------------------------------------------------------------------------

static void test_move(void)
{
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t other = make(OBJ_NOTIFICATION, 0);
    handle_t h = handles_new(SLOTS);
    for (unsigned i = 1; i < SLOTS; i++) {
        MUST(copy(n, h + i, RIGHT_ALL, i));
    }
    report_err(move(n, h), OK, "a capability with children is moved");
    report(is_empty(n) && !is_empty(h), "it is where it was moved to, and nowhere else");
    report_err(move(n, h), ERR_NO_CAP, "an empty slot is not moved");
    report_err(move(h, other), ERR_OCCUPIED, "a used one is not overwritten");
    report_err(move(h, h), ERR_OCCUPIED, "nor is a capability moved onto itself");
    report_err(move(h, h + 1), ERR_OCCUPIED, "nor onto its own child");
    MUST(revoke(h));
    bool gone = true;
    for (unsigned i = 1; i < SLOTS; i++) {
        gone = gone && is_empty(h + i);
    }
    report(gone, "its children moved along: revoking it takes them");
}

static void test_mapping_moves_along(void)
{
    uint64_t *at = (uint64_t *)address_new(PAGE_SIZE);
    handle_t f = make(OBJ_FRAMES, PAGE_SIZE);
    handle_t h = handle_new();
    MUST(sys_map(f, BOOT_SPACE, (uint64_t)at, MAP_READ | MAP_WRITE));
    *at = 0x1234;
    report_err(move(f, h), OK, "mapped frames are moved");
    report(*at == 0x1234, "they stay mapped");
    report_err(sys_unmap(h), OK, "the mapping belongs to the new handle");
    report_err(sys_map(h, BOOT_SPACE, (uint64_t)at, MAP_READ | MAP_WRITE), OK,
               "which maps them again");
    report(*at == 0x1234, "with what was in them");
}

static void test_delete(void)
{
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t h = handles_new(4);
    MUST(copy(n, h, RIGHT_ALL, 0));
    MUST(copy(h, h + 1, RIGHT_ALL, 5));
    MUST(copy(h + 1, h + 2, RIGHT_ALL, 0));
    report_err(delete (h), OK, "a capability in the middle is deleted");
    report(is_empty(h) && !is_empty(h + 1) && !is_empty(h + 2), "what was copied from it stays");
    report_err(delete (h), OK, "deleting an empty slot changes nothing");
    report_err(sys_delete(BOOT_CSPACE, 0), ERR_RANGE, "slot 0 cannot be deleted");
    MUST(revoke(n));
    report(is_empty(h + 1) && is_empty(h + 2) && !is_empty(n),
           "revoking the first takes those below the deleted one");
}

static void test_revoke_takes_only_what_derives(void)
{
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t h = handles_new(6);
    MUST(copy(n, h, RIGHT_ALL, 0));
    MUST(copy(n, h + 1, RIGHT_ALL, 0));
    MUST(copy(h, h + 2, RIGHT_ALL, 0));
    MUST(copy(h + 2, h + 3, RIGHT_ALL, 9));
    MUST(copy(h + 1, h + 4, RIGHT_ALL, 9));
    report_err(revoke(h), OK, "a copy is revoked");
    report(is_empty(h + 2) && is_empty(h + 3), "what derives from it is gone");
    report(!is_empty(n) && !is_empty(h) && !is_empty(h + 1) && !is_empty(h + 4), "the rest is not");
    report_err(revoke(h), OK, "revoking again changes nothing");
    MUST(sys_signal(h + 4));
}

static void test_long_and_wide_derivation(void)
{
    const unsigned count = 3000;
    handle_t n = make(OBJ_NOTIFICATION, 0);
    handle_t h = handles_new(count);
    for (unsigned i = 0; i < count; i++) {
        MUST(copy(i == 0 ? n : h + i - 1, h + i, RIGHT_ALL, 0));
    }
    report_err(revoke(n), OK, "a chain of %u copies is revoked", count);
    bool gone = true;
    for (unsigned i = 0; i < count; i++) {
        gone = gone && is_empty(h + i);
    }
    report(gone, "all of it is gone");
    for (unsigned i = 0; i < count; i++) {
        MUST(copy(n, h + i, RIGHT_ALL, i + 1));
    }
    report_err(delete (n), OK, "the parent of %u copies is deleted", count);
    report_err(revoke(memory()), OK, "the memory below them is revoked");
    report(is_empty(h) && is_empty(h + count - 1), "they are gone");
}

static void test_nested_untyped(void)
{
    handle_t u[8];
    u[0] = make(OBJ_UNTYPED, 0x200000);
    for (unsigned i = 1; i < ARRAY_SIZE(u); i++) {
        u[i] = make_from(u[i - 1], OBJ_UNTYPED, 0x200000 - i * 0x10000);
    }
    handle_t n = make_from(u[7], OBJ_NOTIFICATION, 0);
    MUST(sys_signal(n));
    report_err(delete (u[4]), OK, "untyped memory in the middle is deleted");
    report_err(sys_signal(n), OK, "what was carved out of it lives on");
    report(!untyped_whole(u[3]), "so its memory is not free");
    report_err(revoke(u[0]), OK, "the first is revoked");
    report(is_empty(n) && is_empty(u[7]) && is_empty(u[1]), "everything carved from it is gone");
    report(untyped_whole(u[0]), "and its memory is free");
}

static void test_memory_runs_out(void)
{
    const unsigned count = 2000;
    handle_t u = make(OBJ_UNTYPED, 0x10000);
    handle_t h = handles_new(count);
    unsigned made = 0;
    err_t err = OK;
    while (made < count && (err = retype(u, OBJ_NOTIFICATION, 0, h + made)) == OK) {
        made++;
    }
    report(err == ERR_NO_MEMORY && made > 100,
           "untyped memory runs out in the end (%u notifications)", made);
    report(is_empty(h + made), "what did not fit was not made");
    report_err(sys_signal(h + made - 1), OK, "the last that fitted works");
    MUST(delete (h));
    report_err(retype(u, OBJ_NOTIFICATION, 0, h), ERR_NO_MEMORY, "one gone makes no room");
    MUST(revoke(u));
    report(untyped_whole(u), "all gone does");
}

static void test_vmids_run_out(void)
{
    const unsigned count = 300;
    handle_t h = handles_new(count);
    unsigned made = 0;
    while (made < count && retype(memory(), OBJ_SPACE, 0, h + made) == OK) {
        made++;
    }
    report(made > 200, "many spaces are made (%u)", made);
    MUST(revoke(memory()));
    unsigned again = 0;
    while (again < count && retype(memory(), OBJ_SPACE, 0, h + again) == OK) {
        again++;
    }
    report(again == made, "and as many again, once they are gone (%u)", again);
}

static void test_memory_is_clean(void)
{
    const uint64_t bytes = 0x40000;
    handle_t u = make(OBJ_UNTYPED, 0x80000);
    uint64_t at = address_new(bytes);
    handle_t f = make_from(u, OBJ_FRAMES, bytes);
    MUST(sys_map(f, BOOT_SPACE, at, MAP_READ | MAP_WRITE));
    memset((void *)at, 0xa5, bytes);
    MUST(revoke(u));
    report(is_empty(f), "frames are revoked");
    MUST(retype(u, OBJ_FRAMES, bytes, f));
    MUST(sys_map(f, BOOT_SPACE, at, MAP_READ | MAP_WRITE));
    uint64_t found = 0;
    for (uint64_t i = 0; i < bytes / 8; i++) {
        found |= ((const uint64_t *)at)[i];
    }
    report(found == 0, "memory that had another use before is handed out clean");
}

static void test_cspaces(void)
{
    handle_t cs = make(OBJ_CSPACE, 8);
    handle_t n = make(OBJ_NOTIFICATION, 0);
    report_err(sys_move(BOOT_CSPACE, n, cs, 3), OK, "a capability is moved into another cspace");
    report_err(sys_copy(cs, 3, BOOT_CSPACE, n, RIGHT_ALL, 0), OK, "and copied back out of it");
    report_err(sys_copy(cs, 3, cs, 8, RIGHT_ALL, 0), ERR_RANGE,
               "there are no slots behind its end");
    report_err(sys_copy(cs, 0, cs, 4, RIGHT_ALL, 0), ERR_RANGE, "and no slot 0");
    report_err(sys_copy(BOOT_CSPACE, cs, cs, 5, RIGHT_ALL, 0), OK,
               "it holds a capability to itself");
    report_err(delete (cs), OK, "the last capability from outside is deleted");
    report(!is_empty(n), "what was copied out of it stays");
    handle_t other = make(OBJ_CSPACE, 4);
    handle_t inner = make(OBJ_NOTIFICATION, 0);
    MUST(sys_move(BOOT_CSPACE, inner, other, 1));
    MUST(sys_copy(other, 1, BOOT_CSPACE, inner, RIGHT_ALL, 0));
    MUST(delete (other));
    report_err(sys_signal(inner), OK, "a cspace that goes takes its slots, not what others hold");
}

// ---- What ends with a capability ----------------------------------------------------------------------------

struct toucher {
    volatile uint64_t turns;
    volatile uint64_t *page;
};

static void touch_for_ever(void *argument)
{
    struct toucher *t = argument;
    for (;;) {
        *t->page = t->turns++;
    }
}

static void test_revoke_takes_mappings_back(void)
{
    handle_t shared;
    struct toucher *t = map_new(PAGE_SIZE, &shared);
    handle_t page = make(OBJ_FRAMES, PAGE_SIZE);
    uint64_t at = address_new(PAGE_SIZE);
    unsigned last = boot_info()->cores - 1;
    struct child c = child_new(touch_for_ever, t, &(struct child_options){.core = last});
    child_map(&c, shared, t, MAP_READ | MAP_WRITE);
    handle_t derived = copy_all(page);
    handle_t deeper = copy_all(derived);
    MUST(sys_map(deeper, c.space, at, MAP_READ | MAP_WRITE));
    t->page = (uint64_t *)at;
    child_start(&c);
    report(word_reaches(&t->turns, 1000), "a process writes a page through a derived capability");
    report_err(revoke(page), OK, "the page is revoked while it writes");
    struct message m;
    report(child_fault(&c, &m, SURELY_MS) && INFO_LABEL(m.info) == FAULT_VM && m.w[1] == at,
           "it faults at once");
    uint64_t turns = t->turns;
    pause_ms(HARDLY_MS);
    report(t->turns == turns, "and stays where it is");
    MUST(sys_map(page, c.space, at, MAP_READ | MAP_WRITE));
    resume();
    report(word_reaches(&t->turns, turns + 1000), "mapped again, it goes on");
    // The page cannot be used for anything else while it is still written.
    MUST(revoke(memory()));
    report(is_empty(c.thread) && is_empty(page), "its memory is revoked while it runs");
}

struct calling {
    volatile uint64_t calls;
    volatile int64_t err;
};

static void call_once(void *argument)
{
    struct calling *s = argument;
    uint64_t words[MESSAGE_REGISTER_WORDS] = {1, 2, 3, 4};
    uint64_t info = INFO(0, 4);
    s->calls++;
    s->err = sys_call(CHILD_OWN, &info, words);
}

static struct child caller_of(handle_t endpoint, struct calling **s, unsigned core)
{
    handle_t shared;
    *s = map_new(PAGE_SIZE, &shared);
    (*s)->err = 1;
    struct child c = child_new(call_once, *s, &(struct child_options){.core = core});
    child_map(&c, shared, *s, MAP_READ | MAP_WRITE);
    child_give(&c, endpoint, CHILD_OWN, RIGHT_WRITE, 77);
    child_start(&c);
    return c;
}

static void test_end_of_endpoint_wakes_callers(void)
{
    unsigned last = boot_info()->cores - 1;
    handle_t u = make(OBJ_UNTYPED, 0x10000);
    handle_t e = make_from(u, OBJ_ENDPOINT, 0);
    struct calling *s[2];
    struct child c[2] = {caller_of(e, &s[0], 0), caller_of(e, &s[1], last)};
    bool queued = child_reaches(&c[0], THREAD_CALLING) && child_reaches(&c[1], THREAD_CALLING);
    report(queued, "two threads wait in an endpoint's queue");
    report_err(revoke(u), OK, "the endpoint's memory is revoked");
    report(child_done(&c[0], SURELY_MS) && child_done(&c[1], SURELY_MS), "both wake");
    report(s[0]->err == ERR_GONE && s[1]->err == ERR_GONE, "with the error that it is gone");
    report(untyped_whole(u), "and its memory is free");
}

static void test_deleting_the_last_wakes_callers(void)
{
    handle_t e = make(OBJ_ENDPOINT, 0);
    struct calling *s;
    struct child c = caller_of(e, &s, boot_info()->cores - 1);
    MUST(child_reaches(&c, THREAD_CALLING) ? OK : ERR_TIMEOUT);
    MUST(delete (e));
    pause_ms(HARDLY_MS);
    report(s->err == 1, "a caller goes on waiting while it holds a capability itself");
    MUST(sys_delete(c.cspace, CHILD_OWN));
    report(child_done(&c, SURELY_MS) && s->err == ERR_GONE,
           "the last capability's end wakes it with an error");
}

static void wait_once(void *argument)
{
    volatile uint64_t *bits = argument;
    *bits = child_await_bits();
}

static void test_losing_what_it_is_built_on_stops_a_thread(void)
{
    static const struct {
        const char *name;
        enum thread_slot slot;
    } parts[] = {
        {"capability space", THREAD_CSPACE},
        {"space", THREAD_SPACE},
        {"notification", THREAD_NOTIFICATION},
        {"message page", THREAD_MESSAGE},
    };
    handle_t shared;
    volatile uint64_t *bits = map_new(PAGE_SIZE, &shared);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        struct child c = child_new(wait_once, (void *)bits, &(struct child_options){0});
        child_map(&c, shared, (void *)bits, MAP_READ | MAP_WRITE);
        child_start(&c);
        handle_t h[] = {[THREAD_CSPACE] = c.cspace,
                        [THREAD_SPACE] = c.space,
                        [THREAD_NOTIFICATION] = c.notification,
                        [THREAD_MESSAGE] = c.message};
        MUST(child_reaches(&c, THREAD_RECEIVING) ? OK : ERR_TIMEOUT);
        MUST(revoke(h[parts[i].slot]));
        report(child_state(&c) == THREAD_STOPPED, "a thread whose %s is revoked stops",
               parts[i].name);
    }
}

// ---- Restartable calls under interrupts ---------------------------------------------------------------------

static void test_large_objects_are_made_and_taken(void)
{
    report_err(retype(memory(), OBJ_CSPACE, 60000, handle_new()), OK,
               "a cspace of 60000 slots is made");
    handle_t f = make(OBJ_FRAMES, 4 * LARGE_PAGE_SIZE - PAGE_SIZE);
    report(f != 0, "frames of 8 MiB are zeroed and made");
    report_err(revoke(memory()), OK, "both are taken back");
}

static const struct test_case cases[] = {
    {"every type is made", test_every_type_is_made},
    {"wrong sizes are refused", test_wrong_sizes_are_refused},
    {"wrong places are refused", test_wrong_places_are_refused},
    {"rights only shrink", test_rights_only_shrink},
    {"badges", test_badges},
    {"frames shrink", test_frames_shrink},
    {"time shrinks", test_time_shrinks},
    {"move", test_move},
    {"a mapping moves along", test_mapping_moves_along},
    {"delete", test_delete},
    {"revoke takes only what derives", test_revoke_takes_only_what_derives},
    {"long and wide derivation", test_long_and_wide_derivation},
    {"nested untyped", test_nested_untyped},
    {"memory runs out", test_memory_runs_out},
    {"VMIDs run out", test_vmids_run_out},
    {"memory is clean", test_memory_is_clean},
    {"capability spaces", test_cspaces},
    {"revoke takes mappings back", test_revoke_takes_mappings_back},
    {"the end of an endpoint wakes callers", test_end_of_endpoint_wakes_callers},
    {"deleting the last wakes callers", test_deleting_the_last_wakes_callers},
    {"a thread loses what it is built on", test_losing_what_it_is_built_on_stops_a_thread},
    {"large objects", test_large_objects_are_made_and_taken},
};

_Noreturn void init_main(void)
{
    run_cases(cases, ARRAY_SIZE(cases));
    summary();
}

// Handles, memory and events of the first process: see world.h.
#include "world.h"

#include <lib/syscall.h>

#include "report.h"

#define MEMORY_HANDLE 1023u
#define FIRST_HANDLE  1024u // below are boot's
#define FREE_ADDRESS  (BOOT_FREE_ADDRESS + 0x40000000u)

static struct {
    handle_t memory;      // the untyped of all cases, 0: not made yet
    handle_t next_handle; // all below it and from FIRST_HANDLE on may be in use
    uint64_t next_address;
    unsigned next_child;
    uint64_t bits;        // arrived and not yet asked for
    struct message early; // arrived and not yet asked for
    bool has_early;
} world = {.next_handle = FIRST_HANDLE, .next_address = FREE_ADDRESS};

// ---- Cases --------------------------------------------------------------------------------------------------

void case_begin(void)
{
    world.next_handle = FIRST_HANDLE;
    world.next_address = FREE_ADDRESS;
    world.next_child = 0;
    world.bits = 0;
    world.has_early = false;
    if (world.memory == 0) {
        world.memory = MEMORY_HANDLE;
        MUST(sys_retype(BOOT_UNTYPED, OBJ_UNTYPED, CASE_MEMORY, BOOT_CSPACE, world.memory));
    }
}

unsigned child_number_new(void)
{
    return world.next_child++;
}

handle_t memory(void)
{
    return world.memory;
}

bool untyped_whole(handle_t untyped)
{
    struct identified id;
    handle_t all = handle_new();
    MUST(identify(untyped, &id));
    // The new object's header is in front, and the rest is aligned.
    uint64_t front = id.size > LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
    err_t err = sys_retype(untyped, OBJ_UNTYPED, id.size - front, BOOT_CSPACE, all);
    ignore(sys_delete(BOOT_CSPACE, all));
    return err == OK;
}

// Takes everything back: what was made of the memory, then copies of what boot gave.
bool case_end(void)
{
    MUST(sys_revoke(BOOT_CSPACE, world.memory));
    for (handle_t h = FIRST_HANDLE; h < world.next_handle; h++) {
        MUST(sys_delete(BOOT_CSPACE, h));
    }
    bool whole = untyped_whole(world.memory);
    world.has_early = false;
    (void)take_bits(~0ull);
    return whole;
}

// ---- Handles and objects ------------------------------------------------------------------------------------

handle_t handles_new(unsigned count)
{
    handle_t first = world.next_handle;
    world.next_handle += count;
    MUST(world.next_handle <= BOOT_CSPACE_SLOTS ? OK : ERR_NO_MEMORY);
    return first;
}

handle_t handle_new(void)
{
    return handles_new(1);
}

handle_t make_from(handle_t untyped, enum obj_type type, uint64_t size)
{
    handle_t h = handle_new();
    MUST(sys_retype(untyped, type, size, BOOT_CSPACE, h));
    return h;
}

handle_t make(enum obj_type type, uint64_t size)
{
    return make_from(world.memory, type, size);
}

err_t identify(handle_t handle, struct identified *out)
{
    uint64_t x[8] = {handle};
    err_t err = svc_all(SYS_identify, x);
    *out = (struct identified){
        .type = (enum obj_type)(x[1] & 0xff),
        .rights = (unsigned)(x[1] >> 8),
        .size = x[2],
        .badge = x[3],
        .physical = x[4],
    };
    return err;
}

bool is_empty(handle_t handle)
{
    struct identified id;
    return identify(handle, &id) == ERR_NO_CAP;
}

handle_t copy_of(handle_t source, unsigned rights, uint64_t badge)
{
    struct identified id;
    handle_t h = handle_new();
    MUST(identify(source, &id));
    MUST(sys_copy(BOOT_CSPACE, source, BOOT_CSPACE, h, id.rights & rights, badge));
    return h;
}

// ---- Memory of the first process ----------------------------------------------------------------------------

uint64_t address_new(uint64_t bytes)
{
    uint64_t address = world.next_address;
    world.next_address += align_up(bytes, LARGE_PAGE_SIZE) + LARGE_PAGE_SIZE;
    return address;
}

void *map_new(uint64_t bytes, handle_t *frames)
{
    uint64_t address = address_new(bytes);
    handle_t h = make(OBJ_FRAMES, align_up(bytes, PAGE_SIZE));
    MUST(sys_map(h, BOOT_SPACE, address, MAP_READ | MAP_WRITE));
    if (frames != NULL) {
        *frames = h;
    }
    return (void *)address;
}

// ---- Time ---------------------------------------------------------------------------------------------------

uint64_t now(void)
{
    return sys_clock();
}

uint64_t ticks_of_us(uint64_t us)
{
    return boot_info()->ticks_per_second * us / 1000000;
}

#define BOOT_PRIORITY   PRIORITY_MAX
#define BOOT_SLICE_US   10000u
#define PAUSE_BUDGET_US 50u
#define PAUSE_PERIOD_US 1000u

static void set_own_time(uint64_t budget, uint64_t period)
{
    MUST(sys_thread_time(BOOT_THREAD, BOOT_TIME, BOOT_PRIORITY, 0, budget, period));
}

void pause_ms(uint64_t ms)
{
    uint64_t end = now() + ticks_of_ms(ms);
    uint64_t slice = ticks_of_us(BOOT_SLICE_US);
    set_own_time(ticks_of_us(PAUSE_BUDGET_US), ticks_of_us(PAUSE_PERIOD_US));
    while (now() < end) {
    }
    set_own_time(slice, slice);
}

void sleep_us(uint64_t us)
{
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t badge;
    ignore(sys_receive(0, now() + ticks_of_us(us), &info, words, &badge));
}

// ---- What arrives -------------------------------------------------------------------------------------------

// Receives once. False: nothing came.
static bool receive(uint64_t flags, uint64_t deadline)
{
    struct message m = {0};
    err_t err = sys_receive(flags, deadline, &m.info, m.w, &m.badge);
    if (err != OK) {
        MUST(err == ERR_TIMEOUT ? OK : err);
        return false;
    }
    if (m.info == INFO_NOTIFICATION) {
        world.bits |= m.badge;
    } else {
        world.early = m;
        world.has_early = true;
    }
    return true;
}

uint64_t take_bits(uint64_t bits)
{
    if (!world.has_early) {
        (void)receive(RECEIVE_POLL, DEADLINE_NEVER);
    }
    uint64_t taken = world.bits & bits;
    world.bits &= ~bits;
    return taken;
}

bool await_bits(uint64_t bits, uint64_t ms)
{
    uint64_t end = now() + ticks_of_ms(ms);
    while ((world.bits & bits) != bits && !world.has_early && receive(0, end)) {
    }
    bool there = (world.bits & bits) == bits;
    if (there) {
        world.bits &= ~bits;
    }
    return there;
}

bool await_message(struct message *out, uint64_t ms)
{
    uint64_t end = now() + ticks_of_ms(ms);
    while (!world.has_early && receive(0, end)) {
    }
    if (!world.has_early) {
        return false;
    }
    *out = world.early;
    world.has_early = false;
    return true;
}

void answer(uint64_t info, const uint64_t w[MESSAGE_REGISTER_WORDS])
{
    struct message m = {.info = info, .w = {w[0], w[1], w[2], w[3]}};
    err_t err = sys_receive(RECEIVE_REPLY | RECEIVE_POLL, DEADLINE_NEVER, &m.info, m.w, &m.badge);
    if (err == ERR_TIMEOUT) {
        return;
    }
    MUST(err);
    if (m.info == INFO_NOTIFICATION) {
        world.bits |= m.badge;
    } else {
        world.early = m;
        world.has_early = true;
    }
}

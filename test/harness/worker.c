// A worker's steps: see worker.h.
#include "worker.h"

#include <lib/syscall.h>

#include "asm.h"

#define RW    (MAP_READ | MAP_WRITE)
#define SWEEP 256u // steps between two comparisons of everything

// Where mappings are made: few addresses, so that they meet. In other spaces than its own, whatever is there.
#define WINDOW       0x3000000000u
#define WINDOW_PAGES 1000u

// ---- A worker's choices -------------------------------------------------------------------------------------

static uint64_t below(struct worker *w, uint64_t limit)
{
    return random_below(&w->random, limit);
}

static bool one_in(struct worker *w, uint64_t n)
{
    return below(w, n) == 0;
}

static struct shadow_slot *slot_at(struct worker *w, int16_t slot)
{
    return &w->shadow.slots[slot];
}

static handle_t handle_of(int16_t slot)
{
    return W_SLOTS + (handle_t)slot;
}

// A slot of its own; most often one of this type, if there is one.
static int16_t pick(struct worker *w, enum obj_type type)
{
    uint64_t start = below(w, SHADOW_SLOTS);
    if (!one_in(w, 8)) {
        for (uint64_t i = 0; i < SHADOW_SLOTS; i++) {
            int16_t slot = (int16_t)((start + i) % SHADOW_SLOTS);
            if (slot_at(w, slot)->type == type) {
                return slot;
            }
        }
    }
    return (int16_t)start;
}

// A slot as "where" arguments name it: its own, or one in a capability space that it has made.
struct place {
    handle_t cspace;
    uint64_t index;
    int16_t slot;
    int16_t via;    // slot of the capability space's handle, or SHADOW_NOBODY
    uint8_t rights; // that it has to that space
};

// Most often one that is in use, or one that is not.
static struct place pick_place(struct worker *w, bool used)
{
    int16_t via = one_in(w, 6) ? pick(w, OBJ_CSPACE) : 0;
    const struct shadow_slot *cs = slot_at(w, via);
    if (cs->type == OBJ_CSPACE) {
        uint64_t index = 1 + below(w, SHADOW_CSPACE_SLOTS - 1);
        return (struct place){handle_of(via), index, shadow_group(cs->object, (unsigned)index), via,
                              cs->rights};
    }
    int16_t slot = (int16_t)(1 + below(w, SHADOW_SLOTS - 1));
    for (unsigned i = 1;
         i < SHADOW_SLOTS && (slot_at(w, slot)->type != OBJ_NONE) != used && !one_in(w, 40); i++) {
        slot = (int16_t)(1 + (unsigned)slot % (SHADOW_SLOTS - 1));
    }
    return (struct place){W_CSPACE, handle_of(slot), slot, SHADOW_NOBODY, RIGHT_ALL};
}

// ---- Comparing ----------------------------------------------------------------------------------------------

static uint64_t refusal(err_t err)
{
    return BIT(-err);
}

static uint64_t refused_if(bool condition, err_t err)
{
    return condition ? refusal(err) : 0;
}

static void wrong(struct worker *w, const char *what, err_t err, uint64_t refusals, int16_t a,
                  int16_t b)
{
    if (w->wrong_step != 0 || w->blind) {
        return;
    }
    w->wrong = what;
    w->wrong_err = err;
    w->wrong_refusals = refusals;
    w->wrong_slots[0] = a;
    w->wrong_slots[1] = b;
    w->wrong_step = w->steps + 1;
}

// Compares what a call said with what it may be refused for. True: it succeeded, rightly.
static bool answered(struct worker *w, const char *what, err_t err, uint64_t refusals, int16_t a,
                     int16_t b)
{
    bool right = refusals == 0 ? err == OK : err != OK && (refusals & refusal(err)) != 0;
    if (!right) {
        wrong(w, what, err, refusals, a, b);
    }
    w->refused += right && err != OK;
    return right && err == OK;
}

// What a handle is refused for.
static uint64_t handle_refusals(struct worker *w, int16_t slot, enum obj_type type, unsigned rights)
{
    const struct shadow_slot *s = slot_at(w, slot);
    return s->type == OBJ_NONE ? refusal(ERR_NO_CAP)
           : s->type != type   ? refusal(ERR_TYPE)
                               : refused_if((s->rights & rights) != rights, ERR_RIGHTS);
}

static uint64_t place_refusals(const struct place *p, unsigned rights)
{
    return refused_if((p->rights & rights) != rights, ERR_RIGHTS);
}

static uint64_t destination_refusals(struct worker *w, const struct place *p)
{
    return place_refusals(p, RIGHT_WRITE) |
           refused_if(slot_at(w, p->slot)->type != OBJ_NONE, ERR_OCCUPIED);
}

// ---- Capabilities -------------------------------------------------------------------------------------------

static const struct {
    enum obj_type type;
    uint64_t size;
    uint64_t needs; // at most, of an untyped with nothing in it
} kinds[] = {
    {OBJ_UNTYPED, 0x4000, 0x8000},
    {OBJ_UNTYPED, 0x10000, 0x20000},
    {OBJ_UNTYPED, 0x40000, 0x50000},
    {OBJ_FRAMES, PAGE_SIZE, 0x2000},
    {OBJ_FRAMES, 0x2000, 0x3000},
    {OBJ_FRAMES, 0x5000, 0x6000},
    {OBJ_FRAMES, 0x10000, 0x11000},
    {OBJ_FRAMES, 0x28000, 0x29000},
    {OBJ_CSPACE, SHADOW_CSPACE_SLOTS, 0x1000},
    {OBJ_SPACE, 8, 0x20000},
    {OBJ_NOTIFICATION, 0, 0x1000},
    {OBJ_ENDPOINT, 0, 0x1000},
    {OBJ_THREAD, 0, 0x1000},
    {OBJ_THREAD, 0, 0x1000},
};

static void step_retype(struct worker *w)
{
    int16_t from = one_in(w, 2) ? 0 : pick(w, OBJ_UNTYPED);
    struct place to = pick_place(w, false);
    uint64_t kind = below(w, ARRAY_SIZE(kinds));
    if (shadow_free_object(&w->shadow) == SHADOW_NOBODY) {
        return;
    }
    uint64_t refusals =
        handle_refusals(w, from, OBJ_UNTYPED, RIGHT_WRITE) | destination_refusals(w, &to);
    err_t err =
        sys_retype(handle_of(from), kinds[kind].type, kinds[kind].size, to.cspace, to.index);
    if (refusals == 0 && err == ERR_NO_MEMORY) {
        const struct shadow_object *u = &w->shadow.objects[slot_at(w, from)->object];
        if (u->live == 0 && u->size >= kinds[kind].needs) {
            wrong(w, "retype: no memory, although nothing is made of it", err, 0, from, to.slot);
        }
        return;
    }
    if (answered(w, "retype", err, refusals, from, to.slot)) {
        shadow_retype(&w->shadow, from, kinds[kind].type, kinds[kind].size, to.slot);
    }
}

static uint64_t random_badge(struct worker *w, const struct shadow_slot *from)
{
    if (!one_in(w, 4)) {
        return 0;
    }
    if (from->type == OBJ_FRAMES) {
        return FRAMES_RANGE(below(w, 4), 1 + below(w, 6));
    }
    return 1 + below(w, 100);
}

static void step_copy(struct worker *w)
{
    struct place from = pick_place(w, true);
    struct place to = pick_place(w, false);
    const struct shadow_slot *s = slot_at(w, from.slot);
    uint8_t rights = one_in(w, 6) ? (uint8_t)below(w, RIGHT_ALL + 1) : s->rights;
    uint64_t wanted = random_badge(w, s);
    uint64_t badge = 0;
    uint64_t refusals = place_refusals(&from, RIGHT_READ) | destination_refusals(w, &to);
    if (s->type == OBJ_NONE) {
        refusals |= refusal(ERR_NO_CAP);
    } else {
        refusals |=
            refused_if((s->rights & RIGHT_COPY) == 0 || (rights & ~s->rights) != 0, ERR_RIGHTS);
        refusals |=
            refused_if(s->type == OBJ_UNTYPED || !shadow_derive(s, wanted, &badge), ERR_INVALID);
    }
    err_t err = sys_copy(from.cspace, from.index, to.cspace, to.index, rights, wanted);
    if (answered(w, "copy", err, refusals, from.slot, to.slot)) {
        shadow_copy(&w->shadow, from.slot, to.slot, rights, badge);
    }
}

static void step_move(struct worker *w)
{
    struct place from = pick_place(w, true);
    struct place to = pick_place(w, false);
    const struct shadow_slot *s = slot_at(w, from.slot);
    const struct shadow_slot *there = slot_at(w, to.slot);
    if (there->type != OBJ_NONE && there->parent == from.slot) {
        return; // what an interrupted move leaves looks so
    }
    uint64_t refusals = place_refusals(&from, RIGHT_WRITE) | destination_refusals(w, &to) |
                        refused_if(s->type == OBJ_NONE, ERR_NO_CAP);
    err_t err = sys_move(from.cspace, from.index, to.cspace, to.index);
    if (answered(w, "move", err, refusals, from.slot, to.slot)) {
        shadow_move(&w->shadow, from.slot, to.slot);
    }
}

static void step_delete(struct worker *w)
{
    struct place at = pick_place(w, true);
    err_t err = sys_delete(at.cspace, at.index);
    if (answered(w, "delete", err, place_refusals(&at, RIGHT_WRITE), at.slot, 0)) {
        shadow_delete(&w->shadow, at.slot);
    }
}

// Does a slot derive from another one?
static bool derives(struct worker *w, int16_t slot, int16_t from)
{
    while (slot != SHADOW_NOBODY && slot != from) {
        slot = slot_at(w, slot)->parent;
    }
    return slot == from;
}

static void step_revoke(struct worker *w)
{
    struct place at = pick_place(w, true);
    if (one_in(w, 20)) {
        at = (struct place){W_CSPACE, handle_of(0), 0, SHADOW_NOBODY, RIGHT_ALL};
    }
    if (at.via != SHADOW_NOBODY && derives(w, at.via, at.slot)) {
        return; // it takes its own handle away: interrupted, it could not go on
    }
    err_t err = sys_revoke(at.cspace, at.index);
    if (answered(w, "revoke", err, place_refusals(&at, RIGHT_WRITE), at.slot, 0)) {
        shadow_revoke(&w->shadow, at.slot);
    }
}

// ---- Memory -------------------------------------------------------------------------------------------------

// Compares and, if it may, changes the first words of a mapping's pages.
static void touch(struct worker *w, int16_t slot)
{
    const struct shadow_slot *s = slot_at(w, slot);
    uint64_t *contents = w->shadow.objects[s->object].contents;
    uint64_t first = s->badge >> 32;
    for (uint64_t i = 0; i < shadow_pages(s) && first + i < SHADOW_PAGES && !w->blind; i++) {
        volatile uint64_t *page = (volatile uint64_t *)(s->address + i * PAGE_SIZE);
        if (*page != contents[first + i]) {
            wrong(w, "a page's contents", (err_t)*page, contents[first + i], slot, 0);
        }
        if ((s->flags & MAP_WRITE) != 0) {
            contents[first + i] = random_next(&w->random);
            *page = contents[first + i];
        }
    }
}

static void step_touch(struct worker *w)
{
    int16_t slot = (int16_t)below(w, SHADOW_ALL);
    for (unsigned i = 0; i < SHADOW_SLOTS; i++) {
        const struct shadow_slot *s = slot_at(w, slot);
        if (s->type == OBJ_FRAMES && s->mapped && s->space == SHADOW_OWN_SPACE) {
            touch(w, slot);
            return;
        }
        slot = (int16_t)((unsigned)(slot + 1) % SHADOW_ALL);
    }
}

static void step_map(struct worker *w)
{
    static const unsigned allowed[] = {
        MAP_READ, RW, MAP_READ | MAP_EXECUTE, RW, MAP_WRITE, RW | MAP_EXECUTE, 1u << 7};
    int16_t frames = pick(w, OBJ_FRAMES);
    int16_t at = pick(w, OBJ_SPACE);
    bool own = one_in(w, 2);
    const struct shadow_slot *s = slot_at(w, frames);
    unsigned flags = allowed[one_in(w, 10) ? below(w, ARRAY_SIZE(allowed)) : below(w, 4)];
    uint64_t address = WINDOW + below(w, WINDOW_PAGES) * PAGE_SIZE + (one_in(w, 50) ? 8 : 0);
    uint64_t refusals = handle_refusals(w, frames, OBJ_FRAMES, 0) |
                        (own ? 0 : handle_refusals(w, at, OBJ_SPACE, RIGHT_WRITE));
    if (refusals == 0) {
        unsigned rights = ((flags & MAP_READ) != 0 ? RIGHT_READ : 0) |
                          ((flags & MAP_WRITE) != 0 ? RIGHT_WRITE : 0) |
                          ((flags & MAP_EXECUTE) != 0 ? RIGHT_EXECUTE : 0);
        int16_t space = own ? SHADOW_OWN_SPACE : slot_at(w, at)->object;
        refusals |=
            refused_if((flags & MAP_READ) == 0 || flags > 15 || (flags & 6) == 6, ERR_INVALID);
        refusals |= refused_if((s->rights & rights) != rights, ERR_RIGHTS);
        refusals |= refused_if(address % PAGE_SIZE != 0, ERR_ALIGN);
        refusals |= refused_if(s->mapped, ERR_BUSY);
        refusals |=
            refused_if(shadow_taken(&w->shadow, space, address, shadow_pages(s)), ERR_OCCUPIED);
    }
    err_t err =
        sys_map(handle_of(frames), own ? (handle_t)CHILD_SPACE : handle_of(at), address, flags);
    if (answered(w, "map", err, refusals, frames, at)) {
        shadow_map(&w->shadow, frames, own ? (int16_t)SHADOW_OWN_SPACE : slot_at(w, at)->object,
                   address, flags);
        if (own) {
            touch(w, frames);
        }
    }
}

static bool unmap(struct worker *w, int16_t frames)
{
    err_t err = sys_unmap(handle_of(frames));
    bool done = answered(w, "unmap", err, handle_refusals(w, frames, OBJ_FRAMES, 0), frames, 0);
    if (done) {
        shadow_unmap(&w->shadow, frames);
    }
    return done;
}

static void step_unmap(struct worker *w)
{
    (void)unmap(w, pick(w, OBJ_FRAMES));
}

// Other frames take the place of mapped ones at once: nothing may remember these.
static void step_replace(struct worker *w)
{
    int16_t old = pick(w, OBJ_FRAMES);
    int16_t new = pick(w, OBJ_FRAMES);
    const struct shadow_slot *o = slot_at(w, old);
    const struct shadow_slot *n = slot_at(w, new);
    bool fits = o->type == OBJ_FRAMES && n->type == OBJ_FRAMES && o->mapped &&
                o->space == SHADOW_OWN_SPACE && !n->mapped && shadow_pages(n) <= shadow_pages(o) &&
                (n->rights & RIGHT_READ) != 0;
    if (!fits) {
        return;
    }
    touch(w, old);
    if (unmap(w, old) &&
        answered(w, "map", sys_map(handle_of(new), CHILD_SPACE, o->address, MAP_READ), 0, new, 0)) {
        shadow_map(&w->shadow, new, SHADOW_OWN_SPACE, o->address, MAP_READ);
        touch(w, new);
    }
}

// ---- Threads ------------------------------------------------------------------------------------------------

static struct shadow_slot *held(struct worker *w, int16_t thread, enum thread_slot which)
{
    return slot_at(w, shadow_group(slot_at(w, thread)->object, which));
}

static struct shadow_object *object_of(struct worker *w, int16_t slot)
{
    return &w->shadow.objects[slot_at(w, slot)->object];
}

static void step_bind(struct worker *w)
{
    static const enum thread_slot kinds_bound[] = {THREAD_CSPACE, THREAD_SPACE,
                                                   THREAD_NOTIFICATION};
    static const handle_t own[] = {[THREAD_CSPACE] = W_CSPACE, [THREAD_SPACE] = CHILD_SPACE};
    int16_t thread = pick(w, OBJ_THREAD);
    enum thread_slot which = kinds_bound[below(w, ARRAY_SIZE(kinds_bound))];
    bool from_slot = which == THREAD_NOTIFICATION;
    int16_t source = from_slot ? pick(w, OBJ_NOTIFICATION) : (int16_t)SHADOW_NOBODY;
    uint64_t refusals = handle_refusals(w, thread, OBJ_THREAD, RIGHT_WRITE);
    if (from_slot) {
        refusals |= handle_refusals(w, source, OBJ_NOTIFICATION, RIGHT_READ);
    }
    if (refusals == 0) {
        refusals |= refused_if(held(w, thread, which)->type != OBJ_NONE, ERR_OCCUPIED);
        refusals |= refused_if(object_of(w, thread)->started, ERR_BUSY);
        refusals |= refused_if(from_slot && object_of(w, source)->bound != SHADOW_NOBODY, ERR_BUSY);
    }
    err_t err =
        sys_thread_bind(handle_of(thread), which, from_slot ? handle_of(source) : own[which]);
    if (answered(w, "bind", err, refusals, thread, source)) {
        shadow_bind(&w->shadow, slot_at(w, thread)->object, which, source);
    }
}

static void step_unbind(struct worker *w)
{
    int16_t thread = pick(w, OBJ_THREAD);
    enum thread_slot which = (enum thread_slot)below(w, THREAD_SLOT_COUNT);
    err_t err = sys_thread_bind(handle_of(thread), which, 0);
    if (answered(w, "unbind", err, handle_refusals(w, thread, OBJ_THREAD, RIGHT_WRITE), thread,
                 0)) {
        shadow_delete(&w->shadow, shadow_group(slot_at(w, thread)->object, which));
    }
}

static void step_time(struct worker *w)
{
    int16_t thread = pick(w, OBJ_THREAD);
    uint64_t priority = PUPPET_PRIORITY + below(w, 8);
    err_t err = sys_thread_time(handle_of(thread), W_TIME, priority, below(w, w->cores),
                                w->puppet_budget, w->puppet_period);
    if (answered(w, "time", err, handle_refusals(w, thread, OBJ_THREAD, RIGHT_TIME), thread, 0)) {
        object_of(w, thread)->timed = true;
    }
}

// Gives a stopped thread something to do: it signals a slot, and perhaps calls another one, whatever is there.
static void step_aim(struct worker *w)
{
    int16_t thread = pick(w, OBJ_THREAD);
    const uint64_t targets[5] = {handle_of(pick(w, OBJ_NOTIFICATION)),
                                 one_in(w, 3) ? handle_of(pick(w, OBJ_ENDPOINT)) : 0};
    const uint64_t pc[5] = {(uint64_t)puppet};
    uint64_t refusals = handle_refusals(w, thread, OBJ_THREAD, RIGHT_WRITE);
    if (refusals == 0) {
        refusals |= refused_if(object_of(w, thread)->started, ERR_BUSY);
    }
    if (answered(w, "aim", sys_thread_write(handle_of(thread), 19, 2, targets), refusals, thread,
                 0) &&
        answered(w, "aim", sys_thread_write(handle_of(thread), REG_PC, 1, pc), refusals, thread,
                 0)) {
        object_of(w, thread)->aimed = true;
    }
}

static void step_start(struct worker *w)
{
    int16_t thread = pick(w, OBJ_THREAD);
    uint64_t refusals = handle_refusals(w, thread, OBJ_THREAD, RIGHT_WRITE);
    if (refusals == 0) {
        if (!object_of(w, thread)->aimed) {
            return; // it would fault
        }
        refusals |= refused_if(held(w, thread, THREAD_SPACE)->type == OBJ_NONE ||
                                   !object_of(w, thread)->timed,
                               ERR_INVALID);
    }
    if (answered(w, "start", sys_thread_start(handle_of(thread)), refusals, thread, 0)) {
        object_of(w, thread)->started = true;
    }
}

static void step_stop(struct worker *w)
{
    int16_t thread = pick(w, OBJ_THREAD);
    if (answered(w, "stop", sys_thread_stop(handle_of(thread)),
                 handle_refusals(w, thread, OBJ_THREAD, RIGHT_WRITE), thread, 0)) {
        object_of(w, thread)->started = false;
    }
}

static void step_look(struct worker *w)
{
    int16_t thread = pick(w, OBJ_THREAD);
    struct thread_info info = {0};
    err_t err = sys_thread_info(handle_of(thread), &info);
    if (!answered(w, "info", err, handle_refusals(w, thread, OBJ_THREAD, RIGHT_READ), thread, 0)) {
        return;
    }
    bool runs = info.state == THREAD_READY || info.state == THREAD_CALLING;
    if (object_of(w, thread)->started ? !runs : info.state != THREAD_STOPPED) {
        wrong(w, "a thread's state", (err_t)info.state, 0, thread, 0);
    }
}

// ---- Communication ------------------------------------------------------------------------------------------

static void step_signal(struct worker *w)
{
    int16_t n = pick(w, OBJ_NOTIFICATION);
    (void)answered(w, "signal", sys_signal(handle_of(n)),
                   handle_refusals(w, n, OBJ_NOTIFICATION, RIGHT_WRITE), n, 0);
    (void)answered(w, "signal of a worker", sys_signal(W_PEER + below(w, WORKERS)), 0, n, 0);
    uint64_t words[MESSAGE_REGISTER_WORDS] = {0};
    uint64_t info = 0;
    uint64_t bits = 0;
    err_t err = sys_receive(RECEIVE_POLL, DEADLINE_NEVER, &info, words, &bits);
    if (err != ERR_TIMEOUT && (err != OK || bits >= BIT(WORKERS))) {
        wrong(w, "receive", err, bits, 0, 0);
    }
}

static void step_call(struct worker *w)
{
    uint64_t words[MESSAGE_REGISTER_WORDS] = {w->steps, ~w->steps, 7, w->seed};
    uint64_t info = INFO(3, 4);
    err_t err = sys_call(W_ECHO + below(w, WORKERS), &info, words);
    if (err == ERR_GONE) {
        w->gone++;
        return;
    }
    bool right = err == OK && words[0] == w->steps + 1 && words[1] == ~w->steps + 1 &&
                 words[2] == 8 && words[3] == w->seed + 1;
    if (!right) {
        wrong(w, "call", err, words[0], 0, 0);
    }
}

// ---- Everything ---------------------------------------------------------------------------------------------

static uint64_t size_of(const struct shadow *s, const struct shadow_slot *slot)
{
    switch (slot->type) {
    case OBJ_FRAMES:
        return shadow_pages(slot) * PAGE_SIZE;
    case OBJ_UNTYPED:
    case OBJ_CSPACE:
        return s->objects[slot->object].size;
    default:
        return 0;
    }
}

static void compare_slot(struct worker *w, int16_t slot)
{
    const struct shadow_slot *s = slot_at(w, slot);
    struct identified id;
    err_t err = identify(handle_of(slot), &id);
    if (s->type == OBJ_NONE) {
        (void)answered(w, "an empty slot", err, refusal(ERR_NO_CAP), slot, 0);
    } else if (answered(w, "a slot", err, 0, slot, 0) &&
               (id.type != (enum obj_type)s->type || id.rights != s->rights ||
                id.badge != s->badge || id.size != size_of(&w->shadow, s))) {
        wrong(w, "what a slot holds", (err_t)id.type, id.rights, slot, s->type);
    }
}

// No two frames are of the same memory, unless they are copies.
static void compare_addresses(struct worker *w)
{
    uint64_t at[SHADOW_SLOTS];
    for (int16_t i = 0; i < (int16_t)SHADOW_SLOTS; i++) {
        struct identified id = {0};
        if (slot_at(w, i)->type == OBJ_FRAMES) {
            ignore(identify(handle_of(i), &id));
        }
        at[i] = id.physical;
        for (int16_t j = 0; j < i && at[i] != 0; j++) {
            if (at[j] != 0 && slot_at(w, i)->object != slot_at(w, j)->object &&
                at[i] < at[j] + shadow_pages(slot_at(w, j)) * PAGE_SIZE &&
                at[j] < at[i] + shadow_pages(slot_at(w, i)) * PAGE_SIZE) {
                wrong(w, "two frames are the same memory", 0, at[i], i, j);
            }
        }
    }
}

static void sweep(struct worker *w)
{
    for (int16_t i = 0; i < (int16_t)SHADOW_SLOTS; i++) {
        compare_slot(w, i);
    }
    compare_addresses(w);
}

static const struct {
    void (*run)(struct worker *w);
    unsigned weight;
} steps[] = {
    {step_retype, 16}, {step_copy, 10},  {step_move, 6},  {step_delete, 14},  {step_revoke, 4},
    {step_touch, 8},   {step_map, 12},   {step_unmap, 6}, {step_replace, 12}, {step_bind, 8},
    {step_unbind, 1},  {step_time, 6},   {step_aim, 6},   {step_start, 8},    {step_stop, 4},
    {step_look, 3},    {step_signal, 6}, {step_call, 4},
};

void work(void *argument)
{
    struct worker *w = argument;
    unsigned total = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        total += steps[i].weight;
    }
    while (!w->end && w->wrong_step == 0) {
        uint64_t at = below(w, total);
        unsigned i = 0;
        while (at >= steps[i].weight) {
            at -= steps[i++].weight;
        }
        steps[i].run(w);
        w->steps++;
        if (w->steps % SWEEP == 0) {
            sweep(w);
        }
    }
}

// The kernel of init's tests: see init_kernel.h.
#include "init_kernel.h"

#include <stdlib.h>
#include <string.h>

#include <abi/boot.h>
#include <base/bits.h>

#define OBJECT_BYTES 192u

static struct fake_kernel *fake_of(struct kernel *k)
{
    k->calls++;
    return CONTAINER_OF(k, struct fake_kernel, kernel);
}

static bool fails(struct fake_kernel *f)
{
    return f->fail_after >= 0 && f->fail_after-- == 0;
}

static struct fake_object *new_object(struct fake_kernel *f, enum obj_type type, uint64_t size)
{
    struct fake_object *o = calloc(1, sizeof(*o));
    o->type = type;
    o->size = size;
    o->next = f->objects;
    f->objects = o;
    if (type == OBJ_CSPACE) {
        o->slots = calloc(size, sizeof(*o->slots));
    }
    return o;
}

static struct fake_slot *fill(struct fake_kernel *f, uint64_t index, struct fake_object *o,
                              unsigned rights)
{
    struct fake_slot *s = &f->cspace->slots[index];
    *s = (struct fake_slot){.object = o, .rights = rights};
    if (o->type == OBJ_FRAMES) {
        s->badge = FRAMES_RANGE(0, o->size / PAGE_SIZE);
    }
    return s;
}

void fake_init(struct fake_kernel *f, const uint64_t (*untyped)[2], unsigned untyped_count,
               const void *bundle, uint64_t bundle_size)
{
    static const enum obj_type types[] = {
        [BOOT_CSPACE] = OBJ_CSPACE,
        [BOOT_SPACE] = OBJ_SPACE,
        [BOOT_THREAD] = OBJ_THREAD,
        [BOOT_NOTIFICATION] = OBJ_NOTIFICATION,
        [BOOT_ENDPOINT] = OBJ_ENDPOINT,
        [BOOT_IRQ_CONTROL] = OBJ_IRQ_CONTROL,
        [BOOT_DEVICE_MEMORY] = OBJ_DEVICE_MEMORY,
        [BOOT_TIME] = OBJ_TIME,
        [BOOT_CONSOLE] = OBJ_CONSOLE,
        [BOOT_POWER] = OBJ_POWER,
        [BOOT_SMC] = OBJ_SMC,
        [BOOT_BUNDLE] = OBJ_FRAMES,
        [BOOT_FDT] = OBJ_FRAMES,
    };
    memset(f, 0, sizeof(*f));
    f->fail_after = -1;
    f->mode = CONSOLE_ON;
    f->cspace = new_object(f, OBJ_CSPACE, FAKE_SLOTS);
    fill(f, BOOT_CSPACE, f->cspace, RIGHT_ALL);
    for (unsigned i = BOOT_SPACE; i < ARRAY_SIZE(types); i++) {
        uint64_t size = types[i] == OBJ_FRAMES ? PAGE_SIZE : 0;
        fill(f, i, new_object(f, types[i], i == BOOT_BUNDLE ? bundle_size : size), RIGHT_ALL);
    }
    struct fake_slot *b = fake_slot(f, BOOT_BUNDLE);
    b->rights = RIGHT_READ | RIGHT_EXECUTE | RIGHT_COPY;
    b->object->base = 0x7000000;
    b->object->bytes = malloc(bundle_size);
    memcpy(b->object->bytes, bundle, bundle_size);
    for (unsigned i = 0; i < untyped_count; i++) {
        struct fake_object *o = new_object(f, OBJ_UNTYPED, untyped[i][1]);
        o->base = o->low = untyped[i][0];
        o->high = o->base + o->size;
        fill(f, BOOT_UNTYPED + i, o, RIGHT_READ | RIGHT_WRITE);
    }
    // The kernel made frames of its own for init, in the slots that follow and out of the first untyped.
    struct fake_object *own = new_object(f, OBJ_FRAMES, PAGE_SIZE);
    fake_slot(f, BOOT_UNTYPED)->object->high -= PAGE_SIZE;
    fill(f, BOOT_UNTYPED + untyped_count, own, RIGHT_ALL);
}

void fake_end(struct fake_kernel *f)
{
    while (f->objects != NULL) {
        struct fake_object *o = f->objects;
        f->objects = o->next;
        free(o->bytes);
        free(o->slots);
        free(o);
    }
}

// ---- Looking at it --------------------------------------------------------------------------------------------------

struct fake_slot *fake_slot(struct fake_kernel *f, handle_t handle)
{
    return &f->cspace->slots[handle];
}

struct fake_slot *fake_mapping(struct fake_kernel *f, handle_t space, uint64_t address)
{
    for (unsigned i = 0; i < FAKE_SLOTS; i++) {
        struct fake_slot *s = &f->cspace->slots[i];
        uint64_t bytes = (uint32_t)s->badge * (uint64_t)PAGE_SIZE;
        if (s->space != NULL && s->space == fake_slot(f, space)->object && address >= s->address &&
            address - s->address < bytes) {
            return s;
        }
    }
    return NULL;
}

uint64_t fake_physical(const struct fake_slot *s)
{
    return s->object->base + (s->badge >> 32) * PAGE_SIZE;
}

unsigned char fake_byte(const struct fake_slot *s, uint64_t offset)
{
    uint64_t at = (s->badge >> 32) * PAGE_SIZE + offset;
    return s->object->bytes == NULL ? 0 : s->object->bytes[at];
}

bool fake_said(const struct fake_kernel *f, const char *text)
{
    return strstr(f->console, text) != NULL;
}

// ---- The system calls -----------------------------------------------------------------------------------------------

static struct fake_slot *slot_at(struct fake_kernel *f, struct place p)
{
    struct fake_slot *s = p.cspace < FAKE_SLOTS ? fake_slot(f, p.cspace) : NULL;
    if (s == NULL || s->object == NULL || s->object->type != OBJ_CSPACE || p.index == 0 ||
        p.index >= s->object->size) {
        return NULL;
    }
    return &s->object->slots[p.index];
}

static struct fake_object *object_of(struct fake_kernel *f, handle_t handle, enum obj_type type,
                                     unsigned rights)
{
    struct fake_slot *s = handle < FAKE_SLOTS ? fake_slot(f, handle) : NULL;
    bool good =
        s != NULL && s->object != NULL && s->object->type == type && (s->rights & rights) == rights;
    return good ? s->object : NULL;
}

static bool carve(struct fake_object *ut, uint64_t high_bytes, uint64_t *at)
{
    uint64_t align = high_bytes >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
    uint64_t low = ut->low + OBJECT_BYTES;
    if (high_bytes > ut->high - ut->low) {
        return false;
    }
    *at = high_bytes == 0 ? ut->high : align_down(ut->high - high_bytes, align);
    if (*at < low) {
        return false;
    }
    ut->low = low;
    ut->high = *at;
    return true;
}

err_t sys_retype(struct kernel *k, handle_t untyped, enum obj_type type, uint64_t size,
                 struct place to)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *ut = object_of(f, untyped, OBJ_UNTYPED, RIGHT_WRITE);
    struct fake_slot *s = slot_at(f, to);
    uint64_t at;
    if (ut == NULL || s == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    if (s->object != NULL) {
        return ERR_OCCUPIED;
    }
    bool pages = type == OBJ_FRAMES || type == OBJ_UNTYPED;
    if (pages && (size == 0 || size % PAGE_SIZE != 0)) {
        return ERR_ALIGN;
    }
    if (!carve(ut, pages ? size : 0, &at)) {
        return ERR_NO_MEMORY;
    }
    struct fake_object *o = new_object(f, type, size);
    o->base = o->low = at;
    o->high = at + size;
    *s = (struct fake_slot){.object = o, .rights = RIGHT_ALL};
    if (type == OBJ_FRAMES) {
        s->badge = FRAMES_RANGE(0, size / PAGE_SIZE);
    }
    k->objects++;
    return OK;
}

err_t sys_copy(struct kernel *k, struct place from, struct place to, unsigned rights,
               uint64_t badge)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_slot *s = slot_at(f, from);
    struct fake_slot *d = slot_at(f, to);
    if (s == NULL || d == NULL || s->object == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    if (d->object != NULL) {
        return ERR_OCCUPIED;
    }
    if ((s->rights & RIGHT_COPY) == 0 || (rights & ~s->rights) != 0) {
        return ERR_RIGHTS;
    }
    *d = (struct fake_slot){.object = s->object, .rights = rights, .badge = s->badge};
    if (badge != 0 && s->object->type == OBJ_FRAMES) {
        uint64_t first = badge >> 32;
        if (first + (uint32_t)badge > (uint32_t)s->badge) {
            *d = (struct fake_slot){.object = NULL};
            return ERR_INVALID;
        }
        d->badge = FRAMES_RANGE((s->badge >> 32) + first, badge);
    } else if (badge != 0) {
        d->badge = badge;
    }
    return OK;
}

err_t sys_delete(struct kernel *k, struct place at)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_slot *s = slot_at(f, at);
    if (s == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    if (s->space != NULL && s->space == fake_slot(f, BOOT_SPACE)->object) {
        memcpy(s->object->bytes + (s->badge >> 32) * PAGE_SIZE, (void *)(uintptr_t)s->address,
               (uint32_t)s->badge * (size_t)PAGE_SIZE);
    }
    *s = (struct fake_slot){.object = NULL};
    return OK;
}

err_t sys_identify(struct kernel *k, handle_t handle, struct identity *out)
{
    struct fake_kernel *f = fake_of(k);
    const struct fake_slot *s = fake_slot(f, handle);
    if (s->object == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    *out = (struct identity){s->object->type, s->object->size, s->badge, fake_physical(s)};
    return OK;
}

// init's own space is real: the window shows what the frames hold.
static void show(struct fake_slot *s)
{
    struct fake_object *o = s->object;
    if (o->bytes == NULL) {
        o->bytes = calloc(1, o->size);
    }
    memcpy((void *)(uintptr_t)s->address, o->bytes + (s->badge >> 32) * PAGE_SIZE,
           (uint32_t)s->badge * (size_t)PAGE_SIZE);
}

err_t sys_map(struct kernel *k, handle_t frames, handle_t space, uint64_t address, unsigned flags)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *sp = object_of(f, space, OBJ_SPACE, RIGHT_WRITE);
    struct fake_slot *s = fake_slot(f, frames);
    if (sp == NULL || object_of(f, frames, OBJ_FRAMES, 0) == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    unsigned rights = ((flags & MAP_READ) != 0 ? RIGHT_READ : 0u) |
                      ((flags & MAP_WRITE) != 0 ? RIGHT_WRITE : 0u) |
                      ((flags & MAP_EXECUTE) != 0 ? RIGHT_EXECUTE : 0u);
    if ((s->rights & rights) != rights) {
        return ERR_RIGHTS;
    }
    if (s->space != NULL || address % PAGE_SIZE != 0) {
        return s->space != NULL ? ERR_BUSY : ERR_ALIGN;
    }
    s->space = sp;
    s->address = address;
    s->flags = flags;
    if (space == BOOT_SPACE) {
        show(s);
    }
    return OK;
}

err_t sys_device_frames(struct kernel *k, handle_t untyped, uint64_t physical, uint64_t pages,
                        struct place to)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *ut = object_of(f, untyped, OBJ_UNTYPED, RIGHT_WRITE);
    struct fake_slot *s = slot_at(f, to);
    uint64_t at;
    if (ut == NULL || s == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    if (physical == 0x8000000) { // the kernel's own
        return ERR_RANGE;
    }
    if (!carve(ut, 0, &at)) {
        return ERR_NO_MEMORY;
    }
    struct fake_object *o = new_object(f, OBJ_FRAMES, pages * PAGE_SIZE);
    o->base = physical;
    o->device = true;
    *s = (struct fake_slot){.object = o,
                            .rights = RIGHT_READ | RIGHT_WRITE | RIGHT_COPY,
                            .badge = FRAMES_RANGE(0, pages)};
    k->objects++;
    return OK;
}

err_t sys_thread_bind(struct kernel *k, handle_t thread, enum thread_slot slot, handle_t what)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *t = object_of(f, thread, OBJ_THREAD, RIGHT_WRITE);
    struct fake_slot *s = fake_slot(f, what);
    if (t == NULL || s->object == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    t->bound[slot] = s->object;
    if (slot == THREAD_FAULT) {
        t->fault_badge = s->badge;
    }
    return OK;
}

err_t sys_thread_start(struct kernel *k, handle_t thread)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *t = object_of(f, thread, OBJ_THREAD, RIGHT_WRITE);
    if (t == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    t->started = ++f->starts;
    t->starts++;
    return OK;
}

err_t sys_thread_stop(struct kernel *k, handle_t thread)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *t = object_of(f, thread, OBJ_THREAD, RIGHT_WRITE);
    if (t == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    t->started = 0;
    return OK;
}

err_t sys_thread_write(struct kernel *k, handle_t thread, enum thread_register first,
                       unsigned count, const uint64_t *values)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *t = object_of(f, thread, OBJ_THREAD, RIGHT_WRITE);
    if (t == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    memcpy(&t->regs[first], values, count * sizeof(*values));
    return OK;
}

err_t sys_thread_time(struct kernel *k, handle_t thread, unsigned priority, unsigned core,
                      uint64_t budget, uint64_t period)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *t = object_of(f, thread, OBJ_THREAD, RIGHT_TIME);
    if (t == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    const uint64_t time[] = {priority, core, budget, period};
    memcpy(t->time, time, sizeof(time));
    return OK;
}

err_t sys_thread_flags(struct kernel *k, handle_t thread, unsigned flags)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *t = object_of(f, thread, OBJ_THREAD, RIGHT_WRITE);
    if (t == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    t->flags = flags;
    return OK;
}

err_t sys_irq_create(struct kernel *k, handle_t untyped, uint32_t intid, enum irq_trigger trigger,
                     struct place to)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *ut = object_of(f, untyped, OBJ_UNTYPED, RIGHT_WRITE);
    struct fake_slot *s = slot_at(f, to);
    uint64_t at;
    if (ut == NULL || s == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    if (!carve(ut, 0, &at)) {
        return ERR_NO_MEMORY;
    }
    struct fake_object *o = new_object(f, OBJ_IRQ, 0);
    o->intid = intid;
    o->trigger = trigger;
    *s = (struct fake_slot){.object = o, .rights = RIGHT_READ | RIGHT_WRITE | RIGHT_COPY};
    k->objects++;
    return OK;
}

err_t sys_irq_bind(struct kernel *k, handle_t irq, handle_t notification)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *o = object_of(f, irq, OBJ_IRQ, RIGHT_WRITE);
    struct fake_object *n = object_of(f, notification, OBJ_NOTIFICATION, RIGHT_WRITE);
    if (o == NULL || n == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    o->target = n;
    o->target_badge = fake_slot(f, notification)->badge;
    return OK;
}

err_t sys_vcpu_bind(struct kernel *k, handle_t vcpu, enum vcpu_slot slot, handle_t what)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *v = object_of(f, vcpu, OBJ_VCPU, RIGHT_WRITE);
    const struct fake_slot *s = fake_slot(f, what);
    if (v == NULL || s->object == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    bool guest = s->object->type == OBJ_SPACE && (s->object->size & SPACE_GUEST) != 0;
    bool page = s->object->type == OBJ_FRAMES && (uint32_t)s->badge == 1;
    if (slot == VCPU_SPACE ? !guest : !page) {
        return ERR_TYPE;
    }
    v->held[slot] = s->object;
    return OK;
}

err_t sys_vcpu_reset(struct kernel *k, handle_t vcpu)
{
    struct fake_kernel *f = fake_of(k);
    struct fake_object *v = object_of(f, vcpu, OBJ_VCPU, RIGHT_WRITE);
    if (v == NULL || fails(f)) {
        return ERR_NO_CAP;
    }
    v->resets++;
    return OK;
}

err_t sys_receive(struct kernel *k, unsigned flags, uint64_t label, uint64_t deadline,
                  struct message *out)
{
    struct fake_kernel *f = fake_of(k);
    f->answered = (flags & RECEIVE_REPLY) != 0;
    f->answer = label;
    *out = (struct message){.badge = 0};
    if (f->message == NULL) {
        f->now = deadline;
        return ERR_TIMEOUT;
    }
    *out = *f->message;
    f->message = NULL;
    return OK;
}

uint64_t sys_clock(struct kernel *k)
{
    return fake_of(k)->now;
}

_Noreturn void sys_system_off(struct kernel *k, unsigned code)
{
    longjmp(fake_of(k)->off, (int)code + 1);
}

void sys_console_write(struct kernel *k, const char *text, unsigned length)
{
    struct fake_kernel *f = fake_of(k);
    if (f->mode == CONSOLE_ON && f->console_length + length < FAKE_CONSOLE_MAX) {
        memcpy(f->console + f->console_length, text, length);
        f->console_length += length;
    }
}

void sys_console_mode(struct kernel *k, enum console_mode mode)
{
    fake_of(k)->mode = mode;
}

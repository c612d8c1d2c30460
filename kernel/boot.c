// The first process: see boot.h. Everything it gets is made with the same functions that system calls use; only the
// untyped memory itself, and the authorities that are no memory, come from here.
#include "boot.h"

#include <stddef.h>

#include <abi/bundle.h>
#include <base/bits.h>
#include <base/str.h>

#include "endpoint.h"
#include "frames.h"
#include "notification.h"
#include "panic.h"
#include "percpu.h"
#include "retype.h"
#include "sched.h"
#include "space.h"
#include "threadctl.h"
#include "untyped.h"

#define INIT_PRIORITY     PRIORITY_MAX
#define INIT_SPACE_TABLES 1024u
#define INIT_SLICE_US     10000u

struct percpu percpu[CORES_MAX];
unsigned core_count;

static struct untyped roots[BOOT_UNTYPED_MAX];
static struct frames bundle_frames;
static struct frames fdt_frames;
static struct obj authorities[OBJ_TYPE_COUNT]; // the pseudo-objects, by type

// What is being built. Every capability derives from the first untyped or from nothing.
struct first {
    const struct boot_machine *machine;
    struct cspace *cspace;
    struct space *space;
    struct thread *thread;
    uint32_t next; // free slot for frames that only boot names
};

static struct slot *slot(const struct first *f, uint32_t handle)
{
    return cspace_slot(f->cspace, handle);
}

static struct obj *object_in(const struct slot *s)
{
    return load_relaxed(&s->obj);
}

// Carves an object; there is nobody to let in, so the work starts over until it is done.
static struct obj *make(struct slot *to, struct slot *parent, enum obj_type type, uint64_t size)
{
    struct retype r = {
        .untyped = &roots[0], .parent = parent, .to = to, .type = type, .size = size};
    err_t err;
    do {
        struct work work = {0};
        err = retype_object(&r, &work);
    } while (err == WORK_UP);
    if (err != OK) {
        panic("too little memory for the first process");
    }
    return object_in(to);
}

static struct obj *make_at(const struct first *f, uint32_t handle, enum obj_type type,
                           uint64_t size)
{
    return make(slot(f, handle), slot(f, BOOT_UNTYPED), type, size);
}

static void give(const struct first *f, uint32_t handle, struct obj *obj, unsigned rights,
                 uint64_t badge)
{
    struct cap cap = {.obj = obj, .badge = badge, .type = obj->type, .rights = (uint8_t)rights};
    slot_fill(slot(f, handle), &cap, NULL);
}

static void give_authority(const struct first *f, uint32_t handle, enum obj_type type,
                           uint64_t badge)
{
    authorities[type].type = (uint8_t)type;
    give(f, handle, &authorities[type], RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_COPY, badge);
}

static void map_slot(const struct first *f, struct slot *s, uint64_t at, unsigned flags)
{
    err_t err;
    do {
        struct work work = {0};
        err = space_map(f->space, s, ipa(at), flags, &work);
    } while (err == WORK_UP);
    if (err != OK) {
        panic("the first process cannot be mapped at %#lx (error %ld)", at, (long)err);
    }
}

// Fresh memory mapped at `at`; returns where the kernel sees it.
static void *map_memory(struct first *f, uint64_t at, uint64_t bytes, unsigned flags)
{
    struct slot *s = slot(f, f->next++);
    struct frames *frames =
        CONTAINER_OF(make(s, slot(f, BOOT_UNTYPED), OBJ_FRAMES, bytes), struct frames, obj);
    map_slot(f, s, at, flags);
    return phys_to_virt(frames_page(frames, 0));
}

// Maps pages [first, first + count) of what `of` names, through a capability of its own.
static void map_part(struct first *f, uint32_t of, uint64_t first, uint64_t count, uint64_t at,
                     unsigned flags)
{
    struct slot *s = slot(f, f->next++);
    struct cap cap;
    if (count == 0 || !slot_read(slot(f, of), &cap)) {
        return;
    }
    cap.badge = FRAMES_RANGE(first, count);
    slot_fill(s, &cap, slot(f, of));
    map_slot(f, s, at, flags);
}

// ---- The image of init --------------------------------------------------------------------------------------

static const struct bundle_header *bundle_header(const struct boot_machine *m)
{
    const struct bundle_header *h = phys_to_virt(paddr(m->bundle.base));
    if (h->revision != BUNDLE_REVISION) {
        panic("the bundle has revision %u, this kernel reads %u", h->revision, BUNDLE_REVISION);
    }
    return h;
}

static const struct init_header *init_header(const struct boot_machine *m,
                                             const struct bundle_header *b)
{
    struct range all = {.base = 0, .size = m->bundle.size};
    const uint64_t most = BIT(30);
    const struct init_header *h = NULL;
    if (is_aligned(b->init.offset, PAGE_SIZE) && b->init.size >= sizeof(*h) &&
        range_contains(all, b->init.offset, b->init.size)) {
        h = phys_to_virt(paddr(m->bundle.base + b->init.offset));
    }
    if (h == NULL || h->magic != INIT_MAGIC || h->text_size > most || h->data_size > most ||
        h->bss_size > most || h->text_size + h->data_size > b->init.size ||
        !is_aligned(h->text_size | h->data_size | h->bss_size, PAGE_SIZE)) {
        panic("the bundle holds no usable first process");
    }
    return h;
}

static void map_init(struct first *f)
{
    const struct bundle_header *b = bundle_header(f->machine);
    const struct init_header *h = init_header(f->machine, b);
    map_part(f, BOOT_BUNDLE, b->init.offset / PAGE_SIZE, h->text_size / PAGE_SIZE,
             BOOT_IMAGE_ADDRESS, MAP_READ | MAP_EXECUTE);
    uint64_t writable = h->data_size + h->bss_size;
    if (writable != 0) {
        void *data =
            map_memory(f, BOOT_IMAGE_ADDRESS + h->text_size, writable, MAP_READ | MAP_WRITE);
        memcpy(data, (const char *)h + h->text_size, h->data_size);
    }
    (void)arch_reg_write(&f->thread->regs, REG_PC, h->entry);
}

// ---- Steps --------------------------------------------------------------------------------------------------

static void make_roots(const struct boot_machine *m)
{
    if (m->free_count == 0) {
        panic("no free memory");
    }
    uint32_t largest = 0;
    for (uint32_t i = 0; i < m->free_count; i++) {
        untyped_init(&roots[i], m->free[i].base, m->free[i].size, NULL);
        if (m->free[i].size > m->free[largest].size) {
            largest = i;
        }
    }
    // The first is what this file carves from.
    struct untyped swap = roots[0];
    roots[0] = roots[largest];
    roots[largest] = swap;
}

static void give_memory(const struct first *f)
{
    for (uint32_t i = 0; i < f->machine->free_count; i++) {
        give(f, BOOT_UNTYPED + i, &roots[i].obj, RIGHT_READ | RIGHT_WRITE, 0);
    }
}

static void give_range(const struct first *f, uint32_t handle, struct frames *frames,
                       struct range range, unsigned rights)
{
    uint64_t pages = range.size / PAGE_SIZE;
    frames->obj.type = OBJ_FRAMES;
    frames->base = range.base;
    frames->count = (uint32_t)pages;
    give(f, handle, &frames->obj, rights, FRAMES_RANGE(0, pages));
}

static void give_authorities(const struct first *f)
{
    give_authority(f, BOOT_IRQ_CONTROL, OBJ_IRQ_CONTROL, 0);
    give_authority(f, BOOT_DEVICE_MEMORY, OBJ_DEVICE_MEMORY, 0);
    give_authority(f, BOOT_TIME, OBJ_TIME, TIME_BADGE(PRIORITY_MAX, BIT(CORES_MAX) - 1));
    give_authority(f, BOOT_CONSOLE, OBJ_CONSOLE, 0);
    give_authority(f, BOOT_POWER, OBJ_POWER, 0);
    give_authority(f, BOOT_SMC, OBJ_SMC, 0);
    const unsigned read = RIGHT_READ | RIGHT_COPY;
    give_range(f, BOOT_BUNDLE, &bundle_frames, f->machine->bundle, read | RIGHT_EXECUTE);
    give_range(f, BOOT_FDT, &fdt_frames, f->machine->fdt, read);
}

// The capability space itself: carved before there is a slot to put its capability in.
static struct cspace *make_cspace(void)
{
    struct slot self;
    slot_init(&self, SLOT_IN_CSPACE, 0);
    return CONTAINER_OF(make(&self, NULL, OBJ_CSPACE, BOOT_CSPACE_SLOTS), struct cspace, obj);
}

static void make_objects(struct first *f)
{
    f->cspace = make_cspace();
    give_memory(f);
    f->cspace->obj.refs = 0; // the slot it was made in was boot's own
    struct cap self = {.obj = &f->cspace->obj, .type = OBJ_CSPACE, .rights = RIGHT_ALL};
    slot_fill(slot(f, BOOT_CSPACE), &self, slot(f, BOOT_UNTYPED));

    f->space =
        CONTAINER_OF(make_at(f, BOOT_SPACE, OBJ_SPACE, INIT_SPACE_TABLES), struct space, obj);
    f->thread = CONTAINER_OF(make_at(f, BOOT_THREAD, OBJ_THREAD, 0), struct thread, obj);
    (void)make_at(f, BOOT_NOTIFICATION, OBJ_NOTIFICATION, 0);
    (void)make_at(f, BOOT_ENDPOINT, OBJ_ENDPOINT, 0);
    f->next = BOOT_UNTYPED + f->machine->free_count;
}

static uint64_t bundle_address(const struct boot_machine *m)
{
    return BOOT_BUNDLE_ADDRESS + m->bundle.base % LARGE_PAGE_SIZE;
}

static void map_info(struct first *f)
{
    const struct boot_machine *m = f->machine;
    struct boot_info *info = map_memory(f, BOOT_INFO_ADDRESS, PAGE_SIZE, MAP_READ);
    *info = (struct boot_info){
        .magic = BOOT_MAGIC,
        .version = 1,
        .cores = core_count,
        .gic_version = m->gic_version,
        .gicv_base = m->gicv_base,
        .irq_count = arch_irq_count(),
        .ticks_per_second = m->ticks_per_second,
        .bundle_size = m->bundle.size,
        .bundle_address = bundle_address(m),
        .fdt_offset = m->fdt_offset,
        .fdt_size = m->fdt_size,
        .console_irq = m->console_irq,
        .console_base = m->console_base,
        .untyped_count = m->free_count,
    };
    for (uint32_t i = 0; i < m->free_count; i++) {
        info->untyped[i] =
            (struct boot_untyped){.base = roots[i].base, .size = roots[i].end - roots[i].base};
    }
}

static void bind(const struct first *f, enum thread_slot which, struct slot *source)
{
    struct cap cap;
    if (!slot_read(source, &cap) || thread_bind_check(f->thread, which, &cap) != OK) {
        panic("the first process cannot be bound (%u)", which);
    }
    thread_bind(f->thread, which, &cap, source);
}

static void bind_thread(struct first *f)
{
    (void)map_memory(f, BOOT_STACK_TOP - BOOT_STACK_SIZE, BOOT_STACK_SIZE, MAP_READ | MAP_WRITE);
    struct slot *message = slot(f, f->next);
    (void)map_memory(f, BOOT_MESSAGE_ADDRESS, PAGE_SIZE, MAP_READ | MAP_WRITE);

    bind(f, THREAD_CSPACE, slot(f, BOOT_CSPACE));
    bind(f, THREAD_SPACE, slot(f, BOOT_SPACE));
    bind(f, THREAD_NOTIFICATION, slot(f, BOOT_NOTIFICATION));
    bind(f, THREAD_ENDPOINT, slot(f, BOOT_ENDPOINT));
    bind(f, THREAD_MESSAGE, message);
    (void)arch_reg_write(&f->thread->regs, REG_X0, BOOT_INFO_ADDRESS);
    (void)arch_reg_write(&f->thread->regs, REG_SP, BOOT_STACK_TOP);
}

void boot_first_process(const struct boot_machine *m)
{
    struct first f = {.machine = m};
    make_roots(m);
    make_objects(&f);
    give_authorities(&f);
    map_info(&f);
    map_part(&f, BOOT_BUNDLE, 0, m->bundle.size / PAGE_SIZE, bundle_address(m), MAP_READ);
    map_part(&f, BOOT_FDT, 0, m->fdt.size / PAGE_SIZE, BOOT_FDT_ADDRESS, MAP_READ);
    bind_thread(&f);
    map_init(&f);

    uint64_t slice = m->ticks_per_second * INIT_SLICE_US / 1000000;
    struct thread_time time = {.budget = slice, .period = slice, .priority = INIT_PRIORITY};
    thread_set_time(f.thread, &time);
    thread_start(f.thread);
}

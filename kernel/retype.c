// Making objects: see retype.h.
#include "retype.h"

#include <base/bits.h>

#include "endpoint.h"
#include "frames.h"
#include "irq.h"
#include "notification.h"
#include "space.h"
#include "threadctl.h"
#include "untyped.h"
#include "vcpu.h"

#define BYTES_MAX BIT(52) // more than any machine has; keeps sums from wrapping

static uint64_t block_align(uint64_t bytes)
{
    return bytes >= LARGE_PAGE_SIZE ? LARGE_PAGE_SIZE : PAGE_SIZE;
}

static err_t memory_size(uint64_t bytes)
{
    if (bytes == 0 || bytes > BYTES_MAX) {
        return ERR_INVALID;
    }
    return is_aligned(bytes, PAGE_SIZE) ? OK : ERR_ALIGN;
}

static err_t carve_of_space(uint64_t tables, struct carve *c)
{
    tables &= ~SPACE_GUEST;
    if (tables > SPACE_TABLES_MAX) {
        return ERR_INVALID;
    }
    uint64_t root_pages = arch_stage2_root_pages();
    *c = (struct carve){
        .low = space_bytes(root_pages + tables),
        .high = (root_pages + tables) * PAGE_SIZE,
        .align = root_pages * PAGE_SIZE,
    };
    return OK;
}

static err_t carve_of(enum obj_type type, uint64_t size, struct carve *c)
{
    err_t err = OK;
    *c = (struct carve){.align = PAGE_SIZE};
    switch (type) {
    case OBJ_UNTYPED:
        err = memory_size(size);
        *c = (struct carve){
            .low = sizeof(struct untyped), .high = size, .align = block_align(size), .keep = true};
        return err;
    case OBJ_FRAMES:
        err = memory_size(size);
        *c = (struct carve){.low = sizeof(struct frames), .high = size, .align = block_align(size)};
        return err != OK || size / PAGE_SIZE <= UINT32_MAX ? err : ERR_INVALID;
    case OBJ_CSPACE:
        c->low = cspace_bytes(size);
        return size >= 2 && size <= CSPACE_MAX ? OK : ERR_INVALID;
    case OBJ_SPACE:
        return carve_of_space(size, c);
    case OBJ_THREAD:
        c->low = sizeof(struct thread);
        break;
    case OBJ_NOTIFICATION:
        c->low = sizeof(struct notification);
        break;
    case OBJ_ENDPOINT:
        c->low = sizeof(struct endpoint);
        break;
    case OBJ_VCPU:
        c->low = sizeof(struct vcpu);
        break;
    default:
        return ERR_INVALID;
    }
    return size == 0 ? OK : ERR_INVALID;
}

// Is there room, and is it clean? WORK_UP: not yet.
static err_t prepare(struct untyped *ut, const struct carve *c, struct work *work)
{
    err_t err = untyped_check(ut, c);
    if (err != OK) {
        return err;
    }
    return untyped_clean(ut, c, work) ? OK : WORK_UP;
}

static void fill(const struct retype *r, struct obj *obj, unsigned rights, uint64_t badge)
{
    struct cap cap = {.obj = obj, .badge = badge, .type = obj->type, .rights = (uint8_t)rights};
    slot_fill(r->to, &cap, r->parent);
}

static void frames_init(struct frames *f, uint64_t base, uint64_t pages, struct untyped *from)
{
    f->obj = (struct obj){.type = OBJ_FRAMES, .from = from};
    f->base = base;
    f->count = (uint32_t)pages;
}

// Turns carved, zeroed memory into an object; returns the badge of its first capability.
static uint64_t create(const struct retype *r, struct carved at, uint16_t vmid)
{
    struct untyped *ut = r->untyped;
    uint64_t pages = r->size / PAGE_SIZE;
    switch (r->type) {
    case OBJ_UNTYPED:
        untyped_init(at.object, at.high.a, r->size, ut);
        break;
    case OBJ_FRAMES:
        frames_init(at.object, at.high.a, pages, ut);
        ((struct frames *)at.object)->fresh = at.published;
        return FRAMES_RANGE(0, pages);
    case OBJ_CSPACE:
        cspace_init(at.object, (uint32_t)r->size, ut);
        break;
    case OBJ_SPACE:
        space_init(at.object, at.high, arch_stage2_root_pages() + (uint32_t)r->size,
                   (r->size & SPACE_GUEST) != 0, vmid, ut);
        break;
    case OBJ_THREAD:
        thread_init(at.object, ut);
        break;
    case OBJ_NOTIFICATION:
        notification_init(at.object, ut);
        break;
    case OBJ_VCPU:
        vcpu_init(at.object, ut);
        break;
    default:
        endpoint_init(at.object, ut);
        break;
    }
    return 0;
}

static struct obj *object_header(enum obj_type type, void *object)
{
    // Only a thread does not start with its header: the entry code wants its registers there.
    return type == OBJ_THREAD ? &((struct thread *)object)->obj : object;
}

err_t retype_object(const struct retype *r, struct work *work)
{
    struct carve carve;
    uint16_t vmid = 0;
    err_t err = carve_of(r->type, r->size, &carve);
    if (err == OK) {
        err = prepare(r->untyped, &carve, work);
    }
    if (err == OK && r->type == OBJ_SPACE) {
        err = space_reserve_vmid(&vmid);
    }
    if (err != OK) {
        return err;
    }

    struct carved at = untyped_carve(r->untyped, &carve);
    uint64_t badge = create(r, at, vmid);
    fill(r, object_header(r->type, at.object), RIGHT_ALL, badge);
    return OK;
}

err_t retype_device_frames(const struct retype *r, paddr_t at, struct work *work)
{
    uint64_t pages = r->size;
    if (pages == 0 || pages > BYTES_MAX / PAGE_SIZE || pages > UINT32_MAX || at.a > BYTES_MAX) {
        return ERR_INVALID;
    }
    if (!is_aligned(at.a, PAGE_SIZE)) {
        return ERR_ALIGN;
    }
    if (!arch_device_range_allowed(at, pages * PAGE_SIZE)) {
        return ERR_RANGE;
    }
    struct carve carve = {.low = sizeof(struct frames), .align = PAGE_SIZE};
    err_t err = prepare(r->untyped, &carve, work);
    if (err != OK) {
        return err;
    }
    struct frames *f = untyped_carve(r->untyped, &carve).object;
    frames_init(f, at.a, pages, r->untyped);
    f->device = true;
    fill(r, &f->obj, RIGHT_READ | RIGHT_WRITE | RIGHT_COPY, FRAMES_RANGE(0, pages));
    return OK;
}

err_t retype_irq(const struct retype *r, uint32_t intid, enum irq_trigger trigger,
                 struct work *work)
{
    struct carve carve = {.low = sizeof(struct irq), .align = PAGE_SIZE};
    err_t err = irq_check(intid);
    if (err == OK) {
        err = prepare(r->untyped, &carve, work);
    }
    if (err != OK) {
        return err;
    }
    struct irq *irq = untyped_carve(r->untyped, &carve).object;
    irq_init(irq, intid, trigger, r->untyped);
    fill(r, &irq->obj, RIGHT_READ | RIGHT_WRITE | RIGHT_COPY, 0);
    return OK;
}

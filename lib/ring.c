// Rings: see ring.h and abi/ring.h.
#include "ring.h"

#include <base/str.h>

static uint32_t distance(uint32_t from, uint32_t to)
{
    return to - from; // modulo 2^32
}

// Elements in the ring if the partner stands at `partner`.
static uint32_t used(const struct ring *r, uint32_t partner)
{
    return r->role == RING_PRODUCER ? distance(partner, r->position)
                                    : distance(r->position, partner);
}

err_t ring_attach(struct ring *r, enum ring_role role, struct ring_header *header, void *data,
                  uint32_t element_size, uint32_t capacity)
{
    if (capacity == 0 || capacity > RING_CAPACITY_MAX || (capacity & (capacity - 1)) != 0 ||
        element_size == 0 || element_size > UINT32_MAX / capacity) {
        return ERR_INVALID;
    }
    struct ring ring = {
        .own = role == RING_PRODUCER ? &header->producer : &header->consumer,
        .partner = role == RING_PRODUCER ? &header->consumer : &header->producer,
        .data = data,
        .element_size = element_size,
        .capacity = capacity,
        .role = role,
    };
    ring.position = atomic_load_explicit(&ring.own->position, memory_order_relaxed);
    ring.partner_position = ring.position;
    ring.told = ring.position - capacity;
    *r = ring;

    uint32_t ready;
    return ring_ready(r, &ready);
}

err_t ring_ready(struct ring *r, uint32_t *count)
{
    *count = 0;
    if (r->dead) {
        return ERR_INVALID;
    }
    // Acquire: pairs with the partner's release in advance(). A consumer then sees the data of what
    // was produced; a producer overwrites only what the consumer has finished reading.
    uint32_t partner = atomic_load_explicit(&r->partner->position, memory_order_acquire);
    uint32_t n = used(r, partner);
    if (n > r->capacity) {
        r->dead = true;
        return ERR_INVALID;
    }
    r->partner_position = partner;
    *count = r->role == RING_PRODUCER ? r->capacity - n : n;
    return OK;
}

// Moves our position past `count` elements, which were just written or are not needed any more.
static void advance(struct ring *r, uint32_t count)
{
    r->position += count;
    // Release: pairs with the partner's acquire in ring_ready().
    atomic_store_explicit(&r->own->position, r->position, memory_order_release);
}

// The part of [position, position + count) before the ring's end, where the rest starts over at
// index 0.
static uint32_t before_end(const struct ring *r, uint32_t count)
{
    uint32_t room = r->capacity - (r->position & (r->capacity - 1));
    return count < room ? count : room;
}

static unsigned char *element(const struct ring *r, uint32_t position)
{
    return r->data + (size_t)(position & (r->capacity - 1)) * r->element_size;
}

err_t ring_put(struct ring *r, const void *elements, uint32_t count, uint32_t *put)
{
    err_t err = ring_ready(r, put);
    if (err != OK) {
        return err;
    }
    uint32_t n = *put < count ? *put : count;
    size_t first = (size_t)before_end(r, n) * r->element_size;
    memcpy(element(r, r->position), elements, first);
    memcpy(r->data, (const unsigned char *)elements + first, (size_t)n * r->element_size - first);
    advance(r, n);
    *put = n;
    return OK;
}

err_t ring_peek(struct ring *r, void *elements, uint32_t max, uint32_t *seen)
{
    err_t err = ring_ready(r, seen);
    if (err != OK) {
        return err;
    }
    uint32_t n = *seen < max ? *seen : max;
    size_t first = (size_t)before_end(r, n) * r->element_size;
    memcpy(elements, element(r, r->position), first);
    memcpy((unsigned char *)elements + first, r->data, (size_t)n * r->element_size - first);
    *seen = n;
    return OK;
}

void ring_skip(struct ring *r, uint32_t count)
{
    uint32_t n = used(r, r->partner_position);
    if (!r->dead) {
        advance(r, count < n ? count : n);
    }
}

err_t ring_get(struct ring *r, void *elements, uint32_t max, uint32_t *got)
{
    err_t err = ring_peek(r, elements, max, got);
    if (err == OK) {
        ring_skip(r, *got);
    }
    return err;
}

bool ring_kick(struct ring *r)
{
    uint32_t old = r->told;
    r->told = r->position;
    // Our position, then the partner's event: pairs with the fence in ring_wait(). One of the two
    // sides sees the other's write, so either we signal or the partner does not wait.
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t event = atomic_load_explicit(&r->partner->event, memory_order_relaxed);
    return distance(old, event) < distance(old, r->position);
}

bool ring_wait(struct ring *r, uint32_t wanted)
{
    if (r->dead) {
        return true;
    }
    if (wanted == 0 || wanted > r->capacity) {
        wanted = wanted == 0 ? 1 : r->capacity;
    }
    // The partner's position at which `wanted` are ready is one past this.
    uint32_t event = r->position + wanted - 1 - (r->role == RING_PRODUCER ? r->capacity : 0);
    atomic_store_explicit(&r->own->event, event, memory_order_relaxed);
    // Our event, then the partner's position: pairs with the fence in ring_kick().
    atomic_thread_fence(memory_order_seq_cst);

    uint32_t ready;
    return ring_ready(r, &ready) != OK || ready < wanted;
}

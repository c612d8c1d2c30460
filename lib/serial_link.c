// See serial_link.h.
#include "serial_link.h"

#include <base/str.h>

// How far `left` may lie behind when a side takes a link up: more than can be on its way.
#define LEFT_BEHIND_MAX 0x40000000u

// A ring that cannot be attached is dead and says so when it is used.
static void attach(struct ring *r, enum ring_role role, struct ring_header *header, void *data,
                   uint32_t size)
{
    r->dead = ring_attach(r, role, header, data, 1, size) != OK;
}

void serial_link_upper(struct serial_link *l, void *region)
{
    *l = (struct serial_link){.region = region};
    attach(&l->put, RING_PRODUCER, &l->region->out, l->region->out_data, SERIAL_OUT_SIZE);
    attach(&l->get, RING_CONSUMER, &l->region->in, l->region->in_data, SERIAL_IN_SIZE);
    l->left = l->put.position - LEFT_BEHIND_MAX;
}

void serial_link_lower(struct serial_link *l, void *region)
{
    *l = (struct serial_link){.region = region};
    attach(&l->put, RING_PRODUCER, &l->region->in, l->region->in_data, SERIAL_IN_SIZE);
    attach(&l->get, RING_CONSUMER, &l->region->out, l->region->out_data, SERIAL_OUT_SIZE);
}

err_t serial_link_put(struct serial_link *l, const void *bytes, uint32_t size, uint32_t *put)
{
    return ring_put(&l->put, bytes, size, put);
}

err_t serial_link_room(struct serial_link *l, uint32_t *room)
{
    return ring_ready(&l->put, room);
}

err_t serial_link_get(struct serial_link *l, void *bytes, uint32_t max, uint32_t *got)
{
    return ring_get(&l->get, bytes, max, got);
}

err_t serial_link_peek(struct serial_link *l, void *bytes, uint32_t max, uint32_t *seen)
{
    return ring_peek(&l->get, bytes, max, seen);
}

void serial_link_skip(struct serial_link *l, uint32_t count)
{
    ring_skip(&l->get, count);
}

bool serial_link_kick(struct serial_link *l)
{
    return ring_kick(&l->put);
}

bool serial_link_wait(struct serial_link *l)
{
    return ring_wait(&l->get, 1);
}

uint32_t serial_link_put_position(const struct serial_link *l)
{
    return l->put.position;
}

uint32_t serial_link_taken(const struct serial_link *l)
{
    return l->get.position;
}

void serial_link_set_left(struct serial_link *l, uint32_t position)
{
    atomic_store_explicit(&l->region->left, position, memory_order_release);
}

// Only forward, and not past what was put.
err_t serial_link_left(struct serial_link *l, uint32_t *position)
{
    uint32_t left = atomic_load_explicit(&l->region->left, memory_order_acquire);
    *position = l->left;
    if (l->put.position - left > l->put.position - l->left) {
        return ERR_INVALID;
    }
    l->left = left;
    *position = left;
    return OK;
}

err_t serial_link_all_left(struct serial_link *l, bool *all)
{
    uint32_t left;
    err_t err = serial_link_left(l, &left);
    *all = err == OK && left == l->put.position;
    return err;
}

void serial_link_set_name(struct serial_link *l, const char *name)
{
    size_t length = strnlen(name, SERIAL_NAME_MAX - 1);
    memset(l->region->name, 0, SERIAL_NAME_MAX);
    memcpy(l->region->name, name, length);
}

void serial_link_name(const struct serial_link *l, char name[SERIAL_NAME_MAX])
{
    memcpy(name, l->region->name, SERIAL_NAME_MAX);
}

// See pump.h.
#include "pump.h"

#define SETTLE_MS 1u

// The other end waits for room in a ring, or for the last byte to leave: a millisecond of patience is nothing to it, and a
// wake-up for every byte that it writes would cost more than writing. But its ring must not run full meanwhile.
#define TELL_BYTES (SERIAL_OUT_SIZE / 4)

// Bytes that a UART may still hold when its FIFO has taken all: more than any model's.
#define FIFO_MAX 128u

void pump_init(struct pump *p, const struct uart_model *model, uart_regs_t regs, void *region,
               uint64_t ticks_per_second)
{
    *p = (struct pump){
        .model = model,
        .regs = regs,
        .settle = ticks_per_second * SETTLE_MS / 1000,
    };
    serial_link_lower(&p->link, region);
    p->left = serial_link_taken(&p->link);
    p->told = p->left;
    model->start(regs);
}

// False: the device has no room, and the byte is still to be written.
static bool put(struct pump *p, uint8_t byte)
{
    static const char guarded[] = SERIAL_GUARDED;
    if (p->guarded == sizeof(guarded) - 1) {
        if (!p->model->put(p->regs, SERIAL_GUARD)) {
            return false;
        }
        p->guarded = 0;
    }
    if (!p->model->put(p->regs, byte)) {
        return false;
    }
    p->guarded = byte == guarded[p->guarded] ? p->guarded + 1 : byte == guarded[0];
    return true;
}

// Hands bytes to the device until its FIFO is full. *more: the run's share was used up first.
static err_t transmit(struct pump *p, bool *more)
{
    uint32_t sent = 0;
    bool room = true;
    while (room && sent < PUMP_TRANSMIT_BUDGET) {
        uint8_t bytes[32];
        uint32_t count;
        err_t err = serial_link_peek(&p->link, bytes, sizeof(bytes), &count);
        if (err != OK || count == 0) {
            *more = false;
            p->waits = false;
            return err;
        }
        uint32_t taken = 0;
        while (taken < count && (room = put(p, bytes[taken]))) {
            taken++;
        }
        serial_link_skip(&p->link, taken);
        sent += taken;
    }
    p->waits = !room;
    *more = room;
    return OK;
}

// Takes what the device received; the other end loses what its ring has no room for. *news: there is something for it.
static err_t receive(struct pump *p, bool *more, bool *news)
{
    uint8_t bytes[PUMP_RECEIVE_BUDGET];
    uint32_t count = 0;
    uint32_t given;
    while (count < sizeof(bytes) && p->model->get(p->regs, &bytes[count])) {
        count++;
    }
    err_t err = serial_link_put(&p->link, bytes, count, &given);
    *more = count == sizeof(bytes);
    *news = given > 0;
    return err;
}

// How much has left the wire: all of it once the device is idle, before that all but what its FIFO can hold.
static void update_left(struct pump *p, bool idle)
{
    uint32_t taken = serial_link_taken(&p->link);
    uint32_t left = idle ? taken : taken - FIFO_MAX;
    if ((int32_t)(left - p->left) > 0) {
        p->left = left;
        serial_link_set_left(&p->link, left);
    }
}

// Wishes for the other end to hear of it, now or later.
static void tell(struct pump *p, uint64_t now, struct pump_wishes *wishes)
{
    uint32_t news = p->left - p->told;
    if (news == 0) {
        return;
    }
    if (now >= p->tell_at || news >= TELL_BYTES) {
        wishes->notify = true;
        p->told = p->left;
        p->tell_at = now + p->settle;
    } else if (!p->waits && p->tell_at < wishes->deadline) { // else an interrupt comes
        wishes->deadline = p->tell_at;
    }
}

struct pump_wishes pump_run(struct pump *p, uint64_t now)
{
    struct pump_wishes wishes = {.deadline = UINT64_MAX};
    bool more_out, more_in, received;
    if (p->broken || receive(p, &more_in, &received) != OK || transmit(p, &more_out) != OK) {
        p->broken = true;
        return wishes;
    }
    bool idle = p->model->idle(p->regs);
    p->model->want_room(p->regs, p->waits);
    wishes.notify = received;
    update_left(p, idle);

    bool waiting = p->waits || serial_link_wait(&p->link);
    if (more_out || more_in || !waiting) {
        wishes.deadline = now;
    } else if (!idle && !p->waits) {
        wishes.deadline = now + p->settle;
    }
    tell(p, now, &wishes);
    return wishes;
}

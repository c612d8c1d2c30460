// See pl031.h.
#include "pl031.h"

#include <base/bits.h>

#include "../fdt_write.h"
#include "../vm.h"
#include "primecell.h"

static uint32_t count(const struct pl031 *d, uint64_t now)
{
    uint64_t ticks = now - d->state.since;
    return d->state.seconds + (uint32_t)(ticks / port_ticks_per_second(d->vm->port));
}

static void settle(struct pl031 *d)
{
    struct pl031_state *s = &d->state;
    bool line = (s->interrupt & s->mask) != 0;
    if (line != s->line) {
        s->line = line;
        vgic_set_line_locked(d->vm, d->intid, line);
    }
}

// The lock is held, so nobody else changes the alarm meanwhile.
static uint64_t alarm_of(const struct pl031 *d)
{
    return atomic_load_explicit(&d->state.alarm, memory_order_relaxed);
}

static void raise_if_due(struct pl031 *d, uint64_t now)
{
    if (now >= alarm_of(d)) {
        d->state.alarm = UINT64_MAX;
        d->state.interrupt = PL031_INT;
    }
}

// The alarm's time, after the count or the match has changed. The count wraps: a match that is behind it is 136 years
// ahead.
static void set_alarm(struct pl031 *d, uint64_t now)
{
    struct pl031_state *s = &d->state;
    uint64_t rate = port_ticks_per_second(d->vm->port);
    uint64_t passed = (now - s->since) / rate;
    uint32_t ahead = s->match - count(d, now);
    s->alarm = ahead == 0 ? now : s->since + (passed + ahead) * rate;
    raise_if_due(d, now);
    if (d->moved != NULL) {
        d->moved();
    }
}

static uint32_t read_register(const struct pl031 *d, uint64_t reg, uint64_t now)
{
    const struct pl031_state *s = &d->state;
    uint32_t id;
    if (primecell_identify(reg, PL031_PERIPHERAL_ID, &id)) {
        return id;
    }
    switch (reg) {
    case PL031_DR:
        return count(d, now);
    case PL031_MR:
        return s->match;
    case PL031_LR:
        return s->load;
    case PL031_CR:
        return PL031_CR_START;
    case PL031_IMSC:
        return s->mask;
    case PL031_RIS:
        return s->interrupt;
    case PL031_MIS:
        return s->interrupt & s->mask;
    default:
        return 0;
    }
}

static void write_register(struct pl031 *d, uint64_t reg, uint32_t value, uint64_t now)
{
    struct pl031_state *s = &d->state;
    switch (reg) {
    case PL031_MR:
        s->match = value;
        set_alarm(d, now);
        break;
    case PL031_LR:
        s->load = value;
        s->seconds = value;
        s->since = now;
        set_alarm(d, now);
        break;
    case PL031_IMSC:
        s->mask = value & PL031_INT;
        break;
    case PL031_ICR:
        s->interrupt &= ~value;
        break;
    default: // CR: it always runs
        break;
    }
}

// Asking what time it is costs as much as the rest, and most accesses do without.
static bool needs_time(const struct pl031 *d, uint64_t reg)
{
    return reg < PL031_IMSC || alarm_of(d) != UINT64_MAX;
}

enum handled pl031_access(void *device, struct bus_access *a)
{
    struct pl031 *d = device;
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    uint64_t reg = primecell_register(a);
    uint64_t now = 0;
    if (needs_time(d, reg)) {
        now = port_now(vm->port);
        raise_if_due(d, now);
    }
    if (!a->write) {
        a->value = primecell_part(a, read_register(d, reg, now));
    } else if (a->offset == reg) { // a write to a part of a register but the lowest changes nothing
        write_register(d, reg, (uint32_t)a->value, now);
    }
    settle(d);
    port_unlock(vm->port, &vm->lock);
    return HANDLED;
}

uint64_t pl031_deadline(const struct pl031 *d)
{
    return d->state.alarm;
}

void pl031_run(struct pl031 *d)
{
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    raise_if_due(d, port_now(vm->port));
    settle(d);
    port_unlock(vm->port, &vm->lock);
}

void pl031_reset(struct pl031 *d)
{
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    struct pl031_state *s = &d->state;
    s->match = 0;
    s->load = 0;
    s->interrupt = 0;
    s->mask = 0;
    s->alarm = UINT64_MAX; // hardware compares with 0 now, too: that is never
    settle(d);
    port_unlock(vm->port, &vm->lock);
}

err_t pl031_create(struct vm *vm, struct pl031 *d, uint64_t base, uint32_t intid, uint32_t seconds)
{
    *d = (struct pl031){.vm = vm, .base = base, .intid = intid};
    d->state.seconds = seconds;
    d->state.since = port_now(vm->port);
    d->state.alarm = UINT64_MAX;
    return bus_add(&vm->bus, (struct bus_range){{base, PL031_SIZE}, pl031_access, d, "pl031"});
}

void pl031_describe(const struct pl031 *d, struct fdt_writer *w)
{
    fdt_write_begin_at(w, "pl031", d->base);
    fdt_write_strings(w, "compatible", (const char *const[]){"arm,pl031", "arm,primecell"}, 2);
    fdt_write_reg(w, &(struct range){d->base, PL031_SIZE}, 1);
    fdt_write_interrupt(w, d->intid);
    fdt_write_cells(w, "clocks", &w->clock, 1);
    fdt_write_string(w, "clock-names", "apb_pclk");
    fdt_write_end(w);
}

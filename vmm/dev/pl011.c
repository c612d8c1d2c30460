// See pl011.h. A register access takes the VM's lock, except a read of the flags, which a guest polls.
#include "pl011.h"

#include <base/bits.h>

#include "../fdt_write.h"
#include "../vm.h"
#include "primecell.h"

#define BAUD_INTEGER    FIELD(15, 0)
#define BAUD_FRACTION   FIELD(5, 0)
#define CONTROL_BITS    (FIELD(15, 7) | FIELD(2, 0))
#define LEVEL_BITS      FIELD(5, 0)
#define DMA_BITS        FIELD(2, 0)
#define LOW_BYTE        FIELD(7, 0)
#define FLAGS_CONNECTED (PL011_FR_CTS | PL011_FR_DSR | PL011_FR_DCD)

// ---- FIFOs ------------------------------------------------------------------------------------------------------

static void put(struct pl011_fifo *f, uint8_t byte)
{
    f->bytes[(f->first + f->count) % PL011_FIFO_SIZE] = byte;
    f->count++;
}

static uint8_t get(struct pl011_fifo *f)
{
    uint8_t byte = f->bytes[f->first];
    f->first = (f->first + 1) % PL011_FIFO_SIZE;
    f->count--;
    return byte;
}

static bool fifos_on(const struct pl011_state *s)
{
    return (s->line_control & PL011_LCR_H_FEN) != 0;
}

// Without FIFOs there is one holding register in their place.
static unsigned depth(const struct pl011_state *s)
{
    return fifos_on(s) ? PL011_FIFO_SIZE : 1;
}

// Bytes at which a FIFO of a direction has reached the level that is chosen for it.
static unsigned level(const struct pl011_state *s, unsigned lo)
{
    static const uint8_t eighths[8] = {1, 2, 4, 6, 7, 7, 7, 7}; // the last three are reserved
    return PL011_FIFO_SIZE / 8 * eighths[s->levels >> lo & 7];
}

static unsigned receive_level(const struct pl011_state *s)
{
    return fifos_on(s) ? level(s, PL011_IFLS_RX_LO) : 1;
}

static unsigned transmit_level(const struct pl011_state *s)
{
    return fifos_on(s) ? level(s, PL011_IFLS_TX_LO) : 0;
}

// ---- What others see --------------------------------------------------------------------------------------------

static uint32_t flags_of(const struct pl011_state *s)
{
    uint64_t flags = FLAGS_CONNECTED;
    flags |= s->in.count == 0 ? PL011_FR_RXFE : 0;
    flags |= s->in.count >= depth(s) ? PL011_FR_RXFF : 0;
    flags |= s->out.count == 0 ? PL011_FR_TXFE : PL011_FR_BUSY;
    flags |= s->out.count >= depth(s) ? PL011_FR_TXFF : 0;
    return (uint32_t)flags;
}

// Makes the flags and the interrupt line fit the state. After each change.
static void settle(struct pl011 *d)
{
    struct pl011_state *s = &d->state;
    atomic_store_explicit(&s->flags, flags_of(s), memory_order_relaxed);
    bool line = (s->interrupts & s->mask) != 0;
    if (line != s->line) {
        s->line = line;
        vgic_set_line_locked(d->vm, d->intid, line);
    }
}

// ---- Output -----------------------------------------------------------------------------------------------------

// Gives the sink what waits, oldest first, in the pieces that lie together.
static void drain(struct pl011 *d)
{
    struct pl011_fifo *f = &d->state.out;
    while (f->count != 0) {
        size_t together = PL011_FIFO_SIZE - f->first;
        size_t offered = f->count < together ? f->count : together;
        size_t taken = d->sink.write(d->sink.context, f->bytes + f->first, offered);
        f->first = (uint8_t)((f->first + taken) % PL011_FIFO_SIZE);
        f->count = (uint8_t)(f->count - taken);
        if (taken < offered) {
            return;
        }
    }
}

static void receive(struct pl011_state *s, uint8_t byte)
{
    put(&s->in, byte);
    if (s->in.count >= receive_level(s)) {
        s->interrupts |= PL011_INT_RX;
    }
    if (fifos_on(s)) {
        s->interrupts |= PL011_INT_RT;
    }
}

static void loop_back(struct pl011_state *s, uint8_t byte)
{
    if ((s->control & PL011_CR_RXE) != 0 && s->in.count < depth(s)) {
        receive(s, byte);
    }
    s->interrupts |= PL011_INT_TX;
}

static void transmit(struct pl011 *d, uint8_t byte)
{
    struct pl011_state *s = &d->state;
    if ((s->control & PL011_CR_LBE) != 0) {
        loop_back(s, byte);
        return;
    }
    drain(d);
    if (s->out.count == 0 && d->sink.write(d->sink.context, &byte, 1) == 1) {
        s->interrupts |= PL011_INT_TX; // it was in the FIFO and has left it
        return;
    }
    if (s->out.count <
        depth(s)) { // else the guest didn't look at the flags: as hardware, the byte is lost
        put(&s->out, byte);
    }
    if (s->out.count > transmit_level(s)) {
        s->interrupts &= (uint32_t)~PL011_INT_TX;
    }
}

void pl011_output_ready(struct pl011 *d)
{
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    struct pl011_state *s = &d->state;
    unsigned before = s->out.count;
    drain(d);
    if (s->out.count < before && s->out.count <= transmit_level(s)) {
        s->interrupts |= PL011_INT_TX;
    }
    settle(d);
    port_unlock(vm->port, &vm->lock);
}

// ---- Input ------------------------------------------------------------------------------------------------------

size_t pl011_input(struct pl011 *d, const uint8_t *bytes, size_t size)
{
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    struct pl011_state *s = &d->state;
    size_t taken = 0;
    while (taken < size && s->in.count < depth(s)) {
        receive(s, bytes[taken++]);
    }
    s->input_waits = taken < size;
    settle(d);
    port_unlock(vm->port, &vm->lock);
    return taken;
}

static uint32_t read_data(struct pl011_state *s)
{
    if (s->in.count == 0) {
        return 0;
    }
    uint32_t byte = get(&s->in);
    if (s->in.count < receive_level(s)) {
        s->interrupts &= (uint32_t)~PL011_INT_RX;
    }
    if (s->in.count == 0) {
        s->interrupts &= (uint32_t)~PL011_INT_RT;
    }
    return byte;
}

// ---- Registers --------------------------------------------------------------------------------------------------

static uint32_t read_register(struct pl011_state *s, uint64_t reg)
{
    uint32_t id;
    if (primecell_identify(reg, PL011_PERIPHERAL_ID, &id)) {
        return id;
    }
    switch (reg) {
    case PL011_DR:
        return read_data(s);
    case PL011_FR:
        return atomic_load_explicit(&s->flags, memory_order_relaxed);
    case PL011_ILPR:
        return s->ilpr;
    case PL011_IBRD:
        return s->ibrd;
    case PL011_FBRD:
        return s->fbrd;
    case PL011_LCR_H:
        return s->line_control;
    case PL011_CR:
        return s->control;
    case PL011_IFLS:
        return s->levels;
    case PL011_IMSC:
        return s->mask;
    case PL011_RIS:
        return s->interrupts;
    case PL011_MIS:
        return s->interrupts & s->mask;
    case PL011_DMACR:
        return s->dmacr;
    default: // RSR: there are no errors; the others are write-only or nothing
        return 0;
    }
}

// Switching the FIFOs off or on empties the receiver. Output stays: it belongs to whoever reads it.
static void set_line_control(struct pl011_state *s, uint32_t value)
{
    if (((s->line_control ^ value) & PL011_LCR_H_FEN) != 0) {
        s->in.count = 0;
        s->interrupts &= (uint32_t) ~(PL011_INT_RX | PL011_INT_RT);
    }
    s->line_control = value & LOW_BYTE;
}

static void write_register(struct pl011 *d, uint64_t reg, uint32_t value)
{
    struct pl011_state *s = &d->state;
    switch (reg) {
    case PL011_DR:
        transmit(d, (uint8_t)value);
        break;
    case PL011_ILPR:
        s->ilpr = value & LOW_BYTE;
        break;
    case PL011_IBRD:
        s->ibrd = value & BAUD_INTEGER;
        break;
    case PL011_FBRD:
        s->fbrd = value & BAUD_FRACTION;
        break;
    case PL011_LCR_H:
        set_line_control(s, value);
        break;
    case PL011_CR:
        s->control = value & CONTROL_BITS;
        break;
    case PL011_IFLS:
        s->levels = value & LEVEL_BITS;
        break;
    case PL011_IMSC:
        s->mask = value & PL011_INT_ALL;
        break;
    case PL011_ICR:
        s->interrupts &= ~value;
        break;
    case PL011_DMACR:
        s->dmacr = value & DMA_BITS;
        break;
    default: // error clear, and what is read-only or nothing
        break;
    }
}

// Whether the source of input has to hear that there is room, once the lock is released.
static bool owes_room(struct pl011_state *s)
{
    bool owed = s->input_waits && s->in.count < depth(s);
    s->input_waits = s->input_waits && !owed;
    return owed;
}

static NOINLINE void access_locked(struct pl011 *d, struct bus_access *a)
{
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    uint64_t reg = primecell_register(a);
    if (!a->write) {
        a->value = primecell_part(a, read_register(&d->state, reg));
    } else if (a->offset == reg) { // a write to a part of a register but the lowest changes nothing
        write_register(d, reg, (uint32_t)a->value);
    }
    settle(d);
    bool room = owes_room(&d->state);
    port_unlock(vm->port, &vm->lock);
    if (room && d->sink.room != NULL) {
        d->sink.room(d->sink.context);
    }
}

enum handled pl011_access(void *device, struct bus_access *a)
{
    struct pl011 *d = device;
    if (a->offset == PL011_FR && !a->write) { // all its bits are in its lowest byte
        a->value = atomic_load_explicit(&d->state.flags, memory_order_relaxed);
    } else {
        access_locked(d, a);
    }
    return HANDLED;
}

// ---- Life -------------------------------------------------------------------------------------------------------

static void reset_state(struct pl011_state *s)
{
    struct pl011_fifo out = s->out;
    bool line = s->line;
    bool input_waits = s->input_waits;
    *s = (struct pl011_state){.control = PL011_CR_RESET, .levels = PL011_IFLS_RESET, .out = out};
    s->line = line;
    s->input_waits = input_waits;
}

void pl011_reset(struct pl011 *d)
{
    struct vm *vm = d->vm;
    port_lock(vm->port, &vm->lock);
    reset_state(&d->state);
    settle(d);
    bool room = owes_room(&d->state);
    port_unlock(vm->port, &vm->lock);
    if (room && d->sink.room != NULL) {
        d->sink.room(d->sink.context);
    }
}

err_t pl011_create(struct vm *vm, struct pl011 *d, uint64_t base, uint32_t intid,
                   const struct char_sink *sink)
{
    *d = (struct pl011){.vm = vm, .base = base, .intid = intid, .sink = *sink};
    reset_state(&d->state);
    settle(d);
    return bus_add(&vm->bus, (struct bus_range){{base, PL011_SIZE}, pl011_access, d, "pl011"});
}

void pl011_describe(const struct pl011 *d, struct fdt_writer *w)
{
    fdt_write_begin_at(w, "pl011", d->base);
    fdt_write_strings(w, "compatible", (const char *const[]){"arm,pl011", "arm,primecell"}, 2);
    fdt_write_reg(w, &(struct range){d->base, PL011_SIZE}, 1);
    fdt_write_interrupt(w, d->intid);
    fdt_write_cells(w, "clocks", (uint32_t[]){w->clock, w->clock}, 2);
    fdt_write_strings(w, "clock-names", (const char *const[]){"uartclk", "apb_pclk"}, 2);
    fdt_write_end(w);
}

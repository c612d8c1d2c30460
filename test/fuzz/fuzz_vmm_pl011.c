// The emulated PL011 against a guest that accesses it in any way, while its sink is full at times and input comes. The
// input is a list of steps, a byte each with its operands behind it. What must hold: the sanitizers are content, lock and
// lines are used as they have to be, no output comes that was not written, and a byte is lost only while the flags said
// that the FIFO was full.
// sources: vmm/dev/pl011.c vmm/fdt_write.c base/format.c
// flags: -Itest/unit
#include <vmm_world.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE  0x9000000u
#define INTID 33u

struct input {
    const uint8_t *at;
    size_t left;
};

static struct {
    size_t room;
    uint64_t accepted; // bytes that the guest wrote while there was room
    uint64_t came;
} sink;

static uint8_t take(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

static size_t sink_write(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    size_t taken = size < sink.room ? size : sink.room;
    sink.room -= taken;
    sink.came += taken;
    return taken;
}

static void sink_has_room(void *context)
{
    static const uint8_t more[3] = "abc";
    (void)context;
    (void)pl011_input(&world.vm.console, more, sizeof(more));
}

static void access(struct input *in, bool write)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    unsigned size = sizes[take(in) & 3];
    uint64_t offset = take(in);
    offset = offset >= 0xf0 ? offset << 4 : offset;
    uint64_t value = take(in) | (uint64_t)take(in) << 8;
    bool out = write && offset == PL011_DR && (world.vm.console.state.control & PL011_CR_LBE) == 0;
    bool full = (world_read(BASE + PL011_FR) & PL011_FR_TXFF) != 0;
    uint64_t before = sink.came;
    uint64_t waited = world.vm.console.state.out.count;
    world_access(BASE + offset, value, size, write);
    if (out) {
        uint64_t after = sink.came - before + world.vm.console.state.out.count;
        if (after != waited + 1 && !(full && after == waited)) {
            abort();
        }
        sink.accepted += after - waited;
    }
}

static void step(struct input *in)
{
    struct pl011 *d = &world.vm.console;
    uint8_t bytes[64] = {0};
    switch (take(in) % 6) {
    case 0:
        access(in, false);
        break;
    case 1:
        access(in, true);
        break;
    case 2:
        (void)pl011_input(d, bytes, take(in) % sizeof(bytes));
        break;
    case 3:
        sink.room = take(in);
        pl011_output_ready(d);
        break;
    case 4:
        sink.room = 0;
        break;
    case 5:
        pl011_reset(d);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct char_sink to = {sink_write, sink_has_room, NULL};
    struct input in = {data, size};
    struct pl011_state *s = &world.vm.console.state;
    world_reset();
    memset(&sink, 0, sizeof(sink));
    if (pl011_create(&world.vm, &world.vm.console, BASE, INTID, &to) != OK) {
        abort();
    }
    while (in.left > 0) {
        step(&in);
        bool line = (s->interrupts & s->mask) != 0;
        if (world.misused || world.locked || world.line[INTID] != line) {
            abort();
        }
    }
    sink.room = SIZE_MAX;
    pl011_output_ready(&world.vm.console);
    if (sink.came != sink.accepted) {
        abort();
    }
    return 0;
}

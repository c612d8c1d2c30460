// The UART driver's pump against an other end that writes anything into the memory they share, at any time. The input
// is a list of steps, a byte each with its operands behind it. What must hold: no access outside the region (the
// sanitizers see it), bounded runs, and every byte that left came out of the ring.
// sources: drivers/uart/pump.c lib/serial_link.c lib/ring.c
// flags: -Itest/unit
#include <stdlib.h>

#include <uart_world.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t take(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

static uint32_t take_word(struct input *in)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) {
        word = word << 8 | take(in);
    }
    return word;
}

static void say(struct input *in)
{
    uint8_t bytes[64];
    uint32_t length = take(in) % sizeof(bytes);
    uint32_t count;
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = take(in);
    }
    if (serial_link_put(&uart.upper, bytes, length, &count) != OK) {
        serial_link_upper(&uart.upper, &uart.region);
    }
}

static void type(struct input *in)
{
    uart.typed_first = 0;
    uart.typed_length = take(in) * 4u;
    memset(uart.typed, take(in), uart.typed_length);
}

static void scribble(struct input *in)
{
    uint32_t *words = (uint32_t *)(void *)&uart.region;
    size_t count = offsetof(struct serial_region, out_data) / sizeof(uint32_t);
    words[take(in) % count] = take_word(in);
}

static void run(void)
{
    uint32_t before = serial_link_taken(&uart.pump.link);
    struct pump_wishes wishes = pump_run(&uart.pump, 1);
    uint32_t taken = serial_link_taken(&uart.pump.link) - before;
    if (taken > PUMP_TRANSMIT_BUDGET || (uart.pump.broken && (wishes.notify || taken != 0))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    uart_reset();
    while (in.left > 0) {
        switch (take(&in) % 6) {
        case 0:
            run();
            break;
        case 1:
            say(&in);
            break;
        case 2:
            type(&in);
            break;
        case 3:
            scribble(&in);
            break;
        case 4:
            uart_send();
            break;
        case 5:
            uart.shifting = !uart.shifting;
            break;
        }
    }
    run();
    return 0;
}

// A console to type at: echoes what is typed and repeats each line. The line "break" makes it ruin its own ring: the
// mux cuts it off, and the other consoles go on.
#include <microkit.h>

#include <lib/serial.h>

#define SERIAL    0
#define TYPED_MAX 80u

uintptr_t serial_region;

static struct serial serial;
static char typed[TYPED_MAX]; // always ends with a zero
static size_t length;

static bool is_break(void)
{
    const char *wanted = "break";
    for (size_t i = 0; i <= 5; i++) {
        if (typed[i] != wanted[i]) {
            return false;
        }
    }
    return true;
}

static void ruin_ring(void)
{
    struct serial_region *region = (struct serial_region *)serial_region;
    atomic_store(&region->out.producer.position, 0x80000000u);
    microkit_notify(SERIAL);
}

static void obey_line(void)
{
    if (is_break()) {
        ruin_ring();
    } else {
        serial_printf(&serial, "\nyou said: %s\n> ", typed);
    }
    length = 0;
    typed[0] = '\0';
}

static void take(char c)
{
    if (c == '\r' || c == '\n') {
        obey_line();
    } else if (length < TYPED_MAX - 1) {
        typed[length++] = c;
        typed[length] = '\0';
        serial_write(&serial, &c, 1);
    }
}

void init(void)
{
    serial_init(&serial, serial_region, SERIAL);
    serial_puts(&serial, "ready\n");
}

void notified(microkit_channel ch)
{
    char bytes[32];
    size_t count;
    (void)ch;
    while ((count = serial_read(&serial, bytes, sizeof(bytes))) > 0) {
        for (size_t i = 0; i < count; i++) {
            take(bytes[i]);
        }
    }
}

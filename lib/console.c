// The debug console: see console.h. A process without the capability writes into the void.
#include "console.h"

#include <stdint.h>

#include <abi/process.h>
#include <lib/syscall.h>
#include <microkit.h>

#define CHUNK 48u // bytes that one system call carries

static uint64_t pack_word(const char *text, size_t length)
{
    uint64_t word = 0;
    for (size_t i = 0; i < length && i < 8; i++) {
        word |= (uint64_t)(unsigned char)text[i] << (8 * i);
    }
    return word;
}

void bulkhead_console_write(const char *text, size_t length)
{
    while (length > 0) {
        size_t n = length < CHUNK ? length : CHUNK;
        uint64_t words[6] = {0};
        for (size_t i = 0; i < n; i += 8) {
            words[i / 8] = pack_word(text + i, n - i);
        }
        if (sys_console_write(PROCESS_CONSOLE, n, words) != OK) {
            return;
        }
        text += n;
        length -= n;
    }
}

void microkit_dbg_putc(int c)
{
    char text = (char)c;
    bulkhead_console_write(&text, 1);
}

void microkit_dbg_puts(const char *s)
{
    size_t length = 0;
    while (s[length] != '\0') {
        length++;
    }
    bulkhead_console_write(s, length);
}

void microkit_dbg_put8(seL4_Uint8 x)
{
    microkit_dbg_put32(x);
}

void microkit_dbg_put32(seL4_Uint32 x)
{
    char text[10];
    size_t first = sizeof(text);
    do {
        text[--first] = (char)('0' + x % 10);
        x /= 10;
    } while (x != 0);
    bulkhead_console_write(text + first, sizeof(text) - first);
}

// A serial client: a process's own terminal, by way of the serial mux or of a UART driver. Non-blocking: what finds no
// room is not taken, and a notification of the channel comes when there is room, when input has come, and when all
// output has left.
//
// In the description: a region of SERIAL_REGION_SIZE that this process and the mux map, and a channel between them.
//
//   uintptr_t serial_region;                      // setvar_vaddr="serial_region"
//   static struct serial serial;
//   serial_init(&serial, serial_region, CHANNEL);
//   serial_printf(&serial, "hello\n");
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microkit.h>

#include <lib/serial_link.h>

#define SERIAL_PRINTF_MAX 256u // with the final zero

struct serial {
    struct serial_link link;
    microkit_channel channel;
    bool broken; // the other side's indices made no sense: nothing is written or read any more
};

// The process's name becomes the terminal's prefix.
void serial_init(struct serial *s, uintptr_t region, microkit_channel channel);

// Returns how many bytes were taken.
size_t serial_write(struct serial *s, const void *data, size_t size);

// All or nothing: false if the text has no room.
bool serial_puts(struct serial *s, const char *text);
bool serial_printf(struct serial *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Returns how many bytes were read; 0: nothing has been typed.
size_t serial_read(struct serial *s, void *data, size_t max);

// Has every byte written so far left the wire?
bool serial_drained(struct serial *s);

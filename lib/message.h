// The message page and info words as the system calls take them. Private to lib.
#pragma once

#include <stdint.h>

#include <microkit.h>

static inline uint64_t *message_words(void)
{
    return (uint64_t *)(void *)__sel4_ipc_buffer->msg;
}

// What is sent for an info word of the program's: without the fields for capabilities, which
// messages do not carry and whose bits mean something else to the kernel.
static inline uint64_t message_info(seL4_MessageInfo_t info)
{
    return info.words[0] & ~(uint64_t)0xf80;
}

// Does what it must not: in each life another thing. Which one, its parent says through the memory that they share.
#include <microkit.h>

#include "hierarchy.h"

uintptr_t shared_region;

static volatile uint32_t *volatile null = (volatile uint32_t *)NULL_ADDRESS;
static uint32_t code_in_data[] = {0xd65f03c0};                                               // ret
static const uint32_t undefined_in_text[] __attribute__((section(".text.undefined"))) = {0}; // udf

static void jump_to(const void *address)
{
    void (*function)(void) = (void (*)(void))(uintptr_t)address;
    function();
}

static void misbehave(enum misdeed misdeed)
{
    static volatile double number = 1.0;

    switch (misdeed) {
    case READ_NULL:
        (void)*null;
        break;
    case WRITE_TEXT:
        *(volatile uint32_t *)(uintptr_t)TEXT_ADDRESS = 0;
        break;
    case EXECUTE_DATA:
        jump_to(code_in_data);
        break;
    case UNDEFINED_INSTRUCTION:
        jump_to(undefined_in_text);
        break;
    case FLOATING_POINT:
        number = number * 2;
        break;
    case MISDEEDS:
        break;
    }
}

void init(void)
{
    volatile struct shared *shared = (volatile struct shared *)shared_region;
    shared->lives++;
    misbehave((enum misdeed)shared->order);
    shared->survived++; // not reached
}

void notified(microkit_channel ch)
{
    (void)ch;
}

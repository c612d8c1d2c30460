// The child of microkit.system. First life: a system call that does not exist, an instruction that
// does not, memory that does not. Second: runs for ever. Third: waits.
#include <microkit.h>

#define PARENT 7

static unsigned life; // kept from one life to the next

static unsigned long unknown_system_call(unsigned long argument)
{
    register unsigned long x0 __asm__("x0") = argument;
    __asm__ volatile("svc #77" : "+r"(x0));
    return x0;
}

void init(void)
{
    life++;
    switch (life) {
    case 1:
        microkit_dbg_puts("child: the answer is ");
        microkit_dbg_put32((seL4_Uint32)unknown_system_call(41));
        microkit_dbg_puts("\n");
        __asm__ volatile(".inst 0x00000000");
        microkit_dbg_puts("child: over it\n");
        *(volatile int *)(seL4_Word)(0x5000 + life) = 1;
        break;
    case 2:
        microkit_notify(PARENT);
        for (;;) {
        }
    default:
        microkit_dbg_puts("child: third life\n");
        microkit_notify(PARENT);
        break;
    }
}

void notified(microkit_channel ch)
{
    (void)ch;
}

// A guest without an operating system, for the VMM of own_vmm.c: reads the device that this VMM has, makes it crash, and
// switches off when it has been started anew.
#include <stdint.h>

#define UART    ((volatile uint32_t *)0x09000000) // PL011: its data register
#define COUNTER ((volatile uint32_t *)0x0b000000)

enum { STARTS, COUNT, CRASH }; // registers of the counter

_Noreturn void power_off(void);
void guest_main(void);

static void print(const char *text)
{
    for (; *text != '\0'; text++) {
        *UART = (unsigned char)*text;
    }
}

static void print_digit(uint32_t digit)
{
    *UART = '0' + digit % 10;
}

void guest_main(void)
{
    uint32_t starts = COUNTER[STARTS];
    print("guest: this VMM was restarted ");
    print_digit(starts);
    print(" times; its counter says");
    for (int i = 0; i < 3; i++) {
        print(" ");
        print_digit(COUNTER[COUNT]);
    }
    print("\n");
    if (starts == 0) {
        print("guest: now it crashes\n");
        COUNTER[CRASH] = 0;
    }
    print("guest: off\n");
    power_off();
}

// A 32-bit program: shows that EL0 of the guest may be AArch32. Built by clang, with instructions of its own.

enum { ARM_EXIT = 1, ARM_WRITE = 4 };

static long arm_call(long number, long a, const void *b, long c)
{
    register long r0 __asm__("r0") = a;
    register const void *r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c;
    register long r7 __asm__("r7") = number;
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
    return r0;
}

void _start(void);

void _start(void)
{
    static char text[] = "32 bits: ??\n";
    volatile int six = 6;
    int product = six * 7;
    text[9] = (char)('0' + product / 10);
    text[10] = (char)('0' + product % 10);
    arm_call(ARM_WRITE, 1, text, sizeof(text) - 1);
    for (;;) {
        arm_call(ARM_EXIT, 0, 0, 0);
    }
}

// A timer of 1 kHz, held against the clock: each second a line with how often it has expired, how many milliseconds have
// passed, and the longest time in microseconds from one wake-up to the next. Ends with code 1 if expirations are missing.
#include "linux.h"

#define MONOTONIC 1
#define PERIOD    1000000 // nanoseconds
#define REPORT    1000u   // expirations from line to line

struct timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

static uint64_t now(void)
{
    struct timespec t;
    linux_call(SYS_CLOCK_GETTIME, MONOTONIC, &t, 0);
    return (uint64_t)t.seconds * 1000000000u + (uint64_t)t.nanoseconds;
}

static long start_timer(void)
{
    static const struct timespec every[2] = {{0, PERIOD}, {0, PERIOD}}; // interval, first
    long timer = linux_call(SYS_TIMERFD_CREATE, MONOTONIC, NULL, 0);
    linux_call(SYS_TIMERFD_SETTIME, timer, NULL, (long)every);
    return timer;
}

static uint64_t await(long timer)
{
    uint64_t expirations = 0;
    linux_call(SYS_READ, timer, &expirations, sizeof(expirations));
    return expirations;
}

static void say(uint64_t expirations, uint64_t passed, uint64_t longest)
{
    print_text("ticks ", 6);
    print_number(expirations, ' ');
    print_number(passed / 1000000, ' ');
    print_number(longest / 1000, '\n');
}

_Noreturn void _start(void)
{
    long timer = start_timer();
    uint64_t begun = now(); // or a little later than it did
    uint64_t last = begun;
    uint64_t longest = 0;
    uint64_t expirations = 0;
    for (uint64_t next = REPORT;;) {
        expirations += await(timer);
        uint64_t t = now();
        longest = t - last > longest ? t - last : longest;
        // It may have been held up since it was woken.
        if ((expirations + 1) * PERIOD + (t - last) < t - begun) {
            print_text("FAIL: missing ", 14);
            say(expirations, t - begun, longest);
            linux_exit(1);
        }
        last = t;
        if (expirations >= next) {
            say(expirations, t - begun, longest);
            next = expirations + REPORT;
        }
    }
}

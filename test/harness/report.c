// Verdicts: see report.h.
#include "report.h"

#include <stdarg.h>

#include <abi/boot.h>
#include <base/format.h>
#include <lib/syscall.h>

#include "options.h"
#include "world.h"

#define LINE_MAX 256u

static unsigned failures;

static void print(const char *text, size_t length)
{
    while (length > 0) {
        uint64_t words[6] = {0};
        size_t part = length < sizeof(words) ? length : sizeof(words);
        memcpy(words, text, part);
        ignore(sys_console_write(BOOT_CONSOLE, part, words));
        text += part;
        length -= part;
    }
}

static void print_line(const char *verdict, const char *text, va_list arguments)
{
    char line[LINE_MAX];
    size_t begun = format(line, sizeof(line), "%s", verdict);
    size_t length = begun + format_v(line + begun, sizeof(line) - begun - 1, text, arguments);
    length = length < sizeof(line) - 1 ? length : sizeof(line) - 2;
    line[length] = '\n';
    print(line, length + 1);
}

void say(const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    print_line("", text, arguments);
    va_end(arguments);
}

bool report(bool holds, const char *claim, ...)
{
    va_list arguments;
    va_start(arguments, claim);
    print_line(holds ? "PASS: " : "FAIL: ", claim, arguments);
    va_end(arguments);
    failures += !holds;
    return holds;
}

bool report_err(err_t got, err_t wanted, const char *claim, ...)
{
    va_list arguments;
    va_start(arguments, claim);
    print_line(got == wanted ? "PASS: " : "FAIL: ", claim, arguments);
    va_end(arguments);
    if (got != wanted) {
        say("      error %ld instead of %ld", (long)got, (long)wanted);
        failures++;
    }
    return got == wanted;
}

static _Noreturn void off(unsigned code)
{
    for (;;) {
        ignore(sys_system_off(BOOT_POWER, code, SYSTEM_OFF));
    }
}

void must(err_t err, const char *call, const char *file, int line)
{
    if (err == OK) {
        return;
    }
    say("FAIL: %s:%d: %s gives error %ld", file, line, call, (long)err);
    off(1);
}

_Noreturn void summary(void)
{
    say("%s: %u failed", failures == 0 ? "GOOD" : "BAD", failures);
    off(failures == 0 ? 0 : 1);
}

void run_cases(const struct test_case *cases, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!option_allows("only", cases[i].name)) {
            continue;
        }
        say("-- %s", cases[i].name);
        case_begin();
        cases[i].run();
        if (!case_end()) {
            report(false, "%s: all of its memory comes back", cases[i].name);
        }
    }
}

// See filter.h. No proper beginning of the mark is also its end, so a byte that doesn't go on with a match either starts
// a new one or is the guest's.
#include "filter.h"

#include <string.h>

#include <abi/serial.h>

static const char mark[] = "bulkhead: ";
static const char panic[] = "bulkhead: panic: ";

#define MARK_LENGTH    (sizeof(mark) - 1)
#define GUARDED_LENGTH (sizeof(SERIAL_GUARDED) - 1)

static const char banner[] = "Bulkhead ";
static const char *const boot_marks[] = {banner, "init: ", mark};

static bool begins(const char *line, const char *beginning)
{
    return strncmp(line, beginning, strlen(beginning)) == 0;
}

static void begin_line(struct filter *f)
{
    f->ours = true;
    f->matched = f->held = 0;
    memcpy(f->line, mark, MARK_LENGTH);
    f->length = MARK_LENGTH;
}

static void end_line(struct filter *f)
{
    while (f->length > 0 && f->line[f->length - 1] == '\r') {
        f->length--;
    }
    f->line[f->length] = '\0';
    if (!begins(f->line, banner)) {
        f->said(f->context, f->line);
    }
    f->panic = f->panic || begins(f->line, panic);
    f->ours = f->panic;
    f->length = 0;
}

static bool ends_guarded(const struct filter *f)
{
    return f->length >= GUARDED_LENGTH &&
           memcmp(f->line + f->length - GUARDED_LENGTH, SERIAL_GUARDED, GUARDED_LENGTH) == 0;
}

// It was the guest who wrote the mark.
static char *disown_line(struct filter *f, char *theirs)
{
    size_t length = f->length;
    memcpy(theirs, f->line, length);
    f->ours = false;
    f->guest = true;
    f->length = 0;
    return theirs + length;
}

// Returns the end of the guest's output.
static char *feed_ours(struct filter *f, char c, char *theirs)
{
    if (c == SERIAL_GUARD && ends_guarded(f)) {
        return f->length == GUARDED_LENGTH && !f->panic ? disown_line(f, theirs) : theirs;
    }
    if (c == '\n') {
        end_line(f);
    } else if (f->length < sizeof(f->line) - 1) {
        f->line[f->length++] = c == '\0' ? '?' : c;
    }
    return theirs;
}

// Returns the end of the guest's output.
static char *feed_theirs(struct filter *f, char c, char *theirs)
{
    if (c == mark[f->matched]) {
        f->matched++;
        f->held++;
        if (f->matched == MARK_LENGTH) {
            begin_line(f);
        }
        return theirs;
    }
    theirs += filter_flush(f, theirs);
    f->matched = 0;
    if (c == mark[0]) {
        f->matched = f->held = 1;
    } else {
        *theirs++ = c;
    }
    return theirs;
}

// Is what there is of the line a mark of the time before the guest, or can it become one?
static void look_at_beginning(struct filter *f)
{
    bool possible = false;
    f->line[f->length] = '\0';
    for (size_t i = 0; i < sizeof(boot_marks) / sizeof(boot_marks[0]); i++) {
        f->ours = f->ours || begins(f->line, boot_marks[i]);
        possible = possible || begins(boot_marks[i], f->line);
    }
    f->guest = !f->ours && !possible;
}

// It was no mark, so the guest has the console, and has had it since the line began.
static char *begin_guest(struct filter *f, char *theirs)
{
    char line[FILTER_HELD_MAX];
    size_t length = f->length;
    memcpy(line, f->line, length);
    f->guest = true;
    f->length = 0;
    return theirs + filter_feed(f, line, length, theirs);
}

static char *feed_boot(struct filter *f, char c, char *theirs)
{
    f->line[f->length++] = c;
    look_at_beginning(f);
    return f->guest ? begin_guest(f, theirs) : theirs;
}

size_t filter_feed(struct filter *f, const char *bytes, size_t size, char *theirs)
{
    char *end = theirs;
    for (size_t i = 0; i < size; i++) {
        if (f->ours) {
            end = feed_ours(f, bytes[i], end);
        } else if (!f->guest) {
            end = feed_boot(f, bytes[i], end);
        } else {
            end = feed_theirs(f, bytes[i], end);
        }
    }
    return (size_t)(end - theirs);
}

size_t filter_flush(struct filter *f, char *theirs)
{
    size_t count = f->held;
    memcpy(theirs, mark + f->matched - count, count);
    f->held = 0;
    return count;
}

size_t filter_end(struct filter *f, char *theirs)
{
    if (f->ours) {
        if (f->length > 0) {
            end_line(f);
        }
        return 0;
    }
    char *end = f->guest ? theirs : begin_guest(f, theirs);
    return (size_t)(end - theirs) + filter_flush(f, end);
}

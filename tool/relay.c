// See relay.h. One loop over poll: our input to the program's, its output to ours.
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"

#define CHUNK    4096u
#define PAUSE_NS 20000000 // so long may the guest's output be held back

struct relay {
    const struct relay_options *options;
    pid_t pid;
    int to;            // the program's input, -1: closed
    int from;          // its output
    int complaints;    // its errors, in memory: shown only if it did not do what it was started for
    bool input_open;   // ours
    char pending[512]; // read from our input, not yet written to the program's
    size_t pending_size;
    int leave_keys; // in a row
    bool escaped;   // the last key was one, and is held back
    struct filter filter;
    bool timed;
    struct timespec deadline;
    sigset_t open;        // signals that come while we wait
    struct termios saved; // our terminal as it was
    bool raw;
    struct relay_result result;
};

// What a signal handler can reach: whether one came.
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

// Signals come only while we wait, so that none slips in between a look at `interrupted` and the wait.
static void catch_signals(sigset_t *open)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}; // no SA_RESTART: the wait returns
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        sigaction(numbers[i], &action, NULL);
        sigaddset(&blocked, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, open);
    signal(SIGPIPE, SIG_IGN);
}

// Every key goes to the system; output keeps its line ends.
static void make_raw(struct relay *r)
{
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        tcgetattr(STDIN_FILENO, &r->saved) != 0) {
        return;
    }
    struct termios raw = r->saved;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    r->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void restore(struct relay *r)
{
    if (r->raw) {
        tcsetattr(STDIN_FILENO, TCSANOW, &r->saved);
        r->raw = false;
    }
}

// In the child: input and output are our pipes; it dies with us.
static _Noreturn void become(char *const argv[], int in, int out, int complaints)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0); // the terminal's signals are for us
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(complaints, STDERR_FILENO) < 0) {
        _exit(126);
    }
    execvp(argv[0], argv);
    fprintf(stderr, "bulkhead: %s cannot be started (%s)\n", argv[0], strerror(errno));
    _exit(126);
}

static bool start(struct relay *r, char *const argv[])
{
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0) {
        return false;
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    r->complaints = memfd_create("complaints", MFD_CLOEXEC);
    r->pid = fork();
    if (r->pid == 0) {
        become(argv, in[0], out[1], r->complaints);
    }
    close(in[0]);
    close(out[1]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    r->to = in[1];
    r->from = out[0];
    return r->pid > 0;
}

// Zero once the time is up.
static struct timespec time_left(const struct relay *r)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = (int64_t)(r->deadline.tv_sec - now.tv_sec) * 1000000000 +
                   (r->deadline.tv_nsec - now.tv_nsec);
    left = left < 0 ? 0 : left;
    return (struct timespec){left / 1000000000, left % 1000000000};
}

// Our input has ended, or the program takes no more: it sees the end once it has read what is pending.
static void end_input(struct relay *r)
{
    r->input_open = false;
    if (r->pending_size == 0) {
        close(r->to);
        r->to = -1;
    }
}

// Handles a key after the leave key, or the leave key. False: the user leaves.
static bool take_command(struct relay *r, char key)
{
    if (!r->escaped) {
        r->escaped = true;
        return true;
    }
    r->escaped = false;
    if (key != RELAY_LEAVE_KEY) {
        r->pending[r->pending_size++] = RELAY_LEAVE_KEY;
    }
    r->pending[r->pending_size++] = key;
    return key != 'q';
}

// False: the user leaves.
static bool take_key(struct relay *r, char key)
{
    r->leave_keys = key == RELAY_LEAVE_KEY ? r->leave_keys + 1 : 0;
    if (r->leave_keys == RELAY_LEAVE_COUNT) {
        return false;
    }
    if (r->options->keys && (r->escaped || key == RELAY_LEAVE_KEY)) {
        return take_command(r, key);
    }
    r->pending[r->pending_size++] = key;
    return true;
}

// False: the user leaves.
static bool read_keys(struct relay *r)
{
    char keys[sizeof(r->pending) / 2]; // each may go on as two
    ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));
    if (got <= 0) {
        end_input(r);
        return true;
    }
    if (!r->raw) {
        memcpy(r->pending, keys, (size_t)got);
        r->pending_size = (size_t)got;
        return true;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (!take_key(r, keys[i])) {
            return false;
        }
    }
    return true;
}

static void write_keys(struct relay *r)
{
    ssize_t put = write(r->to, r->pending, r->pending_size);
    if (put < 0 && errno != EAGAIN) {
        r->pending_size = 0;
        end_input(r);
    } else if (put > 0) {
        r->pending_size -= (size_t)put;
        memmove(r->pending, r->pending + put, r->pending_size);
        if (!r->input_open) {
            end_input(r);
        }
    }
}

static bool print(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t put = write(STDOUT_FILENO, bytes, size);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        bytes += put > 0 ? put : 0;
        size -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

static void say(void *context, const char *line)
{
    struct relay *r = context;
    if (!verdict_is(line)) {
        fprintf(stderr, "%s\n", line);
        r->result.said = true;
    }
}

// Shows what the program printed; nothing at all if only what was held back is due.
static bool show(struct relay *r, const char *bytes, size_t size)
{
    char theirs[CHUNK + FILTER_HELD_MAX];
    if (!r->options->guest) {
        return print(bytes, size);
    }
    size_t count =
        size == 0 ? filter_flush(&r->filter, theirs) : filter_feed(&r->filter, bytes, size, theirs);
    return print(theirs, count);
}

static void show_rest(struct relay *r)
{
    char theirs[2 * FILTER_HELD_MAX];
    if (r->options->guest) {
        print(theirs, filter_end(&r->filter, theirs));
    }
}

// Handles what poll found. False: it is over, and result.end says why.
static bool step(struct relay *r, const struct pollfd *from, const struct pollfd *input,
                 const struct pollfd *to)
{
    char bytes[CHUNK];
    if (from->revents != 0) {
        ssize_t got = read(r->from, bytes, sizeof(bytes));
        if (got <= 0) {
            r->result.end = RELAY_EXITED;
            return false;
        }
        verdict_feed(&r->result.verdict, bytes, (size_t)got);
        if (!show(r, bytes, (size_t)got)) {
            return false;
        }
    }
    if (to->revents != 0 && r->to >= 0) {
        write_keys(r);
    }
    return input->revents == 0 || read_keys(r);
}

static void loop(struct relay *r)
{
    r->result.end = RELAY_INTERRUPTED;
    while (!interrupted) {
        bool wants_keys = r->input_open && r->pending_size == 0;
        struct pollfd fds[3] = {
            {.fd = r->from, .events = POLLIN},
            {.fd = wants_keys ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = r->pending_size > 0 ? r->to : -1, .events = POLLOUT},
        };
        struct timespec left = time_left(r);
        bool pauses = r->filter.held > 0 && (!r->timed || left.tv_sec > 0);
        if (pauses) {
            left = (struct timespec){.tv_nsec = PAUSE_NS};
        }
        int ready = ppoll(fds, 3, r->timed || pauses ? &left : NULL, &r->open);
        if (ready == 0 && pauses) {
            show(r, "", 0);
        } else if (ready == 0) {
            r->result.end = RELAY_TIMEOUT;
            return;
        }
        if (ready > 0 && !step(r, &fds[0], &fds[1], &fds[2])) {
            return;
        }
    }
}

static void show_complaints(int complaints)
{
    char bytes[4096];
    lseek(complaints, 0, SEEK_SET);
    ssize_t got = read(complaints, bytes, sizeof(bytes));
    if (got > 0) {
        fwrite(bytes, 1, (size_t)got, stderr);
    }
}

struct relay_result relay_run(char *const argv[], const struct relay_options *options)
{
    struct relay r = {.options = options, .input_open = true, .timed = options->seconds > 0};
    r.filter = (struct filter){.said = say, .context = &r};
    clock_gettime(CLOCK_MONOTONIC, &r.deadline);
    r.deadline.tv_sec += (time_t)options->seconds;
    fflush(stdout);
    if (!start(&r, argv)) {
        return (struct relay_result){.end = RELAY_FAILED};
    }
    catch_signals(&r.open);
    make_raw(&r);
    loop(&r);
    if (r.result.end != RELAY_EXITED) {
        kill(r.pid, SIGKILL);
    }
    while (waitpid(r.pid, &r.result.status, 0) < 0 && errno == EINTR) {
    }
    restore(&r);
    show_rest(&r);
    verdict_end(&r.result.verdict);
    if (!r.result.verdict.found) {
        show_complaints(r.complaints);
    }
    close(r.complaints);
    return r.result;
}

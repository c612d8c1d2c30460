// `bulkhead run`: see command.h. Builds the image, starts QEMU with it, and ends with the exit code that the kernel
// announces in its last line.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/bits.h>

#include "build.h"
#include "command.h"
#include "guest.h"
#include "home.h"
#include "qemu.h"
#include "relay.h"
#include "show.h"

#define OVERHEAD    0x8000000u // bytes of memory beside a guest's and the image's
#define MEMORY_STEP 0x4000000u

#define EXIT_TIMEOUT     124
#define EXIT_INTERRUPTED 130

// Where images go that nobody asked to keep.
static const char *run_folder(struct session *s, const struct home *home)
{
    struct arena *a = &s->arena;
    const char *temporary = getenv("TMPDIR");
    const char *folder = home->installed ? arena_format(a, "%s/bulkhead.%u",
                                                        temporary ? temporary : "/tmp", getuid())
                                         : arena_format(a, "%s/run", home->folder);
    mkdir(folder, 0755); // if this fails, writing there says why
    return folder;
}

// FNV-1a.
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    }
    return hash;
}

// A number that tells systems of one name apart: files by where they are, what is made around a guest by what it says.
static uint32_t place_of(struct session *s, const char *source)
{
    if (s->options.guest != NULL) {
        return hash_of(guest_describe(&s->arena, &s->options));
    }
    char *whole = realpath(source, NULL);
    uint32_t hash = hash_of(whole != NULL ? whole : source);
    free(whole);
    return hash;
}

static bool nothing_named(const struct options *o)
{
    return o->file == NULL && o->guest == NULL && o->image == NULL && o->init == NULL;
}

// Null: it could not be built, which has been said. *size: of the image, if it was.
static const char *make_image(struct session *s, const struct home *home, size_t *size)
{
    struct options *o = &s->options;
    if (o->image != NULL) {
        return o->image;
    }
    if (nothing_named(o)) {
        o->file = home_default_system(&s->arena, home);
    }
    const char *source = o->guest != NULL ? o->guest : o->file != NULL ? o->file : o->init;
    const char *path = arena_format(&s->arena, "%s/%s-%08x.img", run_folder(s, home),
                                    file_stem(&s->arena, source), place_of(s, source));
    struct image_parts parts;
    if (!build_image(s, &parts) || build_write(s, &parts, path) != 0) {
        return NULL;
    }
    *size = parts.whole.size;
    return path;
}

// The machine for a guest: with --kernel, --cpus and --memory are the guest's, and the machine has what that takes.
static struct options machine_for(struct session *s, size_t image_size)
{
    struct options machine = s->options;
    const struct vm *vm = table_first(model_table(&s->model, KIND_VM));
    if (machine.guest == NULL) {
        return machine;
    }
    bool virt = machine.board == NULL || strcmp(machine.board, "zcu102") != 0;
    uint64_t memory = vm->ram.region->size + image_size + OVERHEAD;
    machine.memory =
        arena_format(&s->arena, "%lluM", (unsigned long long)(align_up(memory, MEMORY_STEP) >> 20));
    machine.cpus = !virt ? 0 : machine.cpus == 0 ? 1 : machine.cpus;
    return machine;
}

static int exit_code(const struct options *o, const struct relay_result *r)
{
    switch (r->end) {
    case RELAY_TIMEOUT:
        fputs("bulkhead: the time is up, QEMU was ended\n", stderr);
        return EXIT_TIMEOUT;
    case RELAY_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case RELAY_FAILED:
        fputs("bulkhead: QEMU could not be started\n", stderr);
        return 1;
    case RELAY_EXITED:
        break;
    }
    if (!r->verdict.found) {
        bool exited = WIFEXITED(r->status);
        fprintf(
            stderr, "bulkhead: QEMU ended (%s %d) and the system had not said \"off, code N\"\n",
            exited ? "exit code" : "signal", exited ? WEXITSTATUS(r->status) : WTERMSIG(r->status));
        return 1;
    }
    if (o->guest != NULL && r->verdict.code != 0 && !r->said) {
        fprintf(stderr, "bulkhead: the guest crashed, and the system ended with code %d\n",
                r->verdict.code);
    }
    return r->verdict.code;
}

static const char *refuse(struct arena *a, const struct options *o, const struct home *home)
{
    if (o->guest != NULL && (o->file != NULL || o->image != NULL)) {
        return "--kernel runs a guest of its own, leave out FILE.system and --image";
    }
    if (o->guest == NULL && (o->initrd != NULL || o->dtb != NULL || o->append != NULL)) {
        return "--initrd, --dtb and --append are for a guest, name its --kernel";
    }
    if (o->guest != NULL && o->cpus > VCPU_MAX) {
        return "a guest has at most 8 vcpus, give --cpus 8 or less";
    }
    if (o->image != NULL && (o->file != NULL || o->init != NULL)) {
        return "--image is run as it is, leave out FILE.system and --init";
    }
    if (nothing_named(o) && !home_has_guests(a, home)) {
        return "the guests of systems/two-guests are missing, run: make two-guests";
    }
    return NULL;
}

static void show(struct session *s, const struct command_line *line)
{
    printf("%s\n", qemu_show(&s->arena, line));
    if (model_table(&s->model, KIND_GUEST)->count > 0) {
        fputs(show_xml(&s->arena, s->root), stdout);
    }
}

// Beside other clients of the serial mux, the keys that one would try first go to a guest.
static void tell_keys(const struct session *s)
{
    if (s->model.links > 1 && isatty(STDIN_FILENO)) {
        fputs("bulkhead: Ctrl-] 1 to 9 chooses whom you type at, Ctrl-] ? lists them, "
              "Ctrl-] q ends the system\n",
              stderr);
    }
}

int command_run(struct session *s)
{
    struct arena *a = &s->arena;
    struct home home = home_find(a);
    struct command_line line;
    const char *wrong = refuse(a, &s->options, &home);
    size_t size = 0;
    const char *image = wrong != NULL ? NULL : make_image(s, &home, &size);
    if (wrong == NULL && image == NULL) {
        return 1;
    }
    if (wrong == NULL) {
        struct options machine = machine_for(s, size);
        wrong = qemu_line(a, &machine, image, home_zcu102_tree(a, &home), &line);
    }
    if (wrong != NULL) {
        fprintf(stderr, "bulkhead: %s\n", wrong);
        return 2;
    }
    if (s->options.show) {
        show(s, &line);
    }
    tell_keys(s);
    struct relay_options options = {.seconds = s->options.timeout,
                                    .guest = s->options.guest != NULL,
                                    .keys = s->model.links == 1};
    struct relay_result result = relay_run(line.words, &options);
    return exit_code(&s->options, &result);
}

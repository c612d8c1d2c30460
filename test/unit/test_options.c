// The command line, and the QEMU command line that comes of it.
// sources: tool/options.c tool/qemu.c tool/value.c tool/files.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/options.h"
#include "tool/qemu.h"

#define WORDS_MAX 32

struct parsed {
    struct arena arena;
    struct options options;
    const char *wrong;
};

// Parses "bulkhead LINE"; the caller frees the arena.
static struct parsed parse(const char *line)
{
    struct parsed p = {0};
    char name[] = "bulkhead";
    char *argv[WORDS_MAX + 1] = {name};
    int argc = 1;
    char *rest = arena_copy(&p.arena, line, strlen(line));
    for (char *word = strtok(rest, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = word;
    }
    p.wrong = options_parse(&p.arena, argc, argv, &p.options);
    return p;
}

static void everything_of_build(void **state)
{
    (void)state;
    struct parsed p =
        parse("build --search-path a b -o out x.system -r rep --cores 0x4 --kernel k --init i "
              "--board");
    assert_string_equal(p.wrong, "--board needs a value, see bulkhead help build");
    arena_free(&p.arena);

    p = parse("build --search-path a b -o out x.system -r rep --cores 0x4 --init i");
    assert_null(p.wrong);
    assert_int_equal(p.options.command, COMMAND_BUILD);
    assert_string_equal(p.options.file, "x.system");
    assert_string_equal(p.options.output, "out");
    assert_string_equal(p.options.report, "rep");
    assert_string_equal(p.options.init, "i");
    assert_int_equal(p.options.cores, 4);
    assert_int_equal(p.options.search.count, 2);
    assert_string_equal(p.options.search.folders[1], "b");
    arena_free(&p.arena);
}

static void lists_go_on(void **state)
{
    (void)state;
    struct parsed p = parse("build x.system --search-path a --search-path --search-path b c");
    assert_null(p.wrong);
    assert_int_equal(p.options.search.count, 3);
    assert_string_equal(p.options.search.folders[0], "a");
    assert_string_equal(p.options.search.folders[2], "c");
    arena_free(&p.arena);
}

static void no_command_asks_for_help(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "-h", "--help", "help"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct parsed p = parse(lines[i]);
        assert_null(p.wrong);
        assert_int_equal(p.options.command, COMMAND_HELP);
        arena_free(&p.arena);
    }
}

static void an_option_belongs_to_its_commands(void **state)
{
    (void)state;
    struct parsed p = parse("check x --gic 2");
    assert_string_equal(p.wrong, "'check' has no option --gic, see bulkhead help check");
    arena_free(&p.arena);
    p = parse("run x --gic 2");
    assert_null(p.wrong);
    arena_free(&p.arena);
}

static void a_guest(void **state)
{
    (void)state;
    struct parsed p = parse("run --kernel k --initrd i --append a=1 --dtb d --cpus 2 --memory 64M "
                            "--trace exits");
    assert_null(p.wrong);
    assert_string_equal(p.options.guest, "k");
    assert_null(p.options.kernel);
    assert_string_equal(p.options.initrd, "i");
    assert_string_equal(p.options.append, "a=1");
    assert_string_equal(p.options.dtb, "d");
    assert_string_equal(p.options.memory, "64M");
    assert_string_equal(p.options.trace, "exits");
    arena_free(&p.arena);
    p = parse("build x --kernel k");
    assert_null(p.wrong);
    assert_string_equal(p.options.kernel, "k");
    assert_null(p.options.guest);
    arena_free(&p.arena);
    p = parse("run --kernel k --trace all");
    assert_string_equal(p.wrong, "--trace takes one of: exits, not 'all'");
    arena_free(&p.arena);
}

// QEMU.

static const char *shown(struct parsed *p, const char *image)
{
    struct command_line line;
    const char *wrong = qemu_line(&p->arena, &p->options, image, "/dev/null", &line);
    assert_null(line.words[line.count]);
    return wrong != NULL ? wrong : qemu_show(&p->arena, &line);
}

static void virt_by_default(void **state)
{
    (void)state;
    struct parsed p = parse("run");
    assert_string_equal(
        shown(&p, "a.img"),
        "qemu-system-aarch64 -M virt,virtualization=on,gic-version=3,dtb-randomness=off -cpu "
        "cortex-a53 "
        "-m 1G -smp 4 -nographic -chardev stdio,id=console,signal=off -serial chardev:console "
        "-monitor none -nic none -kernel a.img");
    arena_free(&p.arena);
}

static void zcu102(void **state)
{
    (void)state;
    struct parsed p = parse("run --board zcu102 --gic 2 --memory 1G --cpus 2 --icount");
    assert_string_equal(
        shown(&p, "my image"),
        "qemu-system-aarch64 -M xlnx-zcu102,virtualization=on -m 1G -dtb /dev/null -smp 2 "
        "-icount shift=0,sleep=off -nographic -chardev stdio,id=console,signal=off "
        "-serial chardev:console -monitor none -nic none -kernel 'my image'");
    arena_free(&p.arena);
}

static void zcu102_has_less_memory(void **state)
{
    (void)state;
    struct parsed p = parse("run --board zcu102 --memory 4G");
    assert_string_equal(shown(&p, "a.img"),
                        "the board zcu102 has at most 2G in QEMU, give --memory 2G or less");
    arena_free(&p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_of_build),
        cmocka_unit_test(lists_go_on),
        cmocka_unit_test(no_command_asks_for_help),
        cmocka_unit_test(an_option_belongs_to_its_commands),
        cmocka_unit_test(a_guest),
        cmocka_unit_test(virt_by_default),
        cmocka_unit_test(zcu102),
        cmocka_unit_test(zcu102_has_less_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

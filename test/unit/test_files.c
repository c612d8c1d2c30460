// Names of files, finding, reading and writing them.
// sources: tool/files.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tool/files.h"

struct fixture {
    struct arena arena;
    char folder[32];
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.folder = "/tmp/test_files.XXXXXX"};
    *state = &f;
    return mkdtemp(f.folder) == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const made[] = {"one/x", "two/x", "two/y", "one", "two", "file"};
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        remove(arena_format(&f->arena, "%s/%s", f->folder, made[i]));
    }
    int left = rmdir(f->folder);
    arena_free(&f->arena);
    return left;
}

static const char *in(struct fixture *f, const char *name)
{
    return arena_format(&f->arena, "%s/%s", f->folder, name);
}

static void names(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    assert_string_equal(file_folder(a, "a/b/c.system"), "a/b");
    assert_string_equal(file_folder(a, "c.system"), ".");
    assert_string_equal(file_folder(a, "/c.system"), "/");
    assert_string_equal(file_stem(a, "a.b/c.d.system"), "c.d");
    assert_string_equal(file_stem(a, "a.b/c"), "c");
    assert_string_equal(file_stem(a, "a/.hidden"), ".hidden");
    assert_string_equal(file_with_suffix(a, "a.b/c.img", ".svg"), "a.b/c.svg");
    assert_string_equal(file_with_suffix(a, "a.b/c", ".svg"), "a.b/c.svg");
}

static void written_is_read(void **state)
{
    struct fixture *f = *state;
    enum { SIZE = 200000 };
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    assert_null(file_write(&f->arena, in(f, "file"), bytes, SIZE));
    struct file file = file_read(&f->arena, in(f, "file"), SIZE);
    assert_int_equal(file.size, SIZE);
    assert_memory_equal(file.bytes, bytes, SIZE);
    assert_null(file_write(&f->arena, in(f, "file"), "", 0));
    assert_int_equal(file_read(&f->arena, in(f, "file"), 10).size, 0);
    assert_non_null(file_read(&f->arena, in(f, "file"), 10).bytes);
}

static void what_cannot_be_read(void **state)
{
    struct fixture *f = *state;
    assert_null(file_write(&f->arena, in(f, "file"), "1234", 4));
    assert_null(file_read(&f->arena, in(f, "file"), 3).bytes);
    assert_string_equal(file_read(&f->arena, in(f, "file"), 3).why, "it is too large");
    assert_string_equal(file_read(&f->arena, in(f, "none"), 3).why, "No such file or directory");
    assert_string_equal(file_read(&f->arena, f->folder, 3).why, "Is a directory");
    assert_string_equal(file_read(&f->arena, "/dev/zero", 100000).why, "it is too large");
}

static void what_cannot_be_written(void **state)
{
    struct fixture *f = *state;
    assert_non_null(file_write(&f->arena, in(f, "none/file"), "x", 1));
    assert_non_null(file_write(&f->arena, f->folder, "x", 1));
    assert_non_null(file_write(&f->arena, "/dev/full", "x", 1));
}

static void first_folder_wins(void **state)
{
    struct fixture *f = *state;
    mkdir(in(f, "one"), 0700);
    mkdir(in(f, "two"), 0700);
    const char *folders[] = {in(f, "none"), in(f, "one"), in(f, "two")};
    struct search s = {folders, 3};
    assert_null(search_find(&f->arena, &s, "x"));
    assert_null(file_write(&f->arena, in(f, "two/x"), "", 0));
    assert_string_equal(search_find(&f->arena, &s, "x"), in(f, "two/x"));
    assert_null(file_write(&f->arena, in(f, "one/x"), "", 0));
    assert_null(file_write(&f->arena, in(f, "two/y"), "", 0));
    assert_string_equal(search_find(&f->arena, &s, "x"), in(f, "one/x"));
    assert_string_equal(search_find(&f->arena, &s, "y"), in(f, "two/y"));
    assert_string_equal(search_find(&f->arena, &s, in(f, "two/x")), in(f, "two/x"));
    assert_null(search_find(&f->arena, &s, in(f, "none/x")));
    assert_null(search_find(&f->arena, &s, "../one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_folder_wins, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

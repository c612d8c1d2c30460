// Memory and string functions, under names of their own beside the C library's.
// sources: base/str.c base/search.c
// flags: -fno-builtin -Dmemcpy=base_memcpy -Dmemmove=base_memmove -Dmemset=base_memset
// flags: -Dmemcmp=base_memcmp -Dmemchr=base_memchr -Dstrlen=base_strlen -Dstrnlen=base_strnlen
// flags: -Dstrcmp=base_strcmp -Dstrncmp=base_strncmp -Dstrchr=base_strchr -Dstrrchr=base_strrchr
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <base/str.h>

#define SIZE 320u // longer than two of the blocks that are copied at once, and odd ends

static void fill(unsigned char *bytes)
{
    for (unsigned i = 0; i < SIZE; i++) {
        bytes[i] = (unsigned char)(i + 1);
    }
}

// The source lies in memory of its own that ends where it does: a byte read beyond it is found.
static void copies_at(unsigned a, unsigned b, unsigned n)
{
    _Alignas(8) unsigned char to[SIZE] = {0};
    unsigned char *from = malloc(a + n);
    assert_non_null(from);
    for (unsigned i = 0; i < n; i++) {
        from[a + i] = (unsigned char)(i + 1);
    }
    assert_ptr_equal(memcpy(to + b, from + a, n), to + b);
    for (unsigned i = 0; i < SIZE; i++) {
        unsigned char expected = i >= b && i < b + n ? (unsigned char)(i - b + 1) : 0;
        assert_true(to[i] == expected);
    }
    free(from);
}

// Every alignment of both sides, every length: what was asked for, and not a byte more.
static void copies_of_every_alignment(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned b = 0; b < 8; b++) {
            for (unsigned n = 0; n < SIZE - 8; n++) {
                copies_at(a, b, n);
            }
        }
    }
}

static void moves_of(unsigned n)
{
    for (unsigned a = 0; a < 20; a++) {
        for (unsigned b = 0; b < 20; b++) {
            _Alignas(8) unsigned char bytes[SIZE];
            fill(bytes);
            assert_ptr_equal(memmove(bytes + b, bytes + a, n), bytes + b);
            for (unsigned i = 0; i < SIZE; i++) {
                unsigned expected = i >= b && i < b + n ? i - b + a + 1 : i + 1;
                assert_int_equal(bytes[i], (unsigned char)expected);
            }
        }
    }
}

static void moves_that_overlap(void **state)
{
    (void)state;
    moves_of(25);
    moves_of(28);
    moves_of(64);
    moves_of(140);
    moves_of(290);
}

static void sets_of_every_alignment(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned n = 0; n < SIZE - 8; n++) {
            _Alignas(8) unsigned char bytes[SIZE];
            fill(bytes);
            assert_ptr_equal(memset(bytes + a, 0x1ee, n), bytes + a);
            for (unsigned i = 0; i < SIZE; i++) {
                unsigned expected = i >= a && i < a + n ? 0xee : i + 1;
                assert_int_equal(bytes[i], (unsigned char)expected);
            }
        }
    }
}

static void memory_compares_unsigned(void **state)
{
    (void)state;
    assert_int_equal(memcmp("abc", "abd", 2), 0);
    assert_true(memcmp("abc", "abd", 3) < 0);
    assert_true(memcmp("\xff", "a", 1) > 0);
    assert_int_equal(memcmp("a", "b", 0), 0);
    assert_true(memcmp("a\0b", "a\0c", 3) < 0);
}

static void strings_compare(void **state)
{
    (void)state;
    assert_int_equal(strcmp("", ""), 0);
    assert_int_equal(strcmp("abc", "abc"), 0);
    assert_true(strcmp("ab", "abc") < 0);
    assert_true(strcmp("abc", "ab") > 0);
    assert_true(strcmp("\xff", "a") > 0);
    assert_int_equal(strncmp("abc", "abd", 2), 0);
    assert_true(strncmp("abc", "abd", 3) < 0);
    assert_int_equal(strncmp("ab", "ab", 99), 0);
    assert_int_equal(strncmp("a", "b", 0), 0);
}

static void lengths(void **state)
{
    (void)state;
    assert_int_equal(strlen(""), 0);
    assert_int_equal(strlen("four"), 4);
    assert_int_equal(strnlen("four", 3), 3);
    assert_int_equal(strnlen("four", 9), 4);
    assert_int_equal(strnlen(NULL, 0), 0);
}

static void searches(void **state)
{
    (void)state;
    static const char text[] = "a/b/c";
    assert_ptr_equal(strchr(text, '/'), text + 1);
    assert_ptr_equal(strrchr(text, '/'), text + 3);
    assert_ptr_equal(strchr(text, '\0'), text + 5);
    assert_ptr_equal(strrchr(text, '\0'), text + 5);
    assert_null(strchr(text, 'x'));
    assert_null(strrchr(text, 'x'));
    assert_ptr_equal(memchr(text, 'c', 5), text + 4);
    assert_null(memchr(text, 'c', 4));
    assert_ptr_equal(memchr("\xff", 0x1ff, 1) != NULL ? text : NULL, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_of_every_alignment),
        cmocka_unit_test(moves_that_overlap),
        cmocka_unit_test(sets_of_every_alignment),
        cmocka_unit_test(memory_compares_unsigned),
        cmocka_unit_test(strings_compare),
        cmocka_unit_test(lengths),
        cmocka_unit_test(searches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

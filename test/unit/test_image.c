// An image: kernel, padding, bundle, and the size of all in the header.
// sources: tool/image.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tool/image.h"

static uint8_t kernel[5000];

static void parts(void **state)
{
    (void)state;
    struct arena a = {0};
    struct image_parts p;
    uint8_t bundle[0x3000];
    memset(kernel, 'k', sizeof(kernel));
    memset(bundle, 'b', sizeof(bundle));
    memcpy(kernel + 56, "ARM\x64", 4);
    struct file file = {.bytes = kernel, .size = sizeof(kernel)};
    assert_null(image_make(&a, &file, (struct bytes){bundle, sizeof(bundle)}, &p));
    assert_int_equal(p.kernel_size, 0x2000);
    assert_int_equal(p.bundle_size, 0x3000);
    assert_int_equal(p.whole.size, 0x5000);
    assert_memory_equal(p.whole.data + 16, "\0\x50\0\0\0\0\0\0", 8);
    assert_memory_equal(p.whole.data, kernel, 16);
    assert_memory_equal(p.whole.data + 24, kernel + 24, sizeof(kernel) - 24);
    assert_int_equal(p.whole.data[sizeof(kernel)], 0);
    assert_memory_equal(p.whole.data + 0x2000, bundle, sizeof(bundle));
    arena_free(&a);
}

static void whole_pages_need_no_padding(void **state)
{
    (void)state;
    struct arena a = {0};
    struct image_parts p;
    memcpy(kernel + 56, "ARM\x64", 4);
    struct file file = {.bytes = kernel, .size = 0x1000};
    assert_null(image_make(&a, &file, (struct bytes){kernel, 0x1000}, &p));
    assert_int_equal(p.kernel_size, 0x1000);
    arena_free(&a);
}

static void no_kernel(void **state)
{
    (void)state;
    struct arena a = {0};
    struct image_parts p;
    memset(kernel, 0, sizeof(kernel));
    struct file file = {.bytes = kernel, .size = sizeof(kernel)};
    assert_non_null(image_make(&a, &file, (struct bytes){kernel, 0x1000}, &p));
    memcpy(kernel + 56, "ARM\x64", 4);
    file.size = 63;
    assert_non_null(image_make(&a, &file, (struct bytes){kernel, 0x1000}, &p));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(whole_pages_need_no_padding),
        cmocka_unit_test(no_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

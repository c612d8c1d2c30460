// bulkhead_log: whose line it is, where it is cut, and what a failed assertion prints.
// sources: lib/log.c lib/console.c lib/crash.c lib/sel4.c base/format.c test/unit/fake_kernel.c
// flags: -Itest/unit/fake -Ilib/include
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <lib/bulkhead.h>

#include "fake_kernel.h"

static int start(void **state)
{
    (void)state;
    fake_reset();
    return 0;
}

static void a_line_has_name_and_end(void **state)
{
    (void)state;
    bulkhead_log("%u of %s at %#lx", 3u, "five", 0x200000ul);
    bulkhead_log("again");
    assert_string_equal(fake.console, "tester: 3 of five at 0x200000\ntester: again\n");
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    text[192] = '\0'; // with "tester: ", exactly the most
    bulkhead_log("%s", text);
    assert_int_equal(strlen(fake.console), 201);
    assert_int_equal(fake.console[200], '\n');
    text[192] = 'x';

    fake.console[0] = '\0';
    bulkhead_log("%s", text);
    assert_int_equal(strlen(fake.console), 201);
    assert_int_equal(fake.console[199], 'x');
    assert_int_equal(fake.console[200], '\n');
}

static void a_failed_assertion_says_where_and_crashes(void **state)
{
    (void)state;
    bulkhead_assert(1 + 1 == 2);
    if (setjmp(fake.crash) == 0) {
        bulkhead_assert_failed("the moon is cheese", "moon.c", 12);
    }
    assert_string_equal(fake.console, "tester: moon.c:12: not true: the moon is cheese\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_name_and_end, start),
        cmocka_unit_test_setup(a_long_line_is_cut, start),
        cmocka_unit_test_setup(a_failed_assertion_says_where_and_crashes, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

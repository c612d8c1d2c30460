// Texts that grow: what JSON and XML need escaped, and JSON's commas.
// sources: tool/text.c tool/json.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <abi/syscall.h>

#include "tool/json.h"
#include "tool/text.h"

static void escapes(void **state)
{
    (void)state;
    struct arena a = {0};
    struct text t;
    text_begin(&t);
    text_xml(&t, "a<b>\"c\"&'d'\xc3\xa4");
    fputc('\n', t.stream);
    text_json_string(&t, "a\"b\\c\x01\xc3\xa4/");
    assert_string_equal(text_end(&t, &a), "a&lt;b&gt;&quot;c&quot;&amp;'d'\xc3\xa4\n"
                                          "\"a\\\"b\\\\c\\u0001\xc3\xa4/\"");
    arena_free(&a);
}

static void permissions(void **state)
{
    (void)state;
    assert_string_equal(text_perms(0), "---");
    assert_string_equal(text_perms(MAP_READ | MAP_WRITE), "rw-");
    assert_string_equal(text_perms(MAP_READ | MAP_EXECUTE), "r-x");
    assert_string_equal(text_perms(MAP_EXECUTE | MAP_UNCACHED), "--x");
}

static void json(void **state)
{
    (void)state;
    struct arena a = {0};
    struct json j = {0};
    text_begin(&j.text);
    json_open(&j, NULL, '{');
    json_string(&j, "s", "x");
    json_open(&j, "empty", '[');
    json_close(&j, ']');
    json_open(&j, "list", '[');
    json_number(&j, NULL, UINT64_MAX);
    json_open(&j, NULL, '{');
    json_bool(&j, "b", true);
    json_close(&j, '}');
    json_close(&j, ']');
    json_bool(&j, "c", false);
    json_close(&j, '}');
    assert_string_equal(text_end(&j.text, &a), "{\n"
                                               "  \"s\": \"x\",\n"
                                               "  \"empty\": [],\n"
                                               "  \"list\": [\n"
                                               "    18446744073709551615,\n"
                                               "    {\n"
                                               "      \"b\": true\n"
                                               "    }\n"
                                               "  ],\n"
                                               "  \"c\": false\n"
                                               "}\n");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(permissions),
        cmocka_unit_test(json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// XML as a tree, with the offset of every element and attribute.
// sources: tool/xml.c tool/diag.c tool/source.c tool/arena.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tool/xml.h"

struct fixture {
    struct arena arena;
    struct source source;
    struct diag diag;
    struct xml *root;
};

static struct fixture *read_text(const char *text)
{
    static struct fixture f;
    f = (struct fixture){0};
    source_init(&f.source, &f.arena, "f", text, strlen(text));
    diag_init(&f.diag, &f.arena, &f.source);
    f.root = xml_read(&f.arena, &f.source, &f.diag);
    return &f;
}

static void tree(void **state)
{
    (void)state;
    struct fixture *f = read_text("<a><b/><!-- x --><c><d/></c><b i='1'/></a>");
    assert_int_equal(f->diag.count, 0);
    const struct xml *b = xml_child(f->root, "b");
    const struct xml *c = xml_child(f->root, "c");
    assert_ptr_equal(b->next, c);
    assert_int_equal(c->offset, 17);
    assert_ptr_equal(xml_child(c, "d")->parent, c);
    assert_ptr_equal(c->next, f->root->last_child);
    assert_true(xml_has(c->next, "i"));
    assert_null(xml_child(f->root, "d"));
    arena_free(&f->arena);
}

static void attribute_offsets(void **state)
{
    (void)state;
    const char *text = "<a\n one = \"x > y\"\ttwo='&lt;\"'\n  \xc3\xa4=\"\" three=\"\"/>";
    struct fixture *f = read_text(text);
    assert_int_equal(f->diag.count, 0);
    assert_string_equal(xml_attribute(f->root, "one")->value, "x > y");
    assert_string_equal(xml_attribute(f->root, "two")->value, "<\"");
    assert_int_equal(xml_at(f->root, "one"), 4);
    assert_int_equal(xml_at(f->root, "two"), strstr(text, "two") - text);
    assert_int_equal(xml_at(f->root, "\xc3\xa4"), strstr(text, "\xc3") - text);
    assert_int_equal(xml_at(f->root, "three"), strstr(text, "three") - text);
    assert_int_equal(xml_at(f->root, "missing"), 0);
    arena_free(&f->arena);
}

static void check_refused(const char *text, size_t offset, const char *message)
{
    struct fixture *f = read_text(text);
    assert_null(f->root);
    assert_int_equal(f->diag.count, 1);
    assert_int_equal(f->diag.messages[0].offset, offset);
    assert_non_null(strstr(f->diag.messages[0].text, message));
    arena_free(&f->arena);
}

static void refused(void **state)
{
    (void)state;
    check_refused("", 0, "no element found");
    check_refused("<a>", 3, "no element found");
    check_refused("<a></b>", 5, "mismatched tag");
    check_refused("<!-- --><!DOCTYPE a []><a/>", 8, "a document type is not allowed");
    check_refused("<!DOCTYPE a SYSTEM 'x'><a/>", 0, "a document type is not allowed");
    check_refused("<a>&b;</a>", 3, "undefined entity");
    check_refused("<a b='1' b='2'/>", 9, "duplicate attribute");
}

static void text_where_it_may_be(void **state)
{
    (void)state;
    struct fixture *f =
        read_text("<a><cmdline>one &lt;two&gt;\n<b/> three<![CDATA[&]]></cmdline><prefill/></a>");
    assert_int_equal(f->diag.count, 0);
    assert_string_equal(xml_child(f->root, "cmdline")->text, "one <two>\n three&");
    assert_int_equal(xml_child(f->root, "cmdline")->text_size, 17);
    assert_null(xml_child(f->root, "prefill")->text);
    assert_null(f->root->text);
    arena_free(&f->arena);
}

static void text_is_told_once_an_element(void **state)
{
    (void)state;
    struct fixture *f = read_text("<a>\n  one <b> two &amp; three\n four</b> five</a>");
    assert_non_null(f->root);
    assert_int_equal(f->diag.count, 2);
    assert_int_equal(f->diag.messages[0].offset, 6);
    assert_int_equal(f->diag.messages[1].offset, 14);
    arena_free(&f->arena);
}

static void depth_is_limited(void **state)
{
    (void)state;
    enum { DEPTH = XML_DEPTH_MAX + 1 };
    char text[3 * DEPTH + 1] = "";
    for (int i = 0; i < DEPTH; i++) {
        memcpy(text + 3 * i, "<a>", 3);
    }
    check_refused(text, 3 * (DEPTH - 1), "elements are nested more than 100 deep");
    text[3 * (DEPTH - 1)] = '\0';
    check_refused(text, 3 * (DEPTH - 1), "no element found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree),
        cmocka_unit_test(attribute_offsets),
        cmocka_unit_test(refused),
        cmocka_unit_test(text_where_it_may_be),
        cmocka_unit_test(text_is_told_once_an_element),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

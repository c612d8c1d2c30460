// Intrusive lists.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <base/bits.h>
#include <base/list.h>

struct item {
    int value;
    struct list link;
};

static void assert_values(const struct list *head, const int *values, size_t count)
{
    const struct list *node = head->next;
    const struct list *before = head;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_not_equal(node, head);
        assert_ptr_equal(node->prev, before);
        assert_int_equal(CONTAINER_OF(node, struct item, link)->value, values[i]);
        before = node;
        node = node->next;
    }
    assert_ptr_equal(node, head);
    assert_ptr_equal(head->prev, before);
}

static void new_head_is_empty(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    assert_true(list_empty(&head));
    assert_values(&head, NULL, 0);
}

static void inserts_at_both_ends_and_between(void **state)
{
    (void)state;
    struct list head;
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    list_init(&head);
    list_insert_before(&head, &items[1].link);
    list_insert_before(&head, &items[3].link);
    list_insert_after(&head, &items[0].link);
    list_insert_before(&items[3].link, &items[2].link);
    assert_false(list_empty(&head));
    assert_values(&head, (const int[]){0, 1, 2, 3}, 4);
}

static void removes_from_anywhere(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.value = 0}, {.value = 1}, {.value = 2}};
    list_init(&head);
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        list_insert_before(&head, &items[i].link);
    }
    list_remove(&items[1].link);
    assert_values(&head, (const int[]){0, 2}, 2);
    list_remove(&items[0].link);
    list_remove(&items[2].link);
    assert_true(list_empty(&head));
}

static void second_removal_does_no_harm(void **state)
{
    (void)state;
    struct list head;
    struct item items[2] = {{.value = 0}, {.value = 1}};
    list_init(&head);
    list_insert_before(&head, &items[0].link);
    list_insert_before(&head, &items[1].link);
    list_remove(&items[0].link);
    assert_true(list_empty(&items[0].link));
    list_remove(&items[0].link);
    assert_values(&head, (const int[]){1}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_head_is_empty),
        cmocka_unit_test(inserts_at_both_ends_and_between),
        cmocka_unit_test(removes_from_anywhere),
        cmocka_unit_test(second_removal_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

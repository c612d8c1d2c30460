// The serial mux's credits: who is told when its bytes have left the wire.
// sources: mux/serial/credit.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mux/serial/credit.h>

static void add(struct credit_queue *q, uint32_t source, uint32_t position, uint32_t end)
{
    credit_add(q, (struct credit){source, position, end});
}

static void expect(struct credit_queue *q, uint32_t transmitted, uint32_t source, uint32_t position)
{
    struct credit c;
    assert_true(credit_take(q, transmitted, &c));
    assert_int_equal(c.source, source);
    assert_int_equal(c.position, position);
}

static void due_in_order(void **state)
{
    (void)state;
    struct credit_queue q = {0};
    struct credit c;
    assert_false(credit_take(&q, 0, &c));
    add(&q, 1, 10, 15);
    add(&q, 2, 7, 30);
    assert_false(credit_take(&q, 14, &c));
    expect(&q, 29, 1, 10);
    assert_false(credit_take(&q, 29, &c));
    expect(&q, 30, 2, 7);
    assert_int_equal(q.count, 0);
}

static void positions_wrap(void **state)
{
    (void)state;
    struct credit_queue q = {0};
    struct credit c;
    add(&q, 1, UINT32_MAX - 3, UINT32_MAX - 1);
    add(&q, 1, 4, 6);
    assert_false(credit_take(&q, UINT32_MAX - 2, &c));
    expect(&q, 2, 1, UINT32_MAX - 3);
    assert_false(credit_take(&q, 5, &c));
    expect(&q, 6, 1, 4);
}

static void one_talker_never_fills_the_queue(void **state)
{
    (void)state;
    struct credit_queue q = {0};
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_false(credit_full(&q));
        add(&q, 1, i, i * 2);
    }
    // Early credits stayed apart: it learns of its first line before its last has left.
    expect(&q, 2, 1, 1);
    uint32_t last = 0;
    struct credit c;
    while (credit_take(&q, 2000, &c)) {
        assert_true(c.position > last);
        last = c.position;
    }
    assert_int_equal(last, 1000);
}

static void many_talkers_fill_it(void **state)
{
    (void)state;
    struct credit_queue q = {.first = CREDIT_MAX - 3};
    for (uint32_t i = 0; i < CREDIT_MAX; i++) {
        assert_false(credit_full(&q));
        add(&q, i % 9, i, i + 1);
    }
    assert_true(credit_full(&q));
    for (uint32_t i = 0; i < CREDIT_MAX; i++) {
        expect(&q, CREDIT_MAX, i % 9, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_in_order),
        cmocka_unit_test(positions_wrap),
        cmocka_unit_test(one_talker_never_fills_the_queue),
        cmocka_unit_test(many_talkers_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

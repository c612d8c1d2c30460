// Time queue: against a plain array.
// sources: kernel/timeq.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "timeq.h"

#define NODES 200u

static struct timeq_node nodes[NODES];
static bool queued[NODES];

static unsigned check_heap(const struct timeq_node *n, const struct timeq_node *up)
{
    if (n == NULL) {
        return 0;
    }
    unsigned left = check_heap(n->left, n);
    unsigned right = check_heap(n->right, n);
    uint32_t left_rank = n->left == NULL ? 0 : n->left->rank;
    uint32_t right_rank = n->right == NULL ? 0 : n->right->rank;
    assert_ptr_equal(n->up, up);
    assert_true(up == NULL || up->when <= n->when);
    assert_true(left_rank >= right_rank);
    assert_int_equal(n->rank, right_rank + 1);
    return left + right + 1;
}

static void check(const struct timeq *q)
{
    uint64_t first = UINT64_MAX;
    unsigned count = 0;
    for (unsigned i = 0; i < NODES; i++) {
        assert_int_equal(timeq_queued(&nodes[i]), queued[i]);
        if (queued[i]) {
            first = nodes[i].when < first ? nodes[i].when : first;
            count++;
        }
    }
    assert_int_equal(timeq_first(q), first);
    assert_int_equal(check_heap(q->first, NULL), count);
}

static void an_empty_queue_is_never_due(void **state)
{
    (void)state;
    struct timeq q = {0};
    struct timeq_node n = {0};
    assert_int_equal(timeq_first(&q), UINT64_MAX);
    timeq_remove(&q, &n); // not queued: nothing happens
    assert_null(q.first);
}

static void it_does_what_an_array_does(void **state)
{
    (void)state;
    struct timeq q = {0};
    srand(7);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = (unsigned)rand() % NODES;
        if (queued[i]) {
            timeq_remove(&q, &nodes[i]);
        } else {
            timeq_insert(&q, &nodes[i], (uint64_t)rand() % 50);
        }
        queued[i] = !queued[i];
        if (round % 16 == 0) {
            check(&q);
        }
    }
    for (uint64_t last = 0; q.first != NULL;) {
        struct timeq_node *n = q.first;
        assert_true(n->when >= last);
        last = n->when;
        queued[n - nodes] = false;
        timeq_remove(&q, n);
        check(&q);
    }
}

static void a_long_line_stays_shallow_on_the_right(void **state)
{
    (void)state;
    struct timeq q = {0};
    for (unsigned i = 0; i < NODES; i++) {
        timeq_insert(&q, &nodes[i], i);
        queued[i] = true;
    }
    assert_true(q.first->rank <= 8);
    for (unsigned i = NODES; i-- > 0;) {
        timeq_remove(&q, &nodes[i]);
        queued[i] = false;
        check(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_is_never_due),
        cmocka_unit_test(it_does_what_an_array_does),
        cmocka_unit_test(a_long_line_stays_shallow_on_the_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

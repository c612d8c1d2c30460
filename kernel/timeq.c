// Time queue: see timeq.h. A leftist heap: the way to the nearest missing child is never longer on the right than
// on the left, so right spines are logarithmic, and merging only walks right spines.
#include "timeq.h"

#include <stddef.h>

static uint32_t rank(const struct timeq_node *n)
{
    return n == NULL ? 0 : n->rank;
}

// Restores the leftist property at n, whose children have it. True if n's rank changed.
static bool settle(struct timeq_node *n)
{
    if (rank(n->left) < rank(n->right)) {
        struct timeq_node *left = n->left;
        n->left = n->right;
        n->right = left;
    }
    uint32_t before = n->rank;
    n->rank = rank(n->right) + 1;
    return n->rank != before;
}

// Merges two heaps; the result's root has no parent yet.
static struct timeq_node *merge(struct timeq_node *a, struct timeq_node *b)
{
    struct timeq_node *root = NULL;
    struct timeq_node **at = &root;
    struct timeq_node *up = NULL;
    while (a != NULL && b != NULL) {
        struct timeq_node *first = b->when < a->when ? b : a;
        b = first == a ? b : a;
        *at = first;
        first->up = up;
        up = first;
        at = &first->right;
        a = first->right;
    }
    struct timeq_node *rest = a != NULL ? a : b;
    *at = rest;
    if (rest != NULL) {
        rest->up = up;
    }
    for (struct timeq_node *n = up; n != NULL; n = n->up) {
        settle(n);
    }
    return root;
}

void timeq_insert(struct timeq *q, struct timeq_node *n, uint64_t when)
{
    *n = (struct timeq_node){.when = when, .rank = 1};
    q->first = merge(q->first, n);
}

void timeq_remove(struct timeq *q, struct timeq_node *n)
{
    if (!timeq_queued(n)) {
        return;
    }
    struct timeq_node *up = n->up;
    struct timeq_node *rest = merge(n->left, n->right);
    if (rest != NULL) {
        rest->up = up;
    }
    if (up == NULL) {
        q->first = rest;
    } else if (up->left == n) {
        up->left = rest;
    } else {
        up->right = rest;
    }
    while (up != NULL && settle(up)) {
        up = up->up;
    }
    *n = (struct timeq_node){0};
}

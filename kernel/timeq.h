// Queue of events by time: a leftist heap, so that inserting, removing any event and taking the first are each
// O(log n). One per core, used by that core only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timeq_node {
    uint64_t when; // ticks
    struct timeq_node *up;
    struct timeq_node *left;
    struct timeq_node *right;
    uint32_t rank; // shortest way to a missing child, plus one; 0: not queued
};

struct timeq {
    struct timeq_node *first;
};

void timeq_insert(struct timeq *q, struct timeq_node *n, uint64_t when);
void timeq_remove(struct timeq *q, struct timeq_node *n); // does nothing if not queued
static inline uint64_t timeq_first(const struct timeq *q)
{
    return q->first == 0 ? UINT64_MAX : q->first->when;
}

static inline bool timeq_queued(const struct timeq_node *n)
{
    return n->rank != 0;
}

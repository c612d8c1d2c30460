// See credit.h.
#include "credit.h"

static struct credit *at(struct credit_queue *q, uint32_t i)
{
    return &q->credits[(q->first + i) % CREDIT_MAX];
}

// Lines of one source that follow each other share a credit when the queue grows long. Not before: a source that talks
// all the time would push its own credit ahead of itself and never get it.
void credit_add(struct credit_queue *q, struct credit credit)
{
    if (q->count > CREDIT_MAX / 2 && at(q, q->count - 1)->source == credit.source) {
        *at(q, q->count - 1) = credit;
        return;
    }
    *at(q, q->count++) = credit;
}

bool credit_take(struct credit_queue *q, uint32_t transmitted, struct credit *out)
{
    if (q->count == 0 || (int32_t)(transmitted - at(q, 0)->end) < 0) {
        return false;
    }
    *out = *at(q, 0);
    q->first = (q->first + 1) % CREDIT_MAX;
    q->count--;
    return true;
}

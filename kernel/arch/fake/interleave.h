// Makes every atomic access of the kernel a point at which the fake machine may go on with another core: compile
// the kernel with `-include kernel/arch/fake/interleave.h`. Accesses then happen one after another in the order that
// the test chooses, so that it finds mistakes of logic, not of memory ordering.
#pragma once

#include <stdatomic.h>

void fake_point(void);

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak_explicit

#define atomic_load(p)                        (fake_point(), __c11_atomic_load(p, __ATOMIC_SEQ_CST))
#define atomic_load_explicit(p, order)        (fake_point(), __c11_atomic_load(p, order))
#define atomic_store(p, v)                    (fake_point(), __c11_atomic_store(p, v, __ATOMIC_SEQ_CST))
#define atomic_store_explicit(p, v, order)    (fake_point(), __c11_atomic_store(p, v, order))
#define atomic_exchange(p, v)                 (fake_point(), __c11_atomic_exchange(p, v, __ATOMIC_SEQ_CST))
#define atomic_exchange_explicit(p, v, order) (fake_point(), __c11_atomic_exchange(p, v, order))
#define atomic_fetch_or(p, v)                 (fake_point(), __c11_atomic_fetch_or(p, v, __ATOMIC_SEQ_CST))
#define atomic_fetch_and(p, v)                (fake_point(), __c11_atomic_fetch_and(p, v, __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_strong(p, e, v)                                                    \
    (fake_point(),                                                                                 \
     __c11_atomic_compare_exchange_strong(p, e, v, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#define atomic_compare_exchange_weak_explicit(p, e, v, ok, fail)                                   \
    (fake_point(), __c11_atomic_compare_exchange_weak(p, e, v, ok, fail))
